"""What one kind of provider can do.  Each provider's file states it; documentation and checks read it."""

from datetime import timedelta

import msgspec

from domain.provider.lookup import Certainty


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
    lookup_after: timedelta = timedelta()
    """So long after a call it certainly knows the message, if it has it."""
    push_services: tuple[str, ...] = ()
    """Of push: whose tokens it takes (`domain.device.device`); none: it is given the user's own id, and
    knows their devices itself."""
    size_max: int | None = None
    """Bytes of one message at most; None: it publishes no limit."""
    regions: tuple[str, ...] = ()
    """Where it can be told to keep and send messages, as its setting `region` has them; empty: it has no such
    setting."""

    def certainty(self) -> Certainty | None:
        """How it can be known what became of a call without an answer; None: it cannot."""
        if not (self.lookup or self.idempotency):
            return None
        return Certainty(
            lookup_after=self.lookup_after if self.lookup else None, repeat_within=self.idempotency
        )
