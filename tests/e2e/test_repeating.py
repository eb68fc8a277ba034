"""What is said twice is done once, and what is asked for twice is done twice."""

import asyncio
from typing import Any

from tests.support.eventually import eventually
from tests.support.shop import Shop

REQUEST: dict[str, Any] = {
    "notificationType": "order_confirmation",
    "channelType": "email",
    "priority": "high",
    "templateId": "order_confirmation_email",
    "recipients": [{"email": "repeating@example.com"}],
    "data": {"orderId": "r-1", "total": 99.99, "items": []},
}


async def test_fifty_identical_requests_at_once_are_one_notification(stage: Shop) -> None:
    answers = await asyncio.gather(
        *(stage.call("POST", "/api/notifications", REQUEST, idempotency="fifty") for _ in range(50))
    )
    [id_] = {answer.id for answer in answers}
    assert {str(answer.body) for answer in answers} == {str(answers[0].body)}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    await stage.status(id_, "completed")
    [delivery] = await stage.listed(id_, "deliveries")
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["accepted"]


async def test_the_same_key_with_another_body_is_refused(stage: Shop) -> None:
    first = await stage.call("POST", "/api/notifications", REQUEST, idempotency="reused")
    other = REQUEST | {"priority": "low"}
    second = await stage.call("POST", "/api/notifications", other, idempotency="reused")
    assert second.status == 422
    assert second.headers["Content-Type"] == "application/problem+json"
    third = await stage.call("POST", "/api/notifications", REQUEST, idempotency="reused")
    assert third.id == first.id


async def test_the_same_event_five_times_is_one_notification(stage: Shop) -> None:
    body = {"orderId": "r-2", "email": "five@example.com", "total": 9.5, "items": []}
    before = _handled(stage, "events.ordinary")
    async with stage.events() as publish:
        await asyncio.gather(*(publish("order.created", body, message_id="five") for _ in range(5)))
    await eventually(lambda: _handled(stage, "events.ordinary") >= before + 5)
    [one] = await _notifications(stage, "metadata.orderId=r-2")
    await stage.status(one["id"], "completed")


async def test_a_password_reset_asked_for_twice_is_two_mails_on_the_critical_way(stage: Shop) -> None:
    body = {"email": "reset@example.com", "resetUrl": "https://shop.example/reset/1"}
    async with stage.events() as publish:
        for id_ in ("reset-1", "reset-2", "reset-2"):
            await publish("user.password_reset_requested", body, message_id=id_)
    await eventually(lambda: _handled(stage, "events.critical") == 3)
    found = await _notifications(stage, "type=password_reset")
    assert [each["priority"] for each in found] == ["critical", "critical"]
    for each in found:
        await stage.status(each["id"], "completed")
    way = {"lane": "deliver.email.critical"}
    # At least: a call that took too long is made again.
    await eventually(lambda: _sum(stage, "deliveries.worked", "called", **way) >= 2)


async def _notifications(stage: Shop, query: str) -> Any:
    return (await stage.call("GET", f"/api/notifications?{query}")).body["items"]


def _handled(stage: Shop, queue: str) -> int:
    """Events that were taken from a queue and are done with."""
    return _sum(stage, "events.handled", "taken", queue=queue)


def _sum(stage: Shop, event: str, field: str, **which: str) -> int:
    lines = [line for child in stage.children for line in child.log_lines() if line["event"] == event]
    return sum(line[field] for line in lines if which.items() <= line.items())
