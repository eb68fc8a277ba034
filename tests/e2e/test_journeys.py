"""What can become of a message, each on its own way; those that take a while are begun together."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio

from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.publisher import RabbitPublisher
from application.broker.ports import Outgoing, Subscription
from application.outbox.pointers import Pointer, decode, encode, packed
from domain.kernel.channel import Lane, Priority
from tests.support.accepting import IDS
from tests.support.eventually import eventually, steadily
from tests.support.shop import Shop
from tests.support.topology import links

WORDS = {"subject": "Hello", "body": "World"}
SMS = Lane("sms", Priority.MEDIUM)


async def _send(stage: Shop, *recipients: Any, key: str | None = None, **changes: Any) -> UUID:
    body = {"notificationType": "journey", "channelType": "email", "recipients": recipients, **WORDS}
    return (await stage.call("POST", "/api/notifications", body | changes, key=key)).id


async def _calls(stage: Shop, notification: UUID) -> list[str]:
    """What the provider saw of a notification's only delivery."""
    [delivery] = await stage.listed(notification, "deliveries")
    return [line.outcome for line in stage.calls() if str(line.delivery) == delivery["id"]]


async def _walk(stage: Shop, notification: UUID) -> list[str]:
    return [step["status"] for step in await stage.listed(notification, "history")]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def begun(stage: Shop) -> Mapping[str, UUID]:
    """Journeys with waits on their way."""
    async with stage.events() as publish:
        order = {"orderId": "early", "userId": "late-user", "total": 1, "items": []}
        await publish("order.created", order, message_id="early")
        early = await eventually(lambda: _of_order(stage, "early"))
        begun = {
            "deferred twice": await _send(stage, {"email": "defer-2@example.com"}),
            "unanswered": await _send(stage, {"email": "silent-1@example.com"}),
            "early": early,
        }

        async def waits() -> None:
            [delivery] = await stage.listed(early, "deliveries")
            assert delivery["notBefore"], delivery

        await eventually(waits)
        user = {"userId": "late-user", "email": "late@example.com", "name": "OverdueDelivery"}
        await publish("user.created", user, message_id="late")
    return begun


async def _of_order(stage: Shop, order: str) -> UUID:
    found = (await stage.call("GET", f"/api/notifications?metadata.orderId={order}")).body["items"]
    assert found, f"no notification of order {order}"
    return UUID(found[0]["id"])


async def test_refused_is_a_dead_letter(stage: Shop, begun: Mapping[str, UUID]) -> None:
    id_ = await _send(stage, {"email": "refuse@example.com"}, priority="low")
    await stage.status(id_, "failed")
    [delivery] = await stage.listed(id_, "deliveries")
    assert (delivery["status"], delivery["failureReason"]) == ("failed", "the sandbox was told to refuse")
    assert await _calls(stage, id_) == ["refused"]
    [row] = await stage.fetch("SELECT * FROM dead_letter_queue WHERE notification_id = $1", id_)
    assert (str(row["delivery_id"]), row["attempts"], row["closed_at"]) == (delivery["id"], 1, None)
    async with _reading(stage, "deliver.email.low.dlq") as subscription:
        [dead_letter] = await subscription.take(1)
        [pointer] = decode(dead_letter.body)
    assert (pointer.delivery, pointer.seq) == (row["delivery_id"], row["seq"])


async def test_a_disabled_channel_keeps_what_it_has_and_takes_no_more(stage: Shop) -> None:
    put = await stage.call("PUT", "/api/users/reader", {"name": "R"}, headers={"If-None-Match": "*"})
    assert put.status == 201, put
    await stage.channel("in_app", isEnabled=False, whenDisabled="hold")
    id_ = await _send(stage, "reader", channelType="in_app")
    await eventually(lambda: _rests(stage))
    [delivery] = await stage.listed(id_, "deliveries")
    assert delivery["status"] == "queued"
    assert await _calls(stage, id_) == []
    await stage.channel("in_app", isEnabled=True)
    await stage.status(id_, "completed")
    [kept] = await stage.listed(id_, "deliveries")
    assert (kept["status"], kept["provider"]) == ("sent", "in_app")


async def test_a_paused_channel_waits_and_goes_on(stage: Shop) -> None:
    await stage.channel("sms", isPaused=True)
    id_ = await _send(stage, {"phone": "+4917612340001"}, channelType="sms")

    async def waits() -> bool:
        return (await stage.call("GET", f"/api/notifications/{id_}")).body["status"] == "queued"

    await eventually(lambda: _rests(stage))
    await steadily(waits, seconds=0.5)
    assert await _calls(stage, id_) == []
    await stage.channel("sms", isPaused=False)
    await stage.status(id_, "completed")
    assert await _calls(stage, id_) == ["accepted"]


async def test_cancelled_before_it_was_sent(stage: Shop) -> None:
    await stage.channel("sms", isPaused=True)
    phones = [{"phone": f"+491761234010{n}"} for n in range(3)]
    id_ = await _send(stage, *phones, channelType="sms")
    answer = await stage.call("POST", f"/api/notifications/{id_}/cancel")
    await stage.channel("sms", isPaused=False)
    stands = await stage.status(id_, "cancelled")
    assert stands["counts"]["cancelled"] == 3
    assert answer.body["alreadySent"] == 0
    assert answer.body["cancelled"] + answer.body["inFlight"] == 3
    follower = await _send(stage, {"phone": "+4917612340001"}, channelType="sms")
    await stage.status(follower, "completed")  # the lane is open again, and has passed them by
    sent = {str(line.delivery) for line in stage.calls()}
    assert not sent & {delivery["id"] for delivery in await stage.listed(id_, "deliveries")}


