"""Deliveries that come to a bad end, in the world behind the REST API."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from adapters.system import SystemIds
from application.delivery.ports import Begin, Settlement
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus
from tests.api.world import INLINE, World
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.memory.rows import DeliveryRow

IDS = SystemIds()


async def ended(
    world: World,
    status: DeliveryStatus = DeliveryStatus.FAILED,
    *,
    outcome: str = "refused",
    reason: str = "550 no such user",
    provider: str = "smtp",
    test: bool = False,
    **changes: Any,
) -> DeliveryRow:
    """The delivery of a notification, after one call."""
    headers = world.as_test() if test else None
    answer = await world.client.post("/api/notifications", json={**INLINE, **changes}, headers=headers)
    assert answer.status_code == 202, answer.text
    [row] = world.rows.deliveries_of(UUID(answer.json()["id"]))
    deliveries = MemoryDeliveries(rows=world.rows, process=IDS.next(), ids=IDS)
    [taken] = (await deliveries.lease([Pointer(row.id, row.seq)], lease=timedelta(seconds=30))).taken
    begins = [Begin(delivery=row.id, attempt=taken.attempt, provider=provider)]
    await deliveries.begin(begins, cleared_at=world.rows.clock.now())
    settlement = Settlement(
        delivery=row.id, attempt=taken.attempt, status=status, outcome=outcome, reason=reason, counts=True
    )
    await deliveries.settle([settlement])
    return row


async def held(world: World, **changes: Any) -> DeliveryRow:
    """A delivery that rests on a call without an answer."""
    return await ended(
        world, DeliveryStatus.UNKNOWN, outcome="unknown", **({"reason": "timed out"} | changes)
    )


async def listed(client: httpx.AsyncClient, path: str, **headers: str) -> list[dict[str, Any]]:
    """The items of a list."""
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def walked(client: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    while url:
        answer = await client.get(url)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        url = answer.links["next"]["url"] if "next" in answer.links else ""
    return found
