"""Dead letters moved back to their lanes by hand, as an operator does in the broker's management UI."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from adapters.rabbitmq.publisher import RabbitPublisher
from application.broker.ports import Outgoing
from application.outbox.pointers import Pointer, encode
from domain.kernel.channel import Lane, Priority
from tests.support.accepting import IDS
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.shop import Shop
from tests.support.topology import links

LETTERS, TOGETHER = 1000, 250
LANE = Lane("email", Priority.HIGH)


async def dead_letters(shop: Shop, count: int) -> tuple[list[UUID], int, int]:
    """Notifications to people who are refused at first and accepted later, until so many are dead letters.

    On a slow machine a call may come too late to be made, and a second attempt is accepted: that one is no
    dead letter, so the notifications, the deliveries and the dead letters are told.
    """
    accepted: list[UUID] = []
    dead = deliveries = 0
    while dead < count:
        request = {
            "notificationType": "order_confirmation",
            "channelType": "email",
            "priority": "high",
            "templateId": "order_confirmation_email",
            "recipients": [{"email": f"refuse-1+{deliveries + n}@example.com"} for n in range(TOGETHER)],
            "data": {"orderId": "x", "total": 1, "items": []},
        }
        accepted.append((await shop.call("POST", "/api/notifications", request)).id)
        deliveries += TOGETHER
        await shop.at_rest(deliveries)
        dead = int(await shop.value("SELECT count(*) FROM dead_letter_queue WHERE closed_at IS NULL"))
    await eventually(lambda: lies_dead(shop, dead), timeout=30)
    return accepted, deliveries, dead


async def lies_dead(shop: Shop, count: int) -> bool:
    assert shop.rabbitmq
    return await asyncio.to_thread(shop.rabbitmq.depth, shop.broker.name, LANE.dead) == count


async def pointers(shop: Shop, query: str, *arguments: Any) -> list[Pointer]:
    return [Pointer(row["id"], row["seq"]) for row in await shop.fetch(query, *arguments)]


async def dead_letter_again(shop: Shop, wanted: Sequence[Pointer]) -> None:
    """Put pointers into the `.dlq`, each as a message of its own."""
    async with links(shop.broker) as (publishing, _):
        letters = [Outgoing(id=IDS.next(), queue=LANE.dead, body=encode([each])) for each in wanted]
        published = await RabbitPublisher(publishing).publish(letters)
    assert len(published.confirmed) == len(wanted)


async def test_all_that_are_open_are_attempted_again_and_nothing_else(
    shop: Shop, killable_rabbitmq: RabbitServer
) -> None:
    await asyncio.gather(shop.start("api"), shop.start("worker"))
    notifications, deliveries, dead = await dead_letters(shop, LETTERS)
    letters = await pointers(
        shop, "SELECT delivery_id AS id, seq FROM dead_letter_queue ORDER BY delivery_id"
    )
    discarded = [letter.delivery for letter in letters[:20]]
    await shop.fetch(
        "UPDATE dead_letter_queue SET closed_at = now(), closed_by = 'ada', resolution = 'discarded' "
        "WHERE delivery_id = ANY($1::uuid[])",
        discarded,
    )
    early = [Pointer(letter.delivery, letter.seq - 1) for letter in letters[40:60]]
    await dead_letter_again(
        shop, [*letters[20:40], *letters[20:40], *early]
    )  # doubled twice; older than the letter
    await eventually(lambda: lies_dead(shop, dead + 60), timeout=30)

    await asyncio.to_thread(killable_rabbitmq.move, shop.broker.name, LANE.dead, LANE.queue)

    await eventually(lambda: lies_dead(shop, 0), timeout=30)
    await shop.at_rest(deliveries)
    await eventually(lambda: all_sent(shop, deliveries - len(discarded)), timeout=30)
    calls = Counter(line.delivery for line in shop.calls())
    assert {calls[each] for each in discarded} == {1}
    assert {calls[each.delivery] for each in letters[20:]} == {2}
    assert calls.total() == deliveries - dead + len(discarded) + 2 * (dead - len(discarded))
    closed = await shop.fetch("SELECT closed_by, count(*) FROM dead_letter_queue GROUP BY 1 ORDER BY 1")
    assert dict(closed) == {"ada": len(discarded), "broker-ui": dead - len(discarded)}
    moves = await shop.listed(notifications[0], "history")
    replays = {(move["status"], move["reason"], move["actor"]) for move in moves if move["actor"]}
    assert replays == {("queued", "replayed", "broker-ui")}
    assert await shop.violations(notifications) == []

    sent = await pointers(shop, "SELECT id, seq FROM notification_deliveries WHERE status = 'sent' LIMIT 50")
    await dead_letter_again(shop, [*sent, *letters[:20]])
    await asyncio.to_thread(killable_rabbitmq.move, shop.broker.name, LANE.dead, LANE.queue)
    await eventually(lambda: lies_dead(shop, 0), timeout=30)
    await shop.at_rest(deliveries)
    assert sum(calls.values()) == len(shop.calls()), "what is sent or put aside is not sent again"


async def all_sent(shop: Shop, count: int) -> bool:
    return await shop.sent() == count


async def test_a_worker_killed_while_they_come_back(shop: Shop, killable_rabbitmq: RabbitServer) -> None:
    _, worker = await asyncio.gather(shop.start("api"), shop.start("worker"))
    notifications, deliveries, dead = await dead_letters(shop, LETTERS)
    before = len(shop.calls())

    await asyncio.to_thread(killable_rabbitmq.move, shop.broker.name, LANE.dead, LANE.queue)
    await shop.called(before + dead // 4)
    await shop.kill_in_mid_call(worker)
    await shop.again(worker, "worker")

    await eventually(lambda: all_sent(shop, deliveries), timeout=60)
    await shop.at_rest(deliveries)
    assert await shop.value("SELECT count(*) FROM dead_letter_queue WHERE closed_by = 'broker-ui'") == dead
    assert await shop.violations(notifications) == []
    assert await shop.unknown_of(shop.deaths[0]), "no call was in flight at the kill: nothing was tested"
