"""Headers of requests for notifications, which are read by hand."""

from collections.abc import Iterable

from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import Json
from entrypoints.http.notification.bodies import KEY_MAX

HEADERS: tuple[dict[str, Json], ...] = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "the same as `idempotencyKey` in the body",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
    },
    {
        "name": "traceparent",
        "in": "header",
        "required": False,
        "description": "W3C Trace Context: the caller's trace goes on here",
        "schema": {"type": "string"},
    },
)
"""As the contract has them."""


def idempotency_key(headers: Iterable[tuple[bytes, bytes]], given: str | None) -> str | None:
    """The key from the header or the body.

    Raises:
        Invalid: too long, or it is not one key.
    """
    found = {value for name, value in headers if name == b"idempotency-key"}
    if not found:
        return given
    if len(found) > 1:
        raise Invalid(Fault(":Idempotency-Key", "ambiguous", "it is given twice, with different keys"))
    key = _text(found.pop())
    if len(key) > 1 and key[0] == key[-1] == '"':  # the IETF draft has it as a structured-field string
        key = key[1:-1]
    if not 1 <= len(key) <= KEY_MAX or not key.isprintable():
        raise Invalid(Fault(":Idempotency-Key", "bad_length", f"1 to {KEY_MAX} printable characters"))
    if given is not None and given != key:
        raise Invalid(Fault("/idempotencyKey", "ambiguous", "the header Idempotency-Key has another key"))
    return key


def _text(header: bytes) -> str:
    """Some clients write letters beyond ASCII as UTF-8, others as ISO 8859-1."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")
