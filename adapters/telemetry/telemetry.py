"""Figures in Prometheus and wide events in the log: what entrypoints report to."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache

import structlog

from adapters.telemetry.metrics import Metrics
from application.outbox.ports import Waiting
from application.provider.ports import BreakerState

_log = structlog.get_logger("posthorn")


class PrometheusTelemetry:
    """Implements `PrometheusTelemetry` of the actors and those of the entrances.  One per process."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._lanes: set[str] = set()
        # Looking a labelled child up costs more than counting on it.
        self._delivered = cache(metrics.deliveries.labels)
        self._stage = cache(metrics.stages.labels)
        self._called = cache(metrics.requests.labels)
        self._request = cache(metrics.http.labels)

    def accepted(self, type_: str, priority: str, count: int = 1) -> None:
        """Notifications that were committed."""
        self.metrics.accepted.labels(self.metrics.known(type_), priority).inc(count)

    def delivered(self, channel: str, provider: str, outcome: str, count: int = 1) -> None:
        """Calls that ended, or decisions without one."""
        self._delivered(channel, provider, outcome).inc(count)
        if outcome == "unknown" and provider != "none":
            self.unanswered(channel, provider, count)

    def unanswered(self, channel: str, provider: str, count: int = 1) -> None:
        """Calls whose outcome nobody knows."""
        self.metrics.unanswered.labels(channel, provider).inc(count)

    def called(self, provider: str, seconds: float) -> None:
        """How long a call to a provider took."""
        self._called(provider).observe(seconds)

    def event(self, type_: str, outcome: str, count: int = 1) -> None:
        """Shop events, by what became of them."""
        self.metrics.events.labels(type_, outcome).inc(count)

    def provider_paused(self, provider: str, reason: str) -> None:
        """Our account or configuration is refused."""
        self.metrics.provider_paused.labels(provider).set(1)
        self.trouble("provider.paused", provider=provider, reason=reason)

    def breaker_moved(self, provider: str, state: BreakerState) -> None:
        """The breaker of a provider account."""
        is_closed = state is BreakerState.CLOSED
        self.metrics.breaker_open.labels(provider).set(not is_closed)
        (self.wide if is_closed else self.trouble)("provider.breaker", provider=provider, state=str(state))

    def provider_resumed(self, provider: str, paused_for: timedelta) -> None:
        """A probe was taken."""
        self.metrics.provider_paused.labels(provider).set(0)
        self.wide("provider.resumed", provider=provider, seconds=round(paused_for.total_seconds(), 1))

    def kept_out(self, code: str, count: int = 1) -> None:
        """Values of customers that were no addresses."""
        self.metrics.kept_out.labels(code).inc(count)

    def stage(self, name: str, seconds: float) -> None:
        """How long a stage of the way took."""
        self._stage(name).observe(seconds)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """An HTTP request that was answered; `route` is a template, never a path."""
        self._request(method, route, str(status)).observe(seconds)

    def routine(self, event: str, **fields: object) -> None:
        """A wide event at level debug."""
        _log.debug(event, **fields)

    def wide(self, event: str, **fields: object) -> None:
        """One wide event for one unit of work."""
        _log.info(event, **fields)

    def trouble(self, event: str, **fields: object) -> None:
        """Something an operator should see."""
        self.metrics.troubles.labels(event).inc()
        _log.warning(event, **fields)

    def task_ended(self, task: str, end: str, error: Exception | None) -> None:
        """A long-lived task ended, or lost its connection; see `application.kernel.supervision`."""
        self.metrics.task_ends.labels(task, end).inc()
        if error is not None:
            self.trouble("task.ended", task=task, end=end, error=repr(error), exc_info=error)
        elif end == "returned":
            self.trouble("task.ended", task=task, end=end)
        else:
            self.routine("task.ended", task=task, end=end)

    def backlog(self, pending: int, oldest_age: float) -> None:
        """How much waits in the outbox."""
        self.metrics.outbox_pending.set(pending)
        self.metrics.outbox_age.set(oldest_age)

    def lanes(self, waiting: Sequence[Waiting]) -> None:
        """How long the oldest late delivery of each lane waits; in those not named nothing is late."""
        ages = {each.lane.queue: each.age.total_seconds() for each in waiting}
        for queue in self._lanes - ages.keys():
            self.metrics.lane_age.labels(queue).set(0)
        for queue, age in ages.items():
            self._lanes.add(queue)
            self.metrics.lane_age.labels(queue).set(age)

    def dead_letters(self, count: int) -> None:
        """How many dead letters are open."""
        self.metrics.dead_letters.set(count)

    def held(self, count: int) -> None:
        """How many deliveries rest on a call whose outcome nobody knows."""
        self.metrics.held.set(count)

    def jobs(self, count: int) -> None:
        """How many jobs are to be gone on with."""
        self.metrics.jobs.set(count)

    def partitions_ahead(self, months: int) -> None:
        """How many months after the present one have partitions."""
        self.metrics.partitions_ahead.set(months)

    def clock_skew(self, seconds: float) -> None:
        """How far this machine's clock is ahead of the database's."""
        self.metrics.clock_skew.set(seconds)

    def exposition(self) -> tuple[bytes, str]:
        """What `/metrics` answers, and its media type."""
        return self.metrics.exposition()
