"""The contracts of dead letters over both adapters."""

import asyncio

import pytest

from adapters.postgres.core.database import Database
from tests.contract.dead_letters import (
    AbandonContract,
    BuryContract,
    LetterReaderContract,
    ReplayContract,
    failed,
    letter,
)
from tests.contract.engine import Engine, MemoryEngine, PostgresEngine
from tests.support.memory.rows import MemoryRows


class _Letters(BuryContract, ReplayContract, AbandonContract, LetterReaderContract): ...


class TestMemoryDeadLetters(_Letters):
    @pytest.fixture
    def engine(self, rows: MemoryRows) -> Engine:
        return MemoryEngine(rows)


class TestPostgresDeadLetters(_Letters):
    @pytest.fixture
    def engine(self, store: Database) -> Engine:
        return PostgresEngine(store)

    async def test_of_those_who_close_a_letter_one_wins(self, engine: Engine, store: Database) -> None:
        await asyncio.gather(*(store.fetch("SELECT pg_sleep(0.1)") for _ in range(8)))  # all are connected
        taken = [await failed(engine) for _ in range(20)]
        letters = [letter(each) for each in taken]
        replays = [engine.letters().replay(letters[n:] + letters[:n], f"op-{n}") for n in range(5)]
        discards = [engine.letters().discard(letters[::-1], f"op-{n}", "x") for n in range(3)]
        ends = await asyncio.gather(*replays, *discards)
        replayed = [id_ for end in ends[:5] for id_ in end.deliveries]
        discarded = [id_ for end in ends[5:] for id_ in end]
        assert sorted([*replayed, *discarded]) == sorted(each.id for each in taken)
        for each in taken:
            row = await engine.delivery(each.id)
            assert (row.status == "queued") == (each.id in replayed)
            await engine.assert_counted(each.notification)
