"""The whole application behind the REST API, over the in-memory adapters."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
from dependency_injector.providers import Object
from prometheus_client import CollectorRegistry, Counter

from adapters.crypto.vault import LocalVault
from adapters.memory.broker import MemoryBroker
from adapters.rabbitmq.topology import definitions
from adapters.system import SystemClock
from application.access.create_key import CreateKey
from application.intake.command import INTAKE
from application.intake.commit import CommitIntake, IntakeOutcome
from application.intake.outage import StoreOutage
from application.job.advance import AdvanceJob
from application.notification.ports import Committed, NewNotification, NewUser
from application.outbox.ports import OutboxMessage
from application.provider.ports import Gateway, Gateways
from config.settings import Accepting, Settings
from domain.kernel.channel import Mode
from entrypoints.http.app import build_app
from entrypoints.http.kit.api import Api
from entrypoints.http.services import Operations, Readiness, Seen
from entrypoints.processes.api import http_services
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.rows import MemoryRows
from tests.support.memory.wiring import in_memory

PROVIDERS = ("sandbox", "smtp")
_DEFINITIONS = definitions()
_KEPT_PEPPER = b"pepper" * 6


READY = Readiness(ready=True, parts={"database": "ok", "broker": "ok"})


class Nudges:
    """Implements `Nudge`: counts them."""

    count = 0

    def nudge(self) -> None:
        """One more."""
        self.count += 1


class TurnstileAcceptance:
    """`Acceptance` that can be held up or fail: `failure` is raised, `hold` waited for first."""

    def __init__(self, inner: MemoryAcceptance) -> None:
        self.inner = inner
        self.asked = 0
        self.hold: asyncio.Event | None = None
        self.failure: Exception | None = None

    async def keys(self, users: Sequence[UUID]) -> dict[UUID, bytes]:
        return await self.inner.keys(users)

    async def accept(
        self,
        notifications: Sequence[NewNotification],
        users: Sequence[NewUser],
        pack: Callable[[Sequence[NewNotification]], list[OutboxMessage]],
    ) -> Committed:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        return await self.inner.accept(notifications, users, pack)


@dataclass(frozen=True)
class NamedGateways:
    """Implements `Gateways`: some names are configured, others described."""

    described: Gateways

    def push_services(self, provider: str) -> frozenset[str]:
        return frozenset({"fcm"}) if provider == "smtp" else frozenset()

    def named(self, provider: str) -> Gateway | None:
        return self if provider in PROVIDERS else self.described.named(provider)  # type: ignore[return-value]


@dataclass(slots=True, kw_only=True)
class World:
    """What a test needs to reach into."""

    app: Api
    client: httpx.AsyncClient
    """Comes with a live key."""
    rows: MemoryRows
    acceptance: TurnstileAcceptance
    create_key: CreateKey
    live_key: str
    test_key: str
    broker: MemoryBroker
    """Where promises are kept while `acceptance` fails."""
    commit_intake: CommitIntake
    operations: Operations
    nudges: Nudges
    advance: AdvanceJob
    """The jobs' runner, a chunk at a time: nothing here runs by itself."""
    seen: list[Seen] = field(default_factory=list)
    ready: Readiness = READY

    def as_test(self) -> dict[str, str]:
        """Headers of a test key."""
        return {"Authorization": f"Bearer {self.test_key}"}

    async def drained(self) -> list[IntakeOutcome | Exception]:
        """What became of the promises that wait on the broker."""
        subscription = await self.broker.subscribe(INTAKE, 1000)
        messages = await subscription.take(1000)
        ends = await self.commit_intake([message.body for message in messages])
        await subscription.ack([message.tag for message in messages])
        await subscription.close()
        return ends

    async def template(self, **changes: Any) -> httpx.Response:
        """Save a template."""
        return await self.client.post("/api/templates", json={**TEMPLATE, **changes})

    async def notification(self, **changes: Any) -> UUID:
        """Ask for a notification and return its id."""
        answer = await self.client.post("/api/notifications", json={**INLINE, **changes})
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["id"])


@cache
def _app() -> Api:
    """Made once: it takes longer than most tests."""
    return build_app()


TEMPLATE: dict[str, Any] = {
    "id": "order_confirmation_email",
    "name": "Order confirmation",
    "channelType": "email",
    "subjectTemplate": "Order {{ orderId }}",
    "bodyTemplate": "Hello {{ recipient.name }}, {{ total }}",
    "variables": {
        "orderId": {"required": True},
        "total": {"required": True},
        "items": {"required": False, "default": []},
    },
}
INLINE: dict[str, Any] = {
    "notificationType": "order_shipped",
    "channelType": "email",
    "recipients": ["456"],
    "subject": "Shipped",
    "body": "It is on its way.",
}


RECENT = f"created_after={quote((datetime.now(UTC) - timedelta(hours=12)).isoformat())}"
"""What filters without an index ask for."""


async def build() -> World:
    """A fresh world."""
    nudges, entropy = Nudges(), itertools.count(1)
    clock = SystemClock()
    rows = MemoryRows(clock)
    container = in_memory(rows, Settings(accepting=Accepting(pack_from=100)))
    broker = MemoryBroker(_DEFINITIONS, clock)
    acceptance = TurnstileAcceptance(container.notification.acceptance())
    container.kernel.nudge.override(nudges)
    container.privacy.vault.override(LocalVault.from_master(b"m" * 32))
    container.access.pepper.override(_KEPT_PEPPER)
    container.access.cursor_key.override(b"c" * 32)
    container.access.entropy.override(Object(lambda: next(entropy).to_bytes(32, "big")))
    container.broker.publisher.override(broker)
    container.broker.channel_queues.override(broker)
    container.provider.gateways.override(NamedGateways(container.provider.built()))
    container.intake.outage.override(StoreOutage(clock=clock, retry_after=timedelta()))
    container.notification.acceptance.override(acceptance)
    create_key = container.access.create_key()
    live = (await create_key("live", Mode.LIVE)).secret.reveal()
    test = (await create_key("test", Mode.TEST)).secret.reveal()
    registry = CollectorRegistry()
    Counter("posthorn_things", "Things counted.", registry=registry).inc()
    world: World

    async def readiness() -> Readiness:
        return world.ready

    app = _app()
    app.services = services = replace(
        http_services(container, readiness=readiness),
        registry=registry,
        observe=lambda seen: world.seen.append(seen),
    )
    world = World(
        app=app,
        client=httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://posthorn.test",
            headers={"Authorization": f"Bearer {live}"},
        ),
        rows=rows,
        acceptance=acceptance,
        create_key=create_key,
        live_key=live,
        test_key=test,
        broker=broker,
        commit_intake=container.intake.commit_intake(),
        operations=services.operations,
        nudges=nudges,
        advance=replace(container.job.advance(), size=2),
    )
    return world


def errors_of(answer: httpx.Response, status: int = 422) -> dict[str, str]:
    """Code by place, once the answer has been held to RFC 9457."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert problem["trace_id"] == answer.headers["x-request-id"]
    return {
        error.get("pointer", error.get("parameter", error.get("header"))): error["code"]
        for error in problem.get("errors", [])
    }
