"""The engine's rows as its contracts see them: over memory and over PostgreSQL alike."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.processes import Presence
from application.alert.ports import Alerts
from application.attempt.ports import UnknownAttempts
from application.channel.ports import Channel
from application.dead_letter.ports import DeadLetterReader, DeadLetters
from application.delivery.ports import Clearances, Deliveries, Renewals
from application.job.ports import ChannelBacklog, JobChunks, Jobs
from application.kernel.versioned import Versioned
from application.notification.ports import Acceptance, Cancelling, NewNotification, NewUser
from application.outbox.ports import Outbox, OutboxMessage
from application.recovery.ports import Recovery
from application.user.ports import User
from config.container import Container
from config.settings import Settings
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Priority
from domain.notification.rollup import Counts, count, rollup
from tests.support.accepting import IDS, notification, pack, several, user
from tests.support.memory.rows import AttemptRow, DeadLetterRow, DeliveryRow, MemoryRows, OutboxRow
from tests.support.memory.wiring import in_memory

Moves = list[tuple[str, str | None]]


@dataclass(frozen=True, kw_only=True)
class Stand:
    """How a notification stands."""

    status: str
    counts: Counts
    cancelled: bool


class Engine(ABC):
    """The adapters of one store, and a look behind them.  `me` is the process of those without a name."""

    me: UUID

    def __init__(self) -> None:
        self.me = uuid4()
        self._containers: dict[UUID, Container] = {}

    @abstractmethod
    def made(self) -> Container:
        """A container over this store."""

    def of(self, process: UUID | None = None) -> Container:
        """The container of a process; always the same one."""
        id_ = process or self.me
        if id_ not in self._containers:
            self._containers[id_] = container = self.made()
            container.kernel.process.override(id_)
            container.kernel.ids.override(IDS)
        return self._containers[id_]

    def acceptance(self) -> Acceptance:
        return self.of().notification.acceptance()

    def deliveries(self, process: UUID | None = None) -> Deliveries:
        return self.of(process).delivery.deliveries()

    def renewals(self) -> Renewals:
        return self.of().delivery.renewals()

    def clearances(self) -> Clearances:
        return self.of().delivery.clearances()

    def outbox(self, process: UUID | None = None) -> Outbox:
        return self.of(process).outbox.rows()

    def cancelling(self) -> Cancelling:
        return self.of().notification.cancelling()

    def letters(self) -> DeadLetters:
        return self.of().dead_letter.dead_letters()

    def letter_reader(self) -> DeadLetterReader:
        return self.of().dead_letter.reader()

    def unknown(self) -> UnknownAttempts:
        return self.of().attempt.unknown()

    def jobs(self) -> Jobs:
        return self.of().job.jobs()

    def backlog(self) -> ChannelBacklog:
        return self.of().channel.backlog()

    def job_chunks(self, process: UUID | None = None) -> JobChunks:
        return self.of(process).job.chunks()

    def alerts(self) -> Alerts:
        return self.of().alert.alerts()

    def recovery(self, process: UUID) -> Recovery:
        return self.of(process).recovery.recovery()

    @abstractmethod
    def alive(self, process: UUID) -> Any:
        """A context in which this process lives."""

    @abstractmethod
    async def delivery(self, id_: UUID) -> DeliveryRow: ...
    @abstractmethod
    async def attempts(self, id_: UUID) -> list[AttemptRow]: ...
    @abstractmethod
    async def history(self, id_: UUID) -> Moves: ...
    @abstractmethod
    async def actors(self, id_: UUID) -> list[str | None]:
        """Who moved a delivery, move by move."""

    @abstractmethod
    async def stand(self, id_: UUID) -> Stand | None: ...
    @abstractmethod
    async def statuses(self, id_: UUID) -> list[DeliveryStatus]:
        """Of all deliveries of a notification."""

    @abstractmethod
    async def user(self, id_: UUID) -> User | None: ...
    @abstractmethod
    async def dead_letters(self, id_: UUID) -> list[DeadLetterRow]: ...
    @abstractmethod
    async def messages(self) -> list[OutboxRow]:
        """The outbox, oldest first."""

    @abstractmethod
    async def shift(self, id_: UUID, column: str, by: timedelta) -> None:
        """Put a delivery's `lease_until` or `not_before` this far from now."""

    @abstractmethod
    async def suppress(self, channel: str, index: bytes, reason: str) -> None: ...
    @abstractmethod
    async def configure(self, channel: Channel) -> None: ...
    @abstractmethod
    async def erase(self, id_: UUID) -> None: ...

    async def given(self, recipients: int = 1, **changes: Any) -> NewNotification:
        """An accepted notification whose messages have left the outbox."""
        users = sorted((user() for _ in range(recipients)), key=lambda p: p.id)
        return await self.given_for(*users, **changes)

    async def given_for(self, *users: NewUser, **changes: Any) -> NewNotification:
        """The same, for these people."""
        new = notification(*users, **changes)
        committed = await self.acceptance().accept([new], users, pack)
        await self.outbox().delete([message.id for message in committed.messages])
        return new

    async def given_several(self, *users: NewUser, **changes: Any) -> NewNotification:
        """An accepted notification on several channels, its messages gone."""
        new = several(*users, **changes)
        committed = await self.acceptance().accept([new], sorted(users, key=lambda p: p.id), pack)
        await self.outbox().delete([message.id for message in committed.messages])
        return new

    async def assert_counted(self, id_: UUID) -> None:
        """The counters are what counting gives, and the status follows from them."""
        stand = await self.stand(id_)
        assert stand is not None
        assert stand.counts == count(await self.statuses(id_))
        assert stand.status == rollup(stand.counts, expanded=True, cancelled=stand.cancelled)


