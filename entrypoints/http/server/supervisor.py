"""What all connections of one server share: their limits, their number, and a log of what was refused."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from entrypoints.engine.telemetry import TRACES_MAX, Telemetry

_REPORT_EVERY = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What somebody without a key may cost; times in seconds."""

    connections: int = 1_000
    head_bytes: int = 32 * 1024
    """Request line and headers together; also what may come later that is no content, such as trailers."""
    target_bytes: int = 8 * 1024
    headers: int = 100
    head: float = 10.0
    """From the connection, or the first byte after an answer, to the end of the headers."""
    body: float = 30.0
    """From there to the end of the body."""
    idle: int = 75
    """Between an answer and the next request: longer than load balancers keep theirs (60), so that they close
    first."""
    unread: float = 60.0
    """How long somebody may take nothing of their answer."""
    pipelined: int = 32
    """Requests that wait for the answer of an earlier one."""
    linger: float = 30.0
    """How long what still comes is thrown away after a last answer, for the answer to be read."""
    linger_silent: float = 5.0
    linger_bytes: int = 64 * 1024 * 1024


class SupervisedConnection(Protocol):
    """A connection, as its supervisor sees it."""

    heard_at: float
    """When anything last came from it, on the loop's clock."""

    @property
    def busy(self) -> bool:
        """Whether a request of it is being worked on."""
        ...

    def sweep(self, now: float) -> None:
        """End what has taken too long."""
        ...

    def abort(self) -> None:
        """Close at once, without sending what is buffered."""
        ...


@dataclass(slots=True, kw_only=True)
class ConnectionSupervisor:
    """Makes room, sweeps, and tells once in a while, in one line, whom it turned away."""

    limits: ConnectionLimits
    telemetry: Telemetry
    fresh: Callable[[], UUID]
    """For the trace ids of those who came no further."""
    _counts: Counter[str] = field(default_factory=Counter)
    _traces: list[str] = field(default_factory=list)
    _reported_at: float = float("-inf")

    def make_room(self, connections: Iterable[SupervisedConnection], newcomer: SupervisedConnection) -> bool:
        """End the connection that has been idle longest; False when every one is worked for."""
        idle = min(
            (each for each in connections if each is not newcomer and not each.busy),
            key=lambda each: each.heard_at,
            default=None,
        )
        if idle is None:
            return False
        self._counts["idle closed"] += 1
        idle.abort()
        return True

    def note_refused(self, kind: str) -> str:
        """Note one; returns its trace id."""
        self._counts[kind] += 1
        trace = self.fresh().hex
        if len(self._traces) < TRACES_MAX:
            self._traces.append(trace)
        return trace

    def sweep(self, connections: Iterable[SupervisedConnection], now: float) -> None:
        """Look at every connection; call it about twice a second."""
        for connection in list(connections):
            connection.sweep(now)
        if not self._counts or now < self._reported_at + _REPORT_EVERY:
            return
        self._reported_at = now
        counts, traces = dict(self._counts), self._traces
        self._counts, self._traces = Counter(), []
        if counts.keys() & {"idle closed", "overloaded"}:
            limit = self.limits.connections
            self.telemetry.trouble("http.connections_full", limit=limit, refused=counts, traces=traces)
        else:
            self.telemetry.wide("http.turned_away", refused=counts, traces=traces)
