"""What a process can do now and what it cannot, for `/readyz`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from application.kernel.supervision import Tasks
from application.privacy.ports import KeyState
from application.provider.ports import PausedProvider
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from entrypoints.http.services import Readiness


class ProcessParts(Protocol):
    """What the process stands on."""

    async def store(self) -> str:
        """`ok`, or what is wrong with the database."""
        ...

    def broker(self) -> str:
        """`ok`, or what is wrong with the broker."""
        ...

    def unpublished(self) -> float:
        """Seconds since this process could publish last; 0: it can."""
        ...

    def seen(self) -> bool:
        """Whether others see this process alive."""
        ...


class PublishingState(Protocol):
    """What publishes."""

    @property
    def stuck(self) -> float:
        """Seconds for which something is to be published and nothing is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessCheck:
    """An API needs database or broker, and must get out what it accepts; the others need all.

    Nobody is ready who drains.

    Args:
        either: database or broker is enough.
        away_max: seconds that an API may publish nothing; 0: for ever, it accepts into the outbox alone.
        clock: what is wrong with ours; shown, but no hindrance: the database's decides.
        keys: without them nothing can be sealed or opened.
        providers: those that rest; shown, but no hindrance: what is accepted waits for them.
        places: why ids have none soon: then nothing is accepted, nor promised.
    """

    either: bool
    parts: ProcessParts
    relay: PublishingState
    tasks: Tasks
    away_max: float
    consumers: Callable[[], Sequence[BatchConsumer]]
    clock: Callable[[], str | None]
    providers: Callable[[], Mapping[str, PausedProvider]]
    places: Callable[[], str | None]
    keys: KeyState
    draining: Callable[[], bool]

    async def __call__(self) -> Readiness:
        """As it is now."""
        state = {"database": await self.parts.store(), "broker": self.parts.broker()}
        published = self._published(state["database"])
        if consumers := self.consumers():
            state["events"] = "ok" if all(each.ready for each in consumers) else "not consuming"
        if state["database"] == "ok" and not self.parts.seen():
            state["database"] = "the lock of this process is not held"
        fine = [part == "ok" for part in state.values()]
        down = self.tasks.down
        able = any(fine) and published == "ok" if self.either else all(fine) and not down
        ready = able and self.keys.trouble is None
        state["publishing"] = published
        if down:
            state["tasks"] = ", ".join(f"{task} {how}" for task, how in sorted(down.items()))
        if self.keys.trouble is not None:
            state["keys"] = self.keys.trouble
        if (clock := self.clock()) is not None:
            state["clock"] = clock
        for provider, paused in sorted(self.providers().items()):
            state[f"provider {provider}"] = (
                f"paused for {paused.paused_for.total_seconds():.0f} s: {paused.fault}"
            )
        if (fault := self.places()) is not None:
            state["partitions"], ready = fault, False
        if self.draining():
            state["draining"] = "yes"
        return Readiness(ready=ready and not self.draining(), parts=state)

    def _published(self, database: str) -> str:
        """While the database is away nothing of the outbox can be ticked off: only the link counts then."""
        silent = max(self.parts.unpublished(), self.relay.stuck if database == "ok" else 0.0)
        if not 0 < self.away_max < silent:
            return "ok"
        return f"nothing could be published for {silent:.0f} s: what is accepted waits in the outbox"
