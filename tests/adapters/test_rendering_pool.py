"""Rendering that is too much for the event loop is done elsewhere, and killed when it does not end."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from adapters.rendering.bounded import BoundedRenderer, ChildTime
from adapters.rendering.compiler import COMPILE_WORK_MAX, compile_work
from adapters.rendering.frames import Check, Render
from adapters.rendering.pool import RenderingPool
from config.catalog import load_catalog
from domain.kernel.errors import Invalid, Overloaded, RenderingTimedOut
from domain.template.template import Rendered, Template, Variable
from tests.support.eventually import eventually

LINES = "{% for line in lines %}{{ line.name|upper }} {{ line.price|money }}\n{% endfor %}"
HEAVY = {"lines": [{"name": "tea", "price": 4514.275}] * 4_000}
PRICED = "TEA €4,514.28\n" * 4_000
HUNG = """
from adapters.rendering import filters
filters.FILTERS["lower"] = lambda value: any(iter(int, 1))
from adapters.rendering import child
child.CPU_MAX = {seconds}
child.main()
"""
"""A child with a filter that never ends: a hole in the counting of work."""

Reports = list[tuple[str, dict[str, Any]]]


def template(body: str, id_: str = "t", **parts: str) -> Template:
    declared = {name: Variable() for name in ("lines", "a", "b")}
    return Template(id=id_, version=1, name="T", channel="email", variables=declared, body=body, **parts)


def hung(*, seconds: float) -> dict[str, Any]:
    """The options of a pool of such children; each has so many seconds of the processor."""
    return {"command": (sys.executable, "-c", HUNG.format(seconds=seconds))}


def children() -> list[psutil.Process]:
    """Those that render: the servers of other tests may be children of this process, too."""
    return [
        each
        for each in psutil.Process().children()
        if each.status() != psutil.STATUS_ZOMBIE and "adapters.rendering" in " ".join(each.cmdline())
    ]


def pipes(pid: int, *only: int) -> set[str]:
    """What a process has open beyond its standard streams."""
    files = Path(f"/proc/{pid}/fd").iterdir()
    return {
        str(file.readlink()) for file in files if int(file.name) in only or (not only and int(file.name) > 2)
    }


@pytest.fixture
def reports() -> Reports:
    return []


@pytest.fixture
def options() -> dict[str, Any]:
    """What the pool is made with; tests that need other than the defaults give it as a parameter."""
    return {}


@pytest.fixture
async def asked(reports: Reports, options: dict[str, Any]) -> AsyncIterator[RenderingPool]:
    opened = RenderingPool(lambda event, **fields: reports.append((event, fields)), **options)
    yield opened
    await opened.close()
    assert children() == []


def patient(pool: RenderingPool) -> BoundedRenderer:
    """A renderer that waits long: the machine may have other work."""
    return BoundedRenderer(pool, rendering=ChildTime(30, 30), editing=ChildTime(30, 30))


async def while_the_loop_turns(work: Awaitable[Any]) -> tuple[Any, float]:
    """What comes of it, and the longest that the loop's thread was busy meanwhile without a pause."""
    task, busiest = asyncio.ensure_future(work), 0.0
    while not task.done():
        began = time.thread_time()
        await asyncio.sleep(0)
        busiest = max(busiest, time.thread_time() - began)
    return task.result(), busiest


async def test_what_is_cheap_needs_no_process(asked: RenderingPool) -> None:
    renderer = patient(asked)
    for shipped in load_catalog().templates:
        assert compile_work(shipped) <= COMPILE_WORK_MAX
        assert await renderer.check(shipped) == []
    few = HEAVY | {"lines": HEAVY["lines"][:50]}
    assert (await renderer.render(template(LINES), few)).body == PRICED[: 50 * len("TEA €4,514.28\n")]
    assert children() == []


async def test_what_is_dear_is_rendered_elsewhere_and_the_loop_turns(asked: RenderingPool) -> None:
    renderer = patient(asked)
    made, busiest = await while_the_loop_turns(renderer.render(template(LINES), HEAVY))
    assert made.body == PRICED
    assert len(children()) == 1
    assert busiest < 0.1  # 5 ms are its own; rendered in place it would be more


async def test_a_large_template_is_compiled_elsewhere_and_runs_in_place(asked: RenderingPool) -> None:
    renderer = patient(asked)
    large = template("{{ a|default(b)|upper if a == b else b|title }}\n" * 300, subject="{{ a }}")
    faults, busiest = await while_the_loop_turns(renderer.check(large))
    assert faults == []
    assert busiest < 0.1  # 0.2 s and more in place
    made = await asyncio.gather(*(renderer.render(large, {"a": n, "b": "b"}) for n in range(20)))
    assert [each.subject for each in made] == [str(n) for n in range(20)]
    for child in children():
        child.kill()
    assert (await renderer.render(large, {"a": 1, "b": "b"})).subject == "1"