class MemoryEngine(Engine):
    """Over shared rows."""

    def __init__(self, rows: MemoryRows) -> None:
        super().__init__()
        self.rows = rows

    def made(self) -> Container:
        return in_memory(self.rows)

    @asynccontextmanager
    async def alive(self, process: UUID) -> AsyncIterator[None]:
        self.rows.processes.add(process)
        yield
        self.rows.processes.discard(process)

    async def delivery(self, id_: UUID) -> DeliveryRow:
        return self.rows.deliveries[id_]

    async def attempts(self, id_: UUID) -> list[AttemptRow]:
        return [row for _, row in sorted(self.rows.attempts.get(id_, {}).items())]

    async def history(self, id_: UUID) -> Moves:
        return [(row.status, row.reason) for row in self.rows.history[id_]]

    async def actors(self, id_: UUID) -> list[str | None]:
        return [row.actor for row in self.rows.history[id_]]

    async def stand(self, id_: UUID) -> Stand | None:
        row = self.rows.notifications.get(id_)
        if row is None:
            return None
        return Stand(status=row.status, counts=Counts(**row.counts), cancelled=row.cancelled_at is not None)

    async def statuses(self, id_: UUID) -> list[DeliveryStatus]:
        return [row.status for row in self.rows.deliveries_of(id_)]

    async def user(self, id_: UUID) -> User | None:
        return self.rows.users.get(id_)

    async def dead_letters(self, id_: UUID) -> list[DeadLetterRow]:
        return [row for row in self.rows.dead_letters.values() if row.delivery_id == id_]

    async def messages(self) -> list[OutboxRow]:
        return list(self.rows.outbox.values())

    async def shift(self, id_: UUID, column: str, by: timedelta) -> None:
        setattr(self.rows.deliveries[id_], column, self.rows.clock.now() + by)

    async def suppress(self, channel: str, index: bytes, reason: str) -> None:
        self.rows.suppressions[channel, index] = reason

    async def configure(self, channel: Channel) -> None:
        self.rows.channels[channel.channel] = Versioned(channel, 2, self.rows.clock.now())

    async def erase(self, id_: UUID) -> None:
        row = self.rows.users[id_]
        self.rows.users[id_] = msgspec.structs.replace(row, data_key=None, profile=None)


