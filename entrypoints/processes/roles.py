"""Which actors a role runs: the engine of the container, put together."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from application.intake.command import INTAKE
from application.intake.publish import MESSAGE_MAX
from config.container import Container
from config.parts import Parts
from entrypoints.amqp.cloudevents import SIZE_MAX
from entrypoints.amqp.intake import IntakeBatches
from entrypoints.amqp.parking import CRITICAL, ORDINARY
from entrypoints.amqp.shop_events import EventBatches
from entrypoints.engine.actor import Actor
from entrypoints.engine.clock_skew import ClockSkewWatch
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from entrypoints.engine.jobs import JobsActor
from entrypoints.engine.recovery import RecoveryActor
from entrypoints.engine.relay.actor import RelayActor
from entrypoints.http.app import create_app
from entrypoints.http.kit.connections import ConnectionLimits
from entrypoints.http.kit.services import Readiness
from entrypoints.processes.api import http_services
from entrypoints.processes.health import HealthApp
from entrypoints.processes.http_server import HttpActor, listen
from entrypoints.processes.lanes import lane_actors, returned
from entrypoints.processes.readiness import ReadinessCheck
from entrypoints.processes.recurring import recurring_work


@dataclass(frozen=True, slots=True)
class Role:
    """What a process does; every one relays its own outbox rows."""

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


class Assembly:
    """The actors of one process."""

    def __init__(self, container: Container, role: Role) -> None:
        self.container = container
        self.role = role
        self.draining = False
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
        self._skew = ClockSkewWatch(skew=lambda: container.kernel.clock().skew, telemetry=self.telemetry)
        self.http: HttpActor | None = None
        self._consumers: list[BatchConsumer] = []

    def groups(self, parts: Parts, handle: Any = None, pages: Sequence[Any] = ()) -> list[list[Actor]]:
        """In the order of stopping: those that take work before those that carry it away.

        Args:
            handle: in place of `HandleEvents`.
            pages: further routes of the API.
        """
        entrances: list[Actor] = []
        if parts.presence is not None:
            parts.presence.depends_on(lambda: self.relay.able)
        self.http = self._server(parts, pages)
        if self.http is not None:
            entrances.append(self.http)
        if self.role.http:
            entrances.append(self.jobs)
        self._consumers = self.consumers(parts, handle) if self.role.events else []
        alerts, lanes = self.role.http or self.role.lanes, self.role.lanes
        recurring = recurring_work(self.container, parts, self._skew, alerts=alerts, lanes=lanes)
        return [
            [*entrances, *self._consumers, *self._intake(parts)],
            self._lanes(parts) if self.role.lanes else [],
            [self.relay, *recurring, *self._recovery(parts)],
        ]

    def _lanes(self, parts: Parts) -> list[Actor]:
        return [*lane_actors(self.container, self.relay), returned(self.container, parts.reach_store)]

    def consumers(self, parts: Parts, handle: Any = None) -> list[BatchConsumer]:
        """The entrances of shop events."""
        c = self.container
        batches = EventBatches(
            handle=handle or c.event.handle(),
            publisher=c.broker.publisher(),
            ids=c.kernel.ids(),
            telemetry=self.telemetry,
        )
        return [
            BatchConsumer(
                name=queue,
                consumer=c.broker.consumer(),
                batches=batches,
                clock=c.kernel.clock(),
                probe=parts.reach_store,
                largest=SIZE_MAX,
            )
            for queue in (CRITICAL, ORDINARY)
        ]

    def _intake(self, parts: Parts) -> list[BatchConsumer]:
        """Drains what was promised while the database was away; embedded mode promises nothing."""
        if not (self.role.http and parts.links):
            return []
        c = self.container
        batches = IntakeBatches(
            commit_intake=c.intake.commit_intake(),
            publisher=c.broker.publisher(),
            ids=c.kernel.ids(),
            telemetry=self.telemetry,
        )
        return [
            BatchConsumer(
                name=INTAKE,
                consumer=c.broker.consumer(),
                batches=batches,
                clock=c.kernel.clock(),
                probe=parts.reach_store,
                does=INTAKE,
                batches_max=2,
                largest=MESSAGE_MAX,
            )
        ]

    def readiness(self, parts: Parts) -> Callable[[], Awaitable[Readiness]]:
        """What this process can do now."""
        return ReadinessCheck(
            either=self.role.name == "api",
            parts=parts,
            relay=self.relay,
            tasks=self.container.kernel.tasks(),
            away_max=self.container.settings().relay.away_max.total_seconds(),
            consumers=lambda: self._consumers,
            clock=self._skew.state,
            providers=self.container.provider.states().paused,
            places=parts.partitions.fault,
            keys=self.container.privacy.state(),
            draining=lambda: self.draining,
        )

    def _server(self, parts: Parts, pages: Sequence[Any]) -> HttpActor | None:
        http = self.container.settings().http
        port, key = (http.port, "http.port") if self.role.http else (http.metrics_port, "http.metrics_port")
        if not self.role.http and not port:
            return None
        app: Any = (
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

    def _recovery(self, parts: Parts) -> list[Actor]:
        """Embedded mode issues everything again at each start by itself."""
        if not parts.links:
            return []
        recover, link = self.container.recovery.recover_broker(), parts.links[-1]
        return [RecoveryActor(recover=recover, session=lambda: link.session, telemetry=self.telemetry)]