async def test_faults_are_the_same_from_elsewhere(asked: RenderingPool) -> None:
    renderer = patient(asked)
    large = template("{{ nobody }}" * 300)
    assert {fault.code for fault in await renderer.check(large)} == {"undeclared_variable"}
    with pytest.raises(Invalid, match="'nobody' is not declared"):
        await renderer.render(large, {})
    gap = HEAVY | {"lines": [*HEAVY["lines"], {"name": "tea"}]}
    with pytest.raises(Invalid) as caught:
        await renderer.render(template(LINES), gap)
    assert caught.value.faults[0].pointer == "/data/lines/4000/price"


@pytest.mark.parametrize("source", ["{% for i in lines %}" * 4 + "{% endfor %}" * 4, "{{ a|upper }}" * 9])
async def test_what_is_too_much_for_a_child_is_refused_for_good(asked: RenderingPool, source: str) -> None:
    renderer = patient(asked)
    with pytest.raises(Invalid, match="too much work"):
        await renderer.render(template(source), {"lines": [1] * 4_000, "a": "a" * 60_000, "b": 1})


async def test_numbers_keep_their_digits_on_the_way(asked: RenderingPool) -> None:
    prices = [Decimal("1234567890123456.785"), 4514.275, 7]
    data = {"lines": [{"name": "tea", "price": price} for price in prices * 2_000]}
    made = await patient(asked).render(template(LINES), data)
    assert made.body is not None
    assert made.body.startswith("TEA €1,234,567,890,123,456.79\nTEA €4,514.28\nTEA €7.00\n")


async def test_parts_keep_their_numbers_on_the_way(asked: RenderingPool) -> None:
    parts: Any = {"document": {"total": Decimal("1234567890123456.785"), "who": "{{ a }}", "n": 7}}
    heavy = Template(
        id="t",
        version=1,
        name="T",
        channel="webhook",
        body=LINES,
        parts=parts,
        variables={name: Variable() for name in ("lines", "a", "b")},
    )
    made = await patient(asked).render(heavy, HEAVY | {"a": "Ada", "b": 1})
    assert made.body is not None
    assert made.parts == {"document": {"total": Decimal("1234567890123456.785"), "who": "Ada", "n": 7}}


async def test_one_budget_for_all_of_a_dry_run(asked: RenderingPool) -> None:
    """Each alone would do: 20 of them together would take 20 times as long."""
    renderer, data = patient(asked), HEAVY | {"a": 1}
    made = await renderer.render_each(template(LINES), data, [{"b": n} for n in range(20)])
    first, last = made[0], made[-1]
    assert isinstance(first, Rendered)
    assert isinstance(last, Invalid)
    assert "too much work" in str(last)


async def test_a_dry_run_of_cheap_ones_stays_in_place(asked: RenderingPool) -> None:
    renderer = patient(asked)
    made = await renderer.render_each(template("{{ a }}{{ b }}"), {"a": 1}, [{"b": n} for n in range(20)])
    assert [each.body for each in made if isinstance(each, Rendered)] == [f"1{n}" for n in range(20)]
    assert children() == []


@pytest.mark.parametrize(
    ("options", "deadline", "event"),
    [(hung(seconds=60), 0.5, "rendering.stopped"), (hung(seconds=0.2), 60, "rendering.died")],
)
async def test_what_does_not_end_is_killed(
    asked: RenderingPool, reports: Reports, deadline: float, event: str
) -> None:
    """By its parent's clock, and by the kernel when the parent does not look."""
    endless = Render(template("{{ a|lower }}", "hung"), {"a": "A"}, [{}])
    with pytest.raises(RenderingTimedOut):
        await asked.ask(endless, patience=30, deadline=deadline)
    assert [each for each, _ in reports] == [event]
    assert reports[0][1]["template"] == "hung"
    await eventually(lambda: not children())
    fine = Render(template("{{ a|upper }}"), {"a": "a"}, [{}])
    assert await asked.ask(fine, patience=30, deadline=30)


async def test_a_child_that_dies_at_work_is_told_and_replaced(asked: RenderingPool, reports: Reports) -> None:
    renderer = patient(asked)
    assert await renderer.render(template(LINES), HEAVY)
    (child,) = children()
    os.kill(child.pid, signal.SIGSTOP)
    rendering = asyncio.ensure_future(renderer.render(template(LINES), HEAVY))
    await asyncio.sleep(0)
    await eventually(lambda: not asked._idle)
    os.kill(child.pid, signal.SIGKILL)  # as the kernel does when memory is short
    with pytest.raises(RenderingTimedOut):
        await rendering
    assert reports == [("rendering.died", {"template": "t"})]
    assert (await renderer.render(template(LINES), HEAVY)).body == PRICED


