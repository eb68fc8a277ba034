"""What an `Outbox` must do."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from application.outbox.ports import Excluded, OutboxBacklog, OutboxMessage
from domain.kernel.channel import Lane, Priority
from tests.contract.engine import Engine
from tests.support.accepting import IDS, notification, user

LATER = datetime(2030, 1, 1, 12, tzinfo=UTC)


def message(priority: Priority = Priority.MEDIUM, **changes: Any) -> OutboxMessage:
    known = {"id": IDS.next(), "queue": Lane("email", priority).queue, "body": b"{}", "priority": priority}
    return OutboxMessage(**(known | changes))


class OutboxContract:
    """Subclasses have a fixture `engine`."""

    async def write(self, engine: Engine, *messages: OutboxMessage) -> None:
        ada = user()
        await engine.acceptance().accept([notification(ada)], [ada], lambda _: list(messages))

    async def test_messages_are_read_back_as_they_were_written(self, engine: Engine) -> None:
        given = message(due=LATER, headers={"traceparent": "00-ab-cd-01"}, body=b"\x00\xff")
        await self.write(engine, given)

        assert await engine.outbox().owned(10) == [given]

    async def test_the_most_urgent_and_the_oldest_come_first(self, engine: Engine) -> None:
        low, critical, first, second = (
            message(Priority.LOW),
            message(Priority.CRITICAL),
            message(),
            message(),
        )
        await self.write(engine, second, low, first, critical)

        assert await engine.outbox().owned(10) == [critical, first, second, low]
        assert await engine.outbox().owned(2) == [critical, first]

    async def test_what_is_confirmed_is_gone(self, engine: Engine) -> None:
        one, two, three = message(), message(), message()
        await self.write(engine, one, two, three)

        await engine.outbox().delete([three.id, one.id, uuid4()])
        await engine.outbox().delete([three.id, one.id])
        await engine.outbox().delete([])

        assert await engine.outbox().owned(10) == [two]

    async def test_another_process_sees_no_row_of_mine(self, engine: Engine) -> None:
        await self.write(engine, message())

        assert await engine.outbox(uuid4()).owned(10) == []

    async def test_the_backlog_counts_everybodys(self, engine: Engine) -> None:
        other = engine.outbox(uuid4())
        assert await other.backlog() == OutboxBacklog(0, 0.0)
        await self.write(engine, message(), message())

        backlog = await other.backlog()

        assert backlog.pending == 2
        assert 0 <= backlog.oldest_age < 60

    async def test_rows_of_the_living_are_left_alone_and_those_of_the_dead_adopted(
        self, engine: Engine
    ) -> None:
        given = [message(), message(Priority.CRITICAL), message()]
        heir = engine.outbox(uuid4())
        async with engine.alive(engine.me):
            await self.write(engine, *given)
            assert await heir.adopt(10) == 0
            assert len(await engine.outbox().owned(10)) == 3

        assert await heir.adopt(2) == 2
        assert await heir.owned(10) == [given[1], given[0]]
        assert await heir.adopt(10) == 1
        assert await heir.adopt(10) == 0
        assert await heir.owned(10) == [given[1], given[0], given[2]]
        assert await engine.outbox().owned(10) == []

    async def test_rows_of_one_who_never_was_are_adopted(self, engine: Engine) -> None:
        given = message()
        await self.write(engine, given)
        me = uuid4()

        async with engine.alive(me):
            assert await engine.outbox(me).adopt(10) == 1
            assert await engine.outbox(me).owned(10) == [given]
            assert await engine.outbox(me).adopt(10) == 0

    async def test_of_many_dead_all_are_found(self, engine: Engine) -> None:
        me = uuid4()
        owners = [uuid4() for _ in range(5)]
        for owner in owners:
            engine.me = owner
            await self.write(engine, message())

        living = owners[2]
        async with engine.alive(living), engine.alive(me):
            assert await engine.outbox(me).adopt(100) == 4
        assert await self._owners(engine) == sorted([me] * 4 + [living])

    async def test_what_is_left_out_stands_in_nobodys_way(self, engine: Engine) -> None:
        lost = [message(queue="deliver.gone.critical", priority=Priority.CRITICAL) for _ in range(30)]
        one, other, waits = message(), message(), message(due=LATER)
        await self.write(engine, *lost, one, other, waits)
        passing = Excluded(
            queues=frozenset({"deliver.gone.critical"}),
            delayed=frozenset({one.queue}),
            ids=frozenset({one.id}),
        )

        assert await engine.outbox().owned(10, passing) == [other]
        assert await engine.outbox().owned(31) == [*lost, one]
        heir = engine.outbox(uuid4())
        assert await heir.adopt(10, passing) == 1
        assert await heir.owned(10) == [other]

    async def _owners(self, engine: Engine) -> list[UUID]:
        return sorted(row.owner for row in await engine.messages())
