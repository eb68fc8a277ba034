"""Long-lived tasks: however one ends it is told of, and run again until somebody has stopped it."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from application.kernel.supervision import BACKOFF_MAX, BACKOFF_MIN, Tasks, start, uncancelled
from tests.support.eventually import eventually
from tests.support.telemetry import RecordedTelemetry


async def crash() -> None:
    raise ValueError("garbage")


async def stop_iterating() -> None:
    raise StopAsyncIteration


async def stray() -> None:
    """What a library does to who waits on a connection that dies."""
    lost = asyncio.get_running_loop().create_future()
    lost.cancel()
    await lost


async def give_up() -> None:
    """Returns, though nobody has stopped it."""


@pytest.mark.parametrize(
    ("work", "end", "error"),
    [
        (crash, "crashed", ValueError),
        (stop_iterating, "crashed", StopAsyncIteration),
        (stray, "crashed", RuntimeError),
        (give_up, "returned", type(None)),
    ],
)
async def test_whatever_ends_a_task_it_runs_again(
    work: Callable[[], Awaitable[None]], end: str, error: type[object]
) -> None:
    telemetry, runs = RecordedTelemetry(), 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            await work()
        else:
            await asyncio.Event().wait()

    tasks = Tasks(telemetry.task_ended)
    task = tasks.keep("keeper", run)
    began = asyncio.get_running_loop().time()
    await eventually(lambda: "keeper" in tasks.down)
    assert tasks.down["keeper"].startswith(end)
    await eventually(lambda: runs == 4)
    assert asyncio.get_running_loop().time() - began >= 7 * BACKOFF_MIN
    assert [(name, how, type(fault)) for name, how, fault in telemetry.ends] == [("keeper", end, error)] * 3
    assert not tasks.down
    task.cancel()
    await asyncio.wait([task])
    assert telemetry.ends[3:] == [("keeper", "cancelled", None)]


async def test_pauses_grow_to_a_bound_and_are_short_again_after_a_long_run() -> None:
    loop, begun = asyncio.get_running_loop(), list[float]()

    async def run() -> None:
        begun.append(loop.time())
        if len(begun) == 12:
            async with asyncio.timeout(BACKOFF_MAX + 1):
                await asyncio.Event().wait()
        raise ValueError

    task = Tasks(RecordedTelemetry().task_ended).keep("keeper", run)
    await eventually(lambda: len(begun) == 13, timeout=1000)
    task.cancel()
    pauses = [after - before for before, after in pairwise(begun)]
    assert pauses[:4] == pytest.approx([0.5, 1, 2, 4])
    assert max(pauses[:11]) == pytest.approx(BACKOFF_MAX)
    assert pauses[11] == pytest.approx(BACKOFF_MAX + 1 + BACKOFF_MIN)


async def test_who_is_stopped_while_it_waits_to_run_again_ends_at_once() -> None:
    telemetry, stopping = RecordedTelemetry(), asyncio.Event()
    tasks = Tasks(telemetry.task_ended)
    task = tasks.keep("keeper", crash, stopping=stopping)
    await eventually(lambda: len(telemetry.ends) == 6, timeout=60)
    stopping.set()
    began = asyncio.get_running_loop().time()
    await task
    assert asyncio.get_running_loop().time() - began < BACKOFF_MIN
    assert not tasks.down


async def test_a_cancellation_that_somebody_asked_for_is_one() -> None:
    task = asyncio.create_task(uncancelled(asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_short_task_may_be_cancelled_before_it_begins() -> None:
    among: set[asyncio.Task[None]] = set()
    start("never", give_up(), among=among).cancel()  # unawaited coroutines are errors here
    await eventually(lambda: not among)


async def test_a_short_task_that_crashes_is_told_to_the_loop() -> None:
    heard: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    among: set[asyncio.Task[None]] = set()
    for name, work in (("crash", crash), ("stray", stray), ("fine", give_up)):
        start(name, work(), among=among)
    assert len(among) == 3
    await eventually(lambda: not among)
    assert [(one["name"], type(one["exception"])) for one in heard] == [
        ("crash", ValueError),
        ("stray", RuntimeError),
    ]
