"""What one kind of provider can do.  Each provider's file states it; documentation and checks read it."""

from datetime import timedelta

import msgspec


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """The capabilities of one kind of provider; they do not depend on the account."""

    channels: tuple[str, ...] = ()
    """Channels whose messages it carries; empty: any channel."""
    batch_max: int = 1
    """Messages that one call carries at most."""
    idempotency: timedelta | None = None
    """How long it recognises a repeated call by its key and sends nothing again; None: it knows no keys."""
    receipts: bool = False
    """It reports later what became of a message."""
    lookup: bool = False
    """It can be asked for a message by our delivery id."""
    size_max: int | None = None
    """Bytes of one message at most; None: it publishes no limit."""
