"""The spelling of mailboxes: messages go to the one that was given, look-ups use the folded one."""


def folded(email: str) -> str:
    """The spelling under which a mailbox is looked up: one for `Bob@` and `bob@`.

    RFC 5321 lets a server distinguish cases before the @, so a message goes to the spelling that was given.
    Hardly any server does: if both were two users, one would still get messages after the other opted out.
    """
    return email.lower()