async def test_every_pointer_published_three_times_is_called_once(stage: Shop) -> None:
    await stage.channel("sms", isPaused=True)
    many = [{"phone": f"+4917612341{n:03d}"} for n in range(120)]
    ids = [await _send(stage, *many, channelType="sms")]
    ids += [await _send(stage, {"phone": f"+4917612342{n:03d}"}, channelType="sms") for n in range(30)]
    pointers = await eventually(lambda: _pointers(stage, ids))
    assert len(pointers) == 150
    alone = [encode([pointer]) for pointer in pointers]
    together = [encode(chunk) for chunk in packed(pointers)]
    async with links(stage.broker) as (publishing, _):
        copies = [Outgoing(id=IDS.next(), queue=SMS.queue, body=body) for body in alone + together]
        assert len((await RabbitPublisher(publishing).publish(copies)).confirmed) == len(copies)
    assert await _pointers(stage, ids) == pointers, "the copies are not stale"
    await stage.channel("sms", isPaused=False)
    for id_ in ids:
        await stage.status(id_, "completed")
    follower = await _send(stage, {"phone": "+4917612340001"}, channelType="sms")
    await stage.status(follower, "completed")  # the copies before it have been dropped
    calls = Counter(line.delivery for line in stage.calls())
    assert {calls[pointer.delivery] for pointer in pointers} == {1}


async def _pointers(stage: Shop, notifications: Sequence[UUID]) -> list[Pointer]:
    """To all their deliveries, once those have come to rest in their lane."""
    rows = await stage.fetch(
        "SELECT id, seq, status FROM notification_deliveries WHERE notification_id = ANY($1) ORDER BY id",
        notifications,
    )
    assert {row["status"] for row in rows} == {"queued"}
    assert not await stage.value("SELECT count(*) FROM outbox")
    return [Pointer(row["id"], row["seq"]) for row in rows]


async def test_a_guest_who_orders(stage: Shop) -> None:
    async with stage.events() as publish:
        order = {"orderId": "guest", "email": "guest@example.com", "total": 1, "items": []}
        await publish("order.created", order, message_id="guest")
    id_ = await eventually(lambda: _of_order(stage, "guest"))
    await stage.status(id_, "completed")
    [delivery] = await stage.listed(id_, "deliveries")
    assert (delivery["recipientId"], delivery["recipientEmail"]) == (None, "g•••@example.com")


async def test_an_unreadable_event_is_parked_with_its_reason(stage: Shop) -> None:
    async with stage.events() as publish:
        await publish("order.created", b'{"orderId": ', message_id="broken")
    async with _reading(stage, "events.parked") as subscription:
        [parked] = await subscription.take(1)
    assert parked.body == b'{"orderId": '
    assert "JSON" in str(parked.headers["x-posthorn-reason"])
    assert parked.headers["x-posthorn-message-id"] == "broken"


async def test_unanswered_is_sent_again_visibly(stage: Shop, begun: Mapping[str, UUID]) -> None:
    id_ = begun["unanswered"]
    await stage.status(id_, "completed")
    assert await _calls(stage, id_) == ["unknown", "accepted"]
    [delivery] = await stage.listed(id_, "deliveries")
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["unknown", "accepted"]
    assert await _walk(stage, id_) == ["queued", "sending", "unknown", "queued", "sending", "sent"]


async def test_deferred_twice_then_accepted(stage: Shop, begun: Mapping[str, UUID]) -> None:
    id_ = begun["deferred twice"]
    await stage.status(id_, "completed")
    assert await _calls(stage, id_) == ["deferred", "deferred", "accepted"]
    [delivery] = await stage.listed(id_, "deliveries")
    assert delivery["retryCount"] == 2
    first, second, third = (datetime.fromisoformat(a["begunAt"]) for a in delivery["attempts"])
    assert second - first >= timedelta(seconds=1)
    assert third - second >= timedelta(seconds=1)
    assert await _walk(stage, id_) == ["queued", "sending", "queued", "sending", "queued", "sending", "sent"]


async def test_an_order_waits_for_its_customers_address(stage: Shop, begun: Mapping[str, UUID]) -> None:
    await stage.status(begun["early"], "completed")
    [delivery] = await stage.listed(begun["early"], "deliveries")
    assert (delivery["recipientId"], delivery["recipientEmail"]) == ("late-user", "l•••@example.com")
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["accepted"]


async def test_in_the_end_everything_adds_up(stage: Shop, begun: Mapping[str, UUID]) -> None:
    await stage.at_rest(len(begun))
    assert await stage.violations(begun.values()) == []


@asynccontextmanager
async def _reading(stage: Shop, queue: str) -> AsyncIterator[Subscription]:
    """What is taken and not acked goes back."""
    async with links(stage.broker) as (_, consuming):
        subscription = await RabbitConsumer(consuming).subscribe(queue, 1000)
        yield subscription
        await subscription.close()


def _rests(stage: Shop) -> bool:
    return any(line["event"] == "lane.pauses" for child in stage.children for line in child.log_lines())
