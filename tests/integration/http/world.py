"""The whole application behind the REST API, over the in-memory adapters."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
from prometheus_client import CollectorRegistry, Counter

from adapters.addresses import LocalAddresses
from adapters.crypto.vault import LocalVault
from adapters.memory.broker import MemoryBroker
from adapters.rabbitmq.topology import definitions
from adapters.rendering.bounded import BoundedRenderer
from adapters.system import SystemClock, SystemIds
from application.access.authenticate import Authenticate
from application.access.create_key import CreateKey
from application.attempt.resolve import ResolveAttempt
from application.channel.drop_backlog import DropBacklog
from application.channel.save import SaveChannel
from application.delivery.page import ListDeliveries
from application.intake.absence import Absence
from application.intake.command import INTAKE
from application.intake.defer import DeferNotifications
from application.intake.drain import Drained, DrainIntake
from application.intake.submit_or_defer import SubmitOrDefer
from application.job.advance import AdvanceJob
from application.job.cancel import CancelJob
from application.job.start import StartJob
from application.kernel.caching import CachedTemplates, OpenChannels
from application.notification.cancel import CancelNotification
from application.notification.find import FindNotification
from application.notification.group_commit import GroupCommit
from application.notification.history import ListHistory
from application.notification.packing import Pack
from application.notification.page import ListNotifications
from application.notification.ports import Committed, NewNotification, NewUser
from application.notification.prepare import Prepare
from application.notification.preview import PreviewNotification
from application.notification.seal import Seal
from application.outbox.ports import OutboxMessage
from application.provider.ports import Gateway
from application.template.activate import ActivateTemplate
from application.template.find import FindTemplate
from application.template.save import SaveTemplate
from application.trigger.save import SaveTrigger
from application.user.erase import EraseUsers
from application.user.find import FindUser
from application.user.page import ListUsers
from application.user.update import UpdateUsers
from domain.delivery.policy import DEFAULT_POLICIES
from domain.kernel.channel import CHANNELS, Mode
from entrypoints.http.app import build_app
from entrypoints.http.kit.api import Api
from entrypoints.http.kit.services import HttpServices, Operations, Readiness, Seen
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.backlog import MemoryBacklog
from tests.support.memory.cancelling import MemoryCancelling
from tests.support.memory.catalog import MemoryApiKeys, MemoryChannels, MemoryTriggers
from tests.support.memory.dead_letter_reader import MemoryDeadLetterReader
from tests.support.memory.jobs import MemoryJobChunks, MemoryJobs
from tests.support.memory.promises import MemoryPromises
from tests.support.memory.reader import MemoryReader
from tests.support.memory.rows import MemoryRows
from tests.support.memory.templates import MemoryTemplates
from tests.support.memory.unknown_attempts import MemoryUnknownAttempts
from tests.support.memory.users import MemoryUsers

PROVIDERS = ("sandbox", "smtp")
_DEFINITIONS = definitions()
_KEPT_PEPPER = b"pepper" * 6


READY = Readiness(ready=True, parts={"database": "ok", "broker": "ok"})


class NoHandoff:
    """Implements `Handoff`: nothing is relayed here."""

    waiting = 0

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """Forget them."""


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


class NamedGateways:
    """Implements `Gateways`: some names are configured."""

    def named(self, provider: str) -> Gateway | None:
        return self if provider in PROVIDERS else None  # type: ignore[return-value]


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
    drain: DrainIntake
    operations: Operations
    nudges: Nudges
    advance: AdvanceJob
    """The jobs' runner, a chunk at a time: nothing here runs by itself."""
    seen: list[Seen] = field(default_factory=list)
    ready: Readiness = READY

    def as_test(self) -> dict[str, str]:
        """Headers of a test key."""
        return {"Authorization": f"Bearer {self.test_key}"}

    async def drained(self) -> list[Drained | Exception]:
        """What became of the promises that wait on the broker."""
        subscription = await self.broker.subscribe(INTAKE, 1000)
        messages = await subscription.take(1000)
        ends = await self.drain([message.body for message in messages])
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
    clock, ids, addresses, renderer = SystemClock(), SystemIds(), LocalAddresses(), BoundedRenderer()
    rows = MemoryRows(clock)
    vault = LocalVault.from_master(b"m" * 32)
    keys, templates, triggers, channels = (
        MemoryApiKeys(rows=rows),
        MemoryTemplates(rows=rows),
        MemoryTriggers(rows=rows),
        MemoryChannels(rows=rows),
    )
    users, reader, acceptance = (
        MemoryUsers(rows=rows),
        MemoryReader(rows=rows),
        TurnstileAcceptance(MemoryAcceptance(rows=rows, process=ids.next())),
    )
    cached = CachedTemplates(templates=templates, clock=clock)
    known, promises = frozenset(CHANNELS), MemoryPromises(rows=rows)
    broker = MemoryBroker(_DEFINITIONS, clock)
    opened = OpenChannels(channels=channels, clock=clock)
    prepare = Prepare(
        templates=cached, addresses=addresses, vault=vault, ids=ids, channels=known, open=opened
    )
    handoff = NoHandoff()
    commit = GroupCommit(
        acceptance=acceptance,
        seal=Seal(vault=vault),
        pack=Pack(ids=ids, handoff=handoff, backlog=100),
        handoff=handoff,
    )
    entropy = itertools.count(1)
    create_key = CreateKey(
        keys=keys,
        clock=clock,
        ids=ids,
        entropy=lambda: next(entropy).to_bytes(32, "big"),
        pepper=_KEPT_PEPPER,
    )
    live = (await create_key("live", Mode.LIVE)).secret.reveal()
    test = (await create_key("test", Mode.TEST)).secret.reveal()
    process, nudges = ids.next(), Nudges()
    operations = _operations(rows, process, ids, handoff, nudges)
    registry = CollectorRegistry()
    Counter("posthorn_things", "Things counted.", registry=registry).inc()
    world: World

    async def readiness() -> Readiness:
        return world.ready

    services = HttpServices(
        authenticate=Authenticate(keys=keys, clock=clock, pepper=_KEPT_PEPPER),
        accept=SubmitOrDefer(
            prepare=prepare,
            commit=commit,
            defer=DeferNotifications(publisher=broker, key=vault),
            absence=Absence(clock=clock, moment=timedelta()),
        ),
        preview=PreviewNotification(
            prepare=prepare,
            users=users,
            channels=channels,
            vault=vault,
            renderer=renderer,
            policies=DEFAULT_POLICIES,
            clock=clock,
        ),
        cancel=CancelNotification(cancelling=MemoryCancelling(rows=rows), promises=promises),
        find_notification=FindNotification(reader=reader, promises=promises),
        list_notifications=ListNotifications(reader=reader, vault=vault),
        list_deliveries=ListDeliveries(reader=reader, promises=promises, vault=vault),
        list_history=ListHistory(reader=reader, promises=promises),
        save_template=SaveTemplate(templates=templates, cached=cached, renderer=renderer, channels=known),
        activate_template=ActivateTemplate(templates=templates, cached=cached),
        find_template=FindTemplate(templates=templates),
        templates=templates,
        save_trigger=SaveTrigger(triggers=triggers, templates=templates),
        triggers=triggers,
        save_channel=SaveChannel(channels=channels, gateways=NamedGateways(), open=opened),
        channels=channels,
        erase_users=EraseUsers(users=users, vault=vault, addresses=addresses),
        update_users=UpdateUsers(users=users, vault=vault, addresses=addresses, clock=clock),
        find_user=FindUser(users=users, vault=vault),
        list_users=ListUsers(users=users, vault=vault, addresses=addresses),
        operations=operations,
        clock=clock,
        ids=ids,
        readiness=readiness,
        registry=registry,
        observe=lambda seen: world.seen.append(seen),
        cursor_key=b"c" * 32,
    )
    app = _app()
    app.services = services
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
        drain=DrainIntake(key=vault, prepare=prepare, commit=commit, promises=promises),
        operations=operations,
        nudges=nudges,
        advance=AdvanceJob(
            chunks=MemoryJobChunks(rows=rows, process=process, ids=ids), handoff=handoff, size=2
        ),
    )
    return world


def _operations(
    rows: MemoryRows, process: UUID, ids: SystemIds, handoff: NoHandoff, nudges: Nudges
) -> Operations:
    unknown, jobs = MemoryUnknownAttempts(rows=rows, process=process, ids=ids), MemoryJobs(rows=rows)
    return Operations(
        letters=MemoryDeadLetterReader(rows=rows),
        unknown=unknown,
        resolve_attempt=ResolveAttempt(unknown=unknown, handoff=handoff),
        jobs=jobs,
        start_job=(start := StartJob(jobs=jobs, nudge=nudges, ids=ids)),
        cancel_job=CancelJob(jobs=jobs),
        drop_backlog=DropBacklog(
            channels=MemoryChannels(rows=rows), backlog=MemoryBacklog(rows=rows), start_job=start
        ),
    )


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