async def test_a_child_that_dies_at_rest_costs_nobody_anything(asked: RenderingPool) -> None:
    renderer = patient(asked)
    assert await renderer.render(template(LINES), HEAVY)
    (child,) = children()
    child.kill()
    await eventually(lambda: not any(each.alive for each in asked._children))
    assert (await renderer.render(template(LINES), HEAVY)).body == PRICED


@pytest.mark.parametrize("options", [{"waiting_max": 2}])
async def test_who_waits_too_long_or_comes_when_too_many_wait_is_told(asked: RenderingPool) -> None:
    message = Check(template("x"))
    await asked.ask(message, patience=30, deadline=30)
    asked._children_max = 1
    os.kill(children()[0].pid, signal.SIGSTOP)
    stuck = asyncio.ensure_future(asked.ask(message, patience=30, deadline=30))
    await eventually(lambda: not asked._idle)
    with pytest.raises(Overloaded):
        await asked.ask(message, patience=0.05, deadline=30)
    waiting = asyncio.ensure_future(asked.ask(message, patience=30, deadline=30))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await asked.ask(message, patience=30, deadline=30)
    another = asyncio.ensure_future(asked.ask(Check(template("x", "another")), patience=30, deadline=30))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await asked.ask(Check(template("x", "a third")), patience=30, deadline=30)
    os.kill(children()[0].pid, signal.SIGCONT)
    assert await stuck == await waiting == await another


async def test_the_crowd_of_one_template_does_not_stand_in_anothers_way(asked: RenderingPool) -> None:
    asked._children_max = 1
    await asked.ask(Check(template("x")), patience=30, deadline=30)
    os.kill(children()[0].pid, signal.SIGSTOP)
    order: list[str] = []

    async def ask(name: str) -> None:
        await asked.ask(Check(template("x", name)), patience=30, deadline=30)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for name in ("crowd",) * 10 + ("alone",):
            group.create_task(ask(name))
            await asyncio.sleep(0)
        os.kill(children()[0].pid, signal.SIGCONT)
    assert order.index("alone") <= 2


async def test_a_caller_that_goes_away_leaves_nothing_behind(asked: RenderingPool) -> None:
    message = Check(template("x"))
    await asked.ask(message, patience=30, deadline=30)
    asked._children_max = 1
    os.kill(children()[0].pid, signal.SIGSTOP)
    tasks = [asyncio.ensure_future(asked.ask(message, patience=30, deadline=30)) for _ in range(3)]
    await eventually(lambda: not asked._idle)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert await asked.ask(message, patience=30, deadline=30)
    assert len(asked._idle) == len(asked._children) == 1


async def test_a_child_knows_no_secrets_and_holds_no_connection(
    asked: RenderingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTHORN_VAULT__SECRET", "s3cret")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        await asked.ask(Check(template("x")), patience=30, deadline=30)
        (child,) = children()
        assert "POSTHORN_VAULT__SECRET" not in child.environ()
        assert not pipes(child.pid) & pipes(os.getpid(), write)
        for number in (signal.SIGTERM, signal.SIGINT):  # of the whole group, as Ctrl-C is: its parent drains
            child.send_signal(number)
        assert await asked.ask(Check(template("x")), patience=30, deadline=30)
    finally:
        os.close(read)
        os.close(write)


async def test_children_end_with_their_parent(tmp_path: Any) -> None:
    script = """
import asyncio, os, signal
from adapters.rendering.frames import Check
from adapters.rendering.pool import RenderingPool
from domain.template.template import Template
async def main():
    pool = RenderingPool(print)
    t = Template(id="t", version=1, name="T", channel="email", body="x")
    await pool.ask(Check(t), patience=30, deadline=30)
    print(*(child.process.pid for child in pool._children), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await parent.communicate()
    pids = [int(each) for each in said.split()]
    assert pids
    await eventually(lambda: not any(map(psutil.pid_exists, pids)))


@pytest.mark.parametrize("options", [{"command": ("/nowhere/python",)}])
async def test_a_pool_that_cannot_start_says_so(asked: RenderingPool, reports: Reports) -> None:
    with pytest.raises(Overloaded):
        await asked.ask(Check(template("x")), patience=0.5, deadline=1)
    assert reports[0][0] == "rendering.cannot_start"


async def test_styles_are_put_inline_by_a_child(asked: RenderingPool) -> None:
    renderer = patient(asked)
    html = "<style>p{margin:0}</style>"
    published = await renderer.publish(template("x", html_body=f"{html}<p>{{{{ a }}}}</p>"))
    assert published.html_body == '<p style="margin: 0;">{{ a }}</p>'
    with pytest.raises(Invalid, match="every end tag"):
        await renderer.publish(template("x", html_body=f"{html}<p>"))
    plain = template("x", html_body="<p>")
    assert await renderer.publish(plain) is plain
