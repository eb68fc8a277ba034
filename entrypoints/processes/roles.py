"""What each role runs, and in which order it stops; `posthorn worker` is the role of that name."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from config.container import Container
from config.parts import Parts
from entrypoints.engine.actor import Actor
from entrypoints.engine.clock_skew import ClockSkewWatch
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from entrypoints.engine.control import ControlListener, ControlReporter
from entrypoints.engine.jobs import JobsActor
from entrypoints.engine.recovery import RecoveryActor
from entrypoints.engine.relay.actor import RelayActor
from entrypoints.http.app import create_app
from entrypoints.http.server.supervisor import ConnectionLimits
from entrypoints.http.services import Readiness
from entrypoints.processes.api import http_services
from entrypoints.processes.consumers import Handle, intake_consumer, returned_consumer, shop_event_consumers
from entrypoints.processes.health import HealthApp
from entrypoints.processes.http_server import HttpActor, listen
from entrypoints.processes.lanes import lane_actors
from entrypoints.processes.readiness import ReadinessCheck
from entrypoints.processes.recurring import recurring_work


@dataclass(frozen=True, slots=True)
class Role:
    """What a process does.  Every process also relays its own outbox rows and does what recurs."""

    name: str
    http: bool = False
    lanes: bool = False
    events: bool = False


ROLES = {
    role.name: role
    for role in (
        Role("api", http=True),
        Role("worker", lanes=True),
        Role("events", events=True),
        Role("relay"),
        Role("all", http=True, lanes=True, events=True),
    )
}


class ProcessActors:
    """The actors of one process."""

    def __init__(self, container: Container, role: Role) -> None:
        self.container = container
        self.role = role
        self.draining = False
        """Set at SIGTERM: `/readyz` answers 503 from then on."""
        self.telemetry = container.kernel.telemetry()
        self.relay = RelayActor(
            relay=container.outbox.relay(),
            outbox=container.outbox.rows(),
            telemetry=self.telemetry,
            waiting_max=container.settings().relay.handoff,
            sweep_every=container.settings().relay.sweep.total_seconds(),
        )
        container.kernel.handoff().relay = self.relay
        self.jobs = JobsActor(
            advance=container.job.advance(),
            chunks=container.job.chunks(),
            telemetry=self.telemetry,
        )
        container.kernel.nudge().actor = self.jobs
        self.http: HttpActor | None = None
        self._skew = ClockSkewWatch(skew=lambda: container.kernel.clock().skew, telemetry=self.telemetry)
        self._events: list[BatchConsumer] = []

    def groups(
        self, parts: Parts, handle: Handle | None = None, pages: Sequence[object] = ()
    ) -> list[list[Actor]]:
        """All actors.  They start together, and stop group by group, in this order:

        1. what takes work from outside: HTTP, jobs, shop events, the intake;
        2. the lanes, which finish and settle the calls under way;
        3. the relay, which publishes what all of these have committed, and what recurs.

        Args:
            handle: in place of `HandleEvents`.
            pages: further routes of the API.
        """
        if parts.presence is not None:
            parts.presence.depends_on(lambda: self.relay.able)
        return [self._entrances(parts, handle, pages), self._lanes(parts), self._background(parts)]

    def _entrances(self, parts: Parts, handle: Handle | None, pages: Sequence[object]) -> list[Actor]:
        entrances: list[Actor] = []
        self.http = self._server(parts, pages)
        if self.http is not None:
            entrances.append(self.http)
        if self.role.http:
            entrances.append(self.jobs)
        if self.role.events:
            self._events = shop_event_consumers(self.container, parts.reach_store, handle)
            entrances += self._events
        if self.role.http and parts.connections:  # embedded mode defers nothing to a broker
            entrances.append(intake_consumer(self.container, parts.reach_store))
        return entrances

    def _lanes(self, parts: Parts) -> list[Actor]:
        if not self.role.lanes:
            return []
        return [
            *lane_actors(self.container, self.relay),
            returned_consumer(self.container, parts.reach_store),
        ]

    def _background(self, parts: Parts) -> list[Actor]:
        alerts, lanes = self.role.http or self.role.lanes, self.role.lanes
        actors = [
            self.relay,
            *recurring_work(self.container, parts, self._skew, alerts=alerts, lanes=lanes),
        ]
        if parts.connections and alerts:  # embedded mode has one process
            actors += self._control()
        if parts.connections:  # embedded mode issues everything again at each start by itself
            connection = parts.connections[-1]
            recover = self.container.recovery.recover_broker()
            actors.append(
                RecoveryActor(recover=recover, session=lambda: connection.session, telemetry=self.telemetry)
            )
        return actors

    def _control(self) -> list[Actor]:
        exchange, provider = self.container.broker.control(), self.container.provider
        process = self.container.kernel.process()
        return [
            ControlReporter(
                exchange=exchange,
                outbox=provider.control_outbox(),
                process=process,
                telemetry=self.telemetry,
            ),
            ControlListener(
                exchange=exchange,
                process=process,
                states=provider.states(),
                forced=provider.follow_forced(),
                telemetry=self.telemetry,
            ),
        ]

    def readiness(self, parts: Parts) -> Callable[[], Awaitable[Readiness]]:
        """What `/readyz` answers."""
        return ReadinessCheck(
            either=self.role.name == "api",
            parts=parts,
            relay=self.relay,
            tasks=self.container.kernel.tasks(),
            away_max=self.container.settings().relay.away_max.total_seconds(),
            consumers=lambda: self._events,
            clock=self._skew.state,
            providers=self.container.provider.states().paused,
            places=parts.partitions.fault,
            keys=self.container.privacy.state(),
            draining=lambda: self.draining,
        )

    def _server(self, parts: Parts, pages: Sequence[Any]) -> HttpActor | None:  # Litestar's handlers
        """The API; in other roles health and metrics, when a port is set for them."""
        http = self.container.settings().http
        port, key = (http.port, "http.port") if self.role.http else (http.metrics_port, "http.metrics_port")
        if not self.role.http and not port:
            return None
        app: Any = (  # an ASGI application
            create_app(http_services(self.container, readiness=self.readiness(parts)), pages=pages)
            if self.role.http
            else HealthApp(self.readiness(parts), self.telemetry.metrics.registry)
        )
        return HttpActor(
            app=app,
            socket=listen(http.host, port, key),
            telemetry=self.telemetry,
            fresh=self.container.kernel.ids().next,
            limits=ConnectionLimits(connections=http.connections),
        )
