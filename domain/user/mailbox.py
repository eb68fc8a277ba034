"""Mailboxes: as given when written to, folded when looked up."""


def folded(email: str) -> str:
    """The spelling under which a mailbox is looked up: one for `Bob@` and `bob@`.

    RFC 5321 lets a server tell cases apart in front of the @, so a message goes to the spelling that was
    given; hardly any server does, and taking both for two people would write to one after the other opted
    out.
    """
    return email.lower()
