"""The actor that looks whether the broker has its data: once a connection, until it knows."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from application.recovery.recover import FirstMarker, Intact, RecoveringElsewhere, Reissued, TopologyMissing
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable
from entrypoints.engine.recovery import RecoveryActor
from tests.support.eventually import eventually, steadily
from tests.support.telemetry import RecordedTelemetry


class Watch:
    """An actor whose looks are answered in turn; the last answer stays."""

    def __init__(self) -> None:
        self.telemetry = RecordedTelemetry()
        self.session: int | None = 1
        self.looks = 0
        self.answers: list[object] = [Intact()]
        self.actor = RecoveryActor(
            recover=self.look, session=lambda: self.session, telemetry=self.telemetry, every=0.01, again=0.01
        )

    async def look(self) -> object:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.looks += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
async def started() -> AsyncIterator[Callable[..., Watch]]:
    running: list[tuple[Watch, asyncio.Task[None]]] = []

    def start(*answers: object, session: int | None = 1) -> Watch:
        watch = Watch()
        watch.answers, watch.session = list(answers), session
        running.append((watch, asyncio.create_task(watch.actor.run())))
        return watch

    yield start
    for watch, task in running:
        watch.actor.stop()
        await asyncio.wait_for(task, 5)


async def test_it_looks_at_the_start_and_after_each_reconnect(started: Callable[..., Watch]) -> None:
    watch = started(Intact())
    await eventually(lambda: watch.looks == 1)
    await steadily(lambda: watch.looks == 1, seconds=0.1)
    watch.session = None
    await steadily(lambda: watch.looks == 1, seconds=0.1)
    watch.session = 2
    await eventually(lambda: watch.looks == 2)
    await steadily(lambda: watch.looks == 2, seconds=0.1)
    assert [name for name, _ in watch.telemetry.wides] == ["broker.intact"] * 2
    assert watch.telemetry.troubles == []


async def test_without_a_connection_it_waits(started: Callable[..., Watch]) -> None:
    watch = started(Intact(), session=None)
    await steadily(lambda: watch.looks == 0, seconds=0.1)
    watch.session = 1
    await eventually(lambda: watch.looks == 1)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (BrokerUnavailable("no answer"), {"broker.unchecked"}),
        (StoreUnavailable("away"), {"broker.unchecked"}),
        (TopologyMissing("queue x is missing"), {"broker.lacking"}),
        (RecoveringElsewhere(), set()),
    ],
)
async def test_it_looks_again_until_it_knows(
    started: Callable[..., Watch], answer: object, trouble: set[str]
) -> None:
    watch = started(answer, answer, answer, Intact())
    await eventually(lambda: watch.looks == 4)
    await steadily(lambda: watch.looks == 4, seconds=0.1)
    assert {name for name, _ in watch.telemetry.troubles} == trouble


async def test_what_is_missing_is_told_with_what_mends_it(started: Callable[..., Watch]) -> None:
    watch = started(TopologyMissing("queue x is missing"), Intact())
    [trouble] = await eventually(lambda: watch.telemetry.troubled_by("broker.lacking"))
    assert trouble == {"lacking": "queue x is missing", "mend": "posthorn topology apply"}


async def test_an_issue_is_told_to_operators_and_the_first_mark_is_not(started: Callable[..., Watch]) -> None:
    watch = started(FirstMarker())
    await eventually(lambda: watch.looks == 1)
    watch.answers, watch.session = [Reissued(pointers=7, dead_letters=2)], 2
    [trouble] = await eventually(lambda: watch.telemetry.troubled_by("broker.reissued"))
    assert trouble == {"pointers": 7, "dead_letters": 2}
    assert [name for name, _ in watch.telemetry.wides] == ["broker.marked"]


async def test_a_check_that_does_not_end_is_cancelled_when_the_process_stops() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def for_ever() -> Intact:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Intact()

    actor = RecoveryActor(recover=for_ever, session=lambda: 1, telemetry=RecordedTelemetry(), finish_max=0.05)
    running = asyncio.create_task(actor.run())
    await began.wait()
    actor.stop()
    await asyncio.wait_for(running, 1)
    assert cancelled.is_set()
