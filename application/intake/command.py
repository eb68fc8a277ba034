"""The message on `intake`: one request that was accepted while the database was away, sealed as a whole.

{"v": 1, "id": "0198…", "sealed": "…"}

The id was minted when the command was accepted, and carries that time.  What is sealed is bound to it.
"""

from uuid import UUID

import msgspec

from application.privacy.ports import ServiceKey, Unreadable
from domain.kernel.errors import Undecodable
from domain.kernel.number import number
from domain.notification.request import Request

INTAKE = "intake"
"""Name of the queue."""


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as it was accepted, and what was made of it then: that must not change with the software.

    A member that this release does not know is refused, not dropped: somebody asked for it.
    """

    id: UUID
    request: Request
    channel: str
    template_version: int | None
    key: UUID | None
    """Keyed digest of mode and idempotency key."""
    fingerprint: bytes


class _EnvelopeV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: int
    id: UUID
    sealed: bytes


_encode = msgspec.json.Encoder(decimal_format="number").encode
_envelope = msgspec.json.Decoder(_EnvelopeV1)
_command = msgspec.json.Decoder(Command, float_hook=number)


def seal(command: Command, key: ServiceKey) -> bytes:
    """Write one message."""
    return _encode(_EnvelopeV1(1, command.id, key.seal(_encode(command), _context(command.id))))


def unseal(body: bytes, key: ServiceKey) -> Command:
    """Read one message.

    Raises:
        Undecodable: not such a message, of another version, or it does not open.  Nothing of it is quoted.
    """
    try:
        envelope = _envelope.decode(body)
        if envelope.v != 1:
            raise Undecodable(f"command of unknown version {envelope.v}")
        return _command.decode(key.open(envelope.sealed, _context(envelope.id)))
    except Unreadable as fault:
        raise Undecodable(f"the command does not open: {fault}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Undecodable("not a message of the intake") from None


def _context(notification: UUID) -> bytes:
    return b"intake.command:" + notification.bytes
