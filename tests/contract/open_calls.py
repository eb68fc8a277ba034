"""What `OpenCalls` must do, and what `Deliveries` must leave open for it."""

import pytest

from application.attempt.ports import OpenCalls
from application.delivery.ports import Begin
from tests.contract.engine import Engine
from tests.contract.leasing import NOON, leased, lose_worker
from tests.contract.settling import S, called, settle
from tests.contract.unknown_attempts import seen

SILENT = {"outcome": "unknown", "reason": "timed out", "counts": True}


def open_calls(engine: Engine) -> OpenCalls:
    return engine.of().delivery.open_calls()


class OpenCallsContract:
    """Subclasses have a fixture `engine`."""

    async def test_a_call_without_an_answer_stays_open_until_it_is_decided(self, engine: Engine) -> None:
        taken = await called(engine)
        await settle(engine, taken, S.QUEUED, stays_open=True, **SILENT)

        [call] = (await open_calls(engine).of([taken.id]))[taken.id]

        assert (call.attempt, call.provider) == (1, "smtp")
        assert NOON < call.begun_at <= call.lost_at
        [row] = await seen(engine)
        assert (row.resolution, row.held, row.status) == (None, False, "queued")

    async def test_one_that_is_decided_is_not_open(self, engine: Engine) -> None:
        taken = await called(engine)
        await settle(engine, taken, S.QUEUED, **SILENT)

        assert await open_calls(engine).of([taken.id]) == {}

    @pytest.mark.parametrize("asks", [True, False])
    async def test_a_lost_workers_call_stays_open_when_the_provider_is_asked_first(
        self, engine: Engine, asks: bool
    ) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))
        begin = Begin(delivery=again.id, attempt=again.attempt, provider="smtp", asks=asks)
        assert await engine.deliveries().begin([begin], cleared_at=NOON)

        found = await open_calls(engine).of([again.id])

        assert [call.attempt for call in found.get(again.id, ())] == ([1] if asks else [])

    async def test_what_is_found_out_closes_those_before(self, engine: Engine) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))
        begin = Begin(delivery=again.id, attempt=again.attempt, provider="smtp", asks=True)
        await engine.deliveries().begin([begin], cleared_at=NOON)
        await settle(engine, again, S.SENT, outcome="accepted", reference="theirs", resolution="sent")

        assert await open_calls(engine).of([again.id]) == {}
        [row] = await seen(engine)
        assert (row.attempt, row.resolution, row.status) == (1, "sent", "sent")

    async def test_a_new_call_without_an_answer_is_open_when_those_before_are_decided(
        self, engine: Engine
    ) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))
        begin = Begin(delivery=again.id, attempt=again.attempt, provider="smtp", asks=True)
        await engine.deliveries().begin([begin], cleared_at=NOON)
        await settle(engine, again, S.QUEUED, resolution="resend", stays_open=True, **SILENT)

        [call] = (await open_calls(engine).of([again.id]))[again.id]

        assert call.attempt == 2
        assert sorted((row.attempt, row.resolution) for row in await seen(engine)) == [
            (1, "resend"),
            (2, None),
        ]
