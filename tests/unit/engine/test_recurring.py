"""What recurs is done again and again, and never holds up the end of a process."""

import asyncio

import pytest

from domain.kernel.errors import StoreUnavailable
from entrypoints.engine.recurring import Recurring
from tests.support.eventually import eventually, steadily
from tests.support.telemetry import RecordedTelemetry


class Work:
    """Something to be done; it takes until `go`."""

    def __init__(self) -> None:
        self.begun = self.finished = 0
        self.cancelled = False
        self.away = 0
        self.go = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self.finished += 1


async def started(work: Work, **options: float) -> tuple[Recurring, "asyncio.Task[None]", RecordedTelemetry]:
    telemetry = RecordedTelemetry()
    recurring = Recurring(name="figures", work=work, every=0.001, telemetry=telemetry, **options)
    running = asyncio.create_task(recurring.run())
    await eventually(lambda: work.begun)
    return recurring, running, telemetry


async def test_it_is_done_again_and_again_and_after_a_part_was_away() -> None:
    work = Work()
    work.away = 2
    work.go.set()
    recurring, running, telemetry = await started(work)
    await eventually(lambda: work.finished > 3)
    recurring.stop()
    await asyncio.wait_for(running, 1)
    assert [name for name, _ in telemetry.troubles] == ["recurring.waits"] * 2


async def test_work_under_way_may_still_finish_when_the_process_stops() -> None:
    work = Work()
    recurring, running, _ = await started(work)
    recurring.stop()
    await steadily(lambda: not running.done(), seconds=0.02)
    work.go.set()
    await asyncio.wait_for(running, 1)
    assert (work.begun, work.finished, work.cancelled) == (1, 1, False)


async def test_work_that_does_not_end_is_cancelled_when_the_process_stops() -> None:
    work = Work()
    recurring, running, _ = await started(work, finish_max=0.05)
    recurring.stop()
    await asyncio.wait_for(running, 1)
    assert work.cancelled


async def test_an_unforeseen_error_is_the_supervisors() -> None:
    async def broken() -> None:
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        await Recurring(name="figures", work=broken, every=1, telemetry=RecordedTelemetry()).run()
