"""Large bodies share a bounded memory; small ones are always read."""

import asyncio
from typing import Any

import pytest

from tests.api.world import INLINE, World
from tests.support.eventually import eventually


def body(size: int, **changes: Any) -> dict[str, Any]:
    return {**INLINE, "body": "x" * size, **changes}


@pytest.mark.parametrize("large", [body(150_000), body(1, metadata={"n": [1] * 3_000})], ids=["long", "many"])
async def test_large_bodies_wait_outside_and_small_ones_do_not(world: World, large: dict[str, Any]) -> None:
    memory, most = world.app.body_memory, world.app.body_memory.most
    memory.most = 350_000
    world.acceptance.hold = asyncio.Event()
    try:
        first = [asyncio.create_task(world.client.post("/api/notifications", json=large)) for _ in range(6)]
        await eventually(lambda: sum(task.done() for task in first) >= 4)
        refused = [task.result() for task in first if task.done()]
        waiting = [task for task in first if not task.done()]
        small = asyncio.create_task(world.client.post("/api/notifications", json=body(1_000)))
        await asyncio.sleep(0)
        world.acceptance.hold.set()
        answers = [(await task).status_code for task in (*waiting, small)]
    finally:
        memory.most = most
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert refused[0].json()["type"].endswith("overloaded")
    assert waiting, "nobody was let in"
    assert set(answers) == {202}
    assert memory.held == 0
    again = await world.client.post("/api/notifications", json=large)
    assert again.status_code == 202