class PostgresEngine(Engine):
    """Over a database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    def made(self) -> Container:
        container = Container(settings=Settings())
        container.kernel.database.override(self.database)
        return container

    @asynccontextmanager
    async def alive(self, process: UUID) -> AsyncIterator[None]:
        async with Presence(self.database, process, role="worker", host="here", pid=1) as presence:
            assert presence.held
            yield

    async def delivery(self, id_: UUID) -> DeliveryRow:
        [row] = await self.database.fetch("SELECT * FROM notification_deliveries WHERE id = $1", id_)
        found = _row(DeliveryRow, row)
        found.status, found.priority = DeliveryStatus(found.status), Priority(found.priority)
        return found

    async def attempts(self, id_: UUID) -> list[AttemptRow]:
        rows = await self.database.fetch(
            "SELECT * FROM delivery_attempts WHERE delivery_id = $1 ORDER BY attempt", id_
        )
        return [_row(AttemptRow, row) for row in rows]

    async def history(self, id_: UUID) -> Moves:
        rows = await self.database.fetch(
            "SELECT n, status, reason FROM delivery_status_history WHERE delivery_id = $1 ORDER BY n", id_
        )
        assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
        return [(row["status"], row["reason"]) for row in rows]

    async def actors(self, id_: UUID) -> list[str | None]:
        rows = await self.database.fetch(
            "SELECT actor FROM delivery_status_history WHERE delivery_id = $1 ORDER BY n", id_
        )
        return [row["actor"] for row in rows]

    async def stand(self, id_: UUID) -> Stand | None:
        rows = await self.database.fetch("SELECT * FROM notifications WHERE id = $1", id_)
        for row in rows:
            counts = Counts(**{name: row[name] for name in Counts.__struct_fields__})
            return Stand(status=row["status"], counts=counts, cancelled=row["cancelled_at"] is not None)
        return None

    async def statuses(self, id_: UUID) -> list[DeliveryStatus]:
        rows = await self.database.fetch(
            "SELECT status FROM notification_deliveries WHERE notification_id = $1 ORDER BY id", id_
        )
        return [DeliveryStatus(row["status"]) for row in rows]

    async def user(self, id_: UUID) -> User | None:
        rows = await self.database.fetch("SELECT * FROM users WHERE id = $1", id_)
        return User(**{name: rows[0][name] for name in User.__struct_fields__}) if rows else None

    async def dead_letters(self, id_: UUID) -> list[DeadLetterRow]:
        rows = await self.database.fetch(
            "SELECT * FROM dead_letter_queue WHERE delivery_id = $1 ORDER BY seq", id_
        )
        return [_row(DeadLetterRow, row) for row in rows]

    async def messages(self) -> list[OutboxRow]:
        rows = await self.database.fetch("SELECT * FROM outbox ORDER BY id")
        return [
            OutboxRow(
                message=OutboxMessage(
                    id=row["id"],
                    queue=row["queue"],
                    body=row["body"],
                    priority=row["priority"],
                    due=row["due"],
                    headers=msgspec.json.decode(row["headers"]),
                ),
                owner=row["owner"],
                created_at=row["created_at"],
            )
            for row in rows
        ]

    async def shift(self, id_: UUID, column: str, by: timedelta) -> None:
        await self.database.fetch(
            f"UPDATE notification_deliveries SET {column} = now() + $2 WHERE id = $1", id_, by
        )

    async def suppress(self, channel: str, index: bytes, reason: str) -> None:
        await self.database.fetch("INSERT INTO suppressions VALUES ($1, $2, $3)", channel, index, reason)

    async def configure(self, channel: Channel) -> None:
        await self.database.fetch(
            "UPDATE channel_configurations SET is_enabled = $2, is_paused = $3, providers = $4 "
            "WHERE channel = $1",
            channel.channel,
            channel.enabled,
            channel.paused,
            list(channel.providers),
        )

    async def erase(self, id_: UUID) -> None:
        await self.database.fetch(
            "UPDATE users SET data_key = NULL, profile = NULL, erased_at = now() WHERE id = $1", id_
        )


def _row(kind: Any, row: Any) -> Any:
    return kind(**{field.name: row[field.name] for field in fields(kind) if field.name in row})
