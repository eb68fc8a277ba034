"""The figures of a run of the demo, counted from what really happened."""

from dataclasses import dataclass, field
from uuid import UUID

from application.delivery.ports import Settlement
from domain.delivery.delivery import DeliveryStatus
from entrypoints.demo.expect import Expected


@dataclass(slots=True)
class Tally:
    """Counts what the plan's events came to; what came over the API is not in it."""

    published: int = 0
    handled: int = 0
    accepted: int = 0
    absorbed: int = 0
    sent: int = 0
    failed: int = 0
    deferred: int = 0
    waits: list[float] = field(default_factory=list)
    """Milliseconds from each event's publishing to its provider's answer."""
    _born: dict[UUID, tuple[float, bool]] = field(default_factory=dict)
    _taken: dict[UUID, float] = field(default_factory=dict)

    def born(self, delivery: UUID, at: float, *, ours: bool) -> None:
        """A delivery whose event went out `at` (monotonic seconds)."""
        self._born[delivery] = at, ours

    def taken(self, delivery: UUID, at: float) -> None:
        """Its provider accepted it."""
        self._taken[delivery] = at

    def settled(self, settlement: Settlement, now: float) -> float | None:
        """Count the end of a lease; milliseconds since the event, or None for somebody else's delivery."""
        born = self._born.get(settlement.delivery)
        if born is None:
            return None
        at, ours = born
        ms = (self._taken.pop(settlement.delivery, now) - at) * 1000
        again = settlement.status is DeliveryStatus.QUEUED
        if not again:
            del self._born[settlement.delivery]
        if ours:
            self.sent += settlement.status is DeliveryStatus.SENT
            self.failed += settlement.status is DeliveryStatus.FAILED
            self.deferred += again and settlement.outcome == "deferred"
            self.waits += [ms] if settlement.status is DeliveryStatus.SENT else []
        return ms

    @property
    def figures(self) -> Expected:
        """To hold against what was expected."""
        return Expected(**{name: getattr(self, name) for name in Expected.__struct_fields__})

    def finished(self, published: int) -> bool:
        """So many events were handled, and every delivery of theirs is at rest."""
        return self.handled >= published and not any(ours for _, ours in self._born.values())

    def p95(self) -> float:
        """Milliseconds within which 95 of 100 messages were with their provider."""
        ordered = sorted(self.waits)
        return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)] if ordered else 0.0
