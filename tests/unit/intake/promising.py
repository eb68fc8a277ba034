"""Submitting, deferring and draining over memory: the database can be away, and lose answers."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from adapters.addresses import LocalAddresses
from adapters.crypto.vault import LocalVault
from adapters.system import SystemClock, SystemIds
from application.broker.ports import Outgoing, Published
from application.intake.commit import CommitIntake, IntakeOutcome
from application.intake.outage import StoreOutage
from application.intake.publish import PublishToIntake
from application.intake.submit_with_intake import SubmitWithIntake
from application.notification.choose_routes import ChooseRoutes
from application.notification.group_commit import GroupCommit
from application.notification.packing import Pack
from application.notification.ports import Committed, NewNotification
from application.notification.prepare import Prepare
from application.notification.seal import Seal
from application.outbox.ports import OutboxMessage
from application.template.cached import CachedTemplates
from domain.kernel.channel import CHANNELS
from domain.kernel.errors import StoreUnavailable
from domain.notification.request import Content, Recipient, Request
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.intake_ids import MemoryIntakeIds
from tests.support.memory.rows import MemoryRows
from tests.support.memory.templates import MemoryTemplates

IDS = SystemIds()
VAULT = LocalVault.from_master(b"m" * 32)
AWAY = StoreUnavailable("away")


class Hand:
    """Implements `Clock`; monotonic time passes when told."""

    seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self.seconds


class Desk:
    """One process's entrance and drain.

    `before` and `after` may raise what a commit ends in, before or after it was written; `published` holds
    what the broker took, unless `publish_fault` says otherwise; `hold` makes commits wait.
    """

    def __init__(self) -> None:
        self.clock = Hand()
        self.rows = MemoryRows(SystemClock())
        self.templates = MemoryTemplates(rows=self.rows)
        self.inner = MemoryAcceptance(rows=self.rows, process=uuid4())
        self.asked = 0
        self.before: Exception | None = None
        self.after: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.published: list[Outgoing] = []
        self.publish: Callable[[Sequence[Outgoing]], Published] = self.take
        prepare = Prepare(
            choose=ChooseRoutes(
                templates=CachedTemplates(templates=self.templates, clock=self.clock, fresh=timedelta()),
                channels=frozenset(CHANNELS),
            ),
            addresses=LocalAddresses(),
            vault=VAULT,
            ids=IDS,
        )
        commit = GroupCommit(
            acceptance=self,
            seal=Seal(vault=VAULT),
            pack=Pack(ids=IDS, handoff=self, backlog=100),
            handoff=self,
        )
        publisher = type("Publisher", (), {"publish": self._publish})()
        self.submit = SubmitWithIntake(
            prepare=prepare,
            commit=commit,
            publish_to_intake=PublishToIntake(publisher=publisher, key=VAULT),
            outage=StoreOutage(clock=self.clock),
        )
        self.commit_intake = CommitIntake(
            key=VAULT, prepare=prepare, commit=commit, intake_ids=MemoryIntakeIds(rows=self.rows)
        )

    waiting = 0

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """Nothing is relayed here."""

    async def keys(self, users):
        return await self.inner.keys(users)

    async def accept(self, notifications: Sequence[NewNotification], users, pack) -> Committed:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.before is not None:
            raise self.before
        committed = await self.inner.accept(notifications, users, pack)
        if self.after is not None:
            raise self.after
        return committed

    def take(self, messages: Sequence[Outgoing]) -> Published:
        self.published += messages
        return Published([message.id for message in messages], [])

    async def _publish(self, messages: Sequence[Outgoing]) -> Published:
        return self.publish(messages)

    async def drained(self) -> list[str]:
        """What became of all that was published."""
        ends = await self.commit_intake([message.body for message in self.published])
        return [end.became if isinstance(end, IntakeOutcome) else type(end).__name__ for end in ends]


def request(**changes: object) -> Request:
    known: dict[str, object] = {
        "type": "order_shipped",
        "channel": "email",
        "content": Content(subject="Shipped", body="canary words"),
        "recipients": (Recipient(email="canary@example.com"),),
    }
    return Request(**(known | changes))
