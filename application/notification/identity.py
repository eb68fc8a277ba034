"""What makes two commands the same: digests of the idempotency key and of the request.

Keys from callers and keys derived by triggers have separate name spaces.  Digests of earlier releases are
still recognised, since keys are kept for 90 days: a command accepted before an upgrade is not accepted again.
"""

from decimal import Decimal
from uuid import UUID

import msgspec

from application.notification.ports import LegacyKey
from application.privacy.ports import Vault
from domain.kernel.json_values import Json
from domain.notification.request import DEFAULT_CLASS, DEFAULT_PRIORITY, Request

_canonical = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_TRIGGERS = "trigger:"
"""Prefix of the keys of triggers in earlier releases.  A key of REST with this prefix is not taken for one,
unless exactly the same command was accepted under it."""


def digest(vault: Vault, request: Request) -> UUID | None:
    """Digest of the idempotency key; None: the request has none."""
    key = request.idempotency_key
    if request.derived is not None:
        parts = _canonical([request.mode, *request.derived.parts]).decode()
        return _uuid(vault.index("idempotency.derived", parts))
    if key is None:
        return None
    space = "idempotency.rest" if key.startswith(_TRIGGERS) else "idempotency"
    return _uuid(vault.index(space, f"{request.mode}:{key}"))


def legacy_key(vault: Vault, request: Request) -> LegacyKey | None:
    """The digest that earlier releases made for the same key; None: no key, or the same as `digest`."""
    given = request.idempotency_key
    if given is None or (request.derived is None and not given.startswith(_TRIGGERS)):
        return None
    key = _uuid(vault.index("idempotency", f"{request.mode}:{given}"))
    certain = request.derived is not None and request.derived.certain
    return LegacyKey(key, None if certain else fingerprints(vault, request)[1])


def fingerprints(vault: Vault, request: Request) -> tuple[bytes, ...]:
    """Digests (16 bytes) that distinguish commands: the current one, then that of earlier releases."""
    bare = msgspec.structs.replace(
        request,
        idempotency_key=None,
        derived=None,
        traceparent=None,
        drop_invalid=False,
        # As if it were not said: so earlier releases wrote what has the default's value.
        klass=None if request.klass is DEFAULT_CLASS else request.klass,
        priority=None if request.priority is DEFAULT_PRIORITY else request.priority,
    )
    return (
        vault.index("fingerprint.2", _canonical(bare).decode())[:16],
        vault.index("fingerprint", _canonical(_first(bare)).decode())[:16],
    )


def _first(request: Request) -> dict[str, Json]:
    """The canonical form of the first release: all its members, with defaults, and fractions as floats."""
    names = ("mode", "type", "klass", "priority", "channel", "template", "metadata", "created_by")
    known = {name: getattr(request, name) for name in names}
    known |= {"klass": request.policy_class, "priority": request.urgency}
    recipients = [
        {name: getattr(each, name) for name in ("user_id", "email", "phone", "name", "locale", "timezone")}
        for each in request.recipients
    ]
    silent = {"idempotency_key": None, "traceparent": None}
    content = msgspec.structs.asdict(request.content)
    said = {name: value for name, value in content.items() if value not in (None, {})}
    first: dict[str, Json] = _floats({**known, **silent, "content": said, "recipients": recipients})
    return first


def _floats(value: object) -> Json:
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: _floats(each) for name, each in value.items()}
        case list():
            return [_floats(each) for each in value]
        case _:
            return value


def _uuid(index: bytes) -> UUID:
    return UUID(bytes=index[:16])
