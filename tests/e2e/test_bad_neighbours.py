"""A bad request never spoils its neighbours, however they come together in one commit."""

import asyncio
from collections import Counter
from uuid import UUID

from tests.support.eventually import eventually
from tests.support.shop import Answer, Shop

GOOD = 200
BAD = {"NUL": rb'"\u0000"', "lone surrogate": rb'"\ud800"', "overflowing number": b"1e400"}


def _bodies(name: str) -> list[bytes]:
    """Bad ones among good ones: in the first, in the middle, at the end."""
    bodies = [_body(f"{name}-{n}", b'"fine"') for n in range(GOOD)]
    for place, value in zip((0, GOOD // 2, GOOD + 2), BAD.values(), strict=True):
        bodies.insert(place, _body(f"{name}-bad-{place}", value))
    return bodies


def _body(key: str, value: bytes) -> bytes:
    return (
        b'{"notificationType":"order_confirmation","templateId":"order_confirmation_email",'
        b'"recipients":[{"email":"%b@example.com"}],"idempotencyKey":"%b",'
        b'"data":{"orderId":"1","total":1.5,"items":[],"note":%b}}'
    ) % (key.encode(), key.encode(), value)


async def test_in_a_batch(stage: Shop) -> None:
    body = b'{"notifications":[' + b",".join(_bodies("batch")) + b"]}"
    answer = await stage.call("POST", "/api/notifications/batch", body)
    results = answer.body["results"]
    assert Counter(result["status"] for result in results) == {202: GOOD, 422: 3}
    refused = [result for result in results if result["status"] == 422]
    for result in refused:
        [error] = result["problem"]["errors"]
        assert error["pointer"] == f"/notifications/{result['index']}/data/note"
    assert await _committed(stage, "batch") == GOOD


async def test_as_requests_of_their_own_at_once(stage: Shop) -> None:
    bodies = _bodies("single")
    answers = await asyncio.gather(*(stage.call("POST", "/api/notifications", body) for body in bodies))
    assert Counter(answer.status for answer in answers) == {202: GOOD, 422: 3}
    for answer in answers:
        if answer.status == 422:
            assert [error["pointer"] for error in answer.body["errors"]] == ["/data/note"]
    assert await _committed(stage, "single") == GOOD


async def _committed(stage: Shop, name: str) -> int:
    """Asking again with the same keys finds those that stand, and makes none."""

    async def again(n: int) -> Answer:
        return await stage.call("POST", "/api/notifications", _body(f"{name}-{n}", b'"fine"'))

    answers = await asyncio.gather(*(again(n) for n in range(GOOD)))
    assert len({answer.id for answer in answers}) == GOOD
    return sum(answer.headers.get("Idempotency-Replayed") == "true" for answer in answers)


async def test_what_a_test_key_sends_holds_up_nothing_that_is_live(stage: Shop) -> None:
    """A hundred and fifty calls that want a hundred seconds each, before one code that is waited for."""
    slow = {
        "notificationType": "code",
        "channelType": "email",
        "priority": "critical",
        "class": "otp",
        "recipients": [{"email": f"slow-99999+{n}@test.example"} for n in range(150)],
        "subject": "Code",
        "body": "1234",
    }
    tested = await stage.call("POST", "/api/notifications", slow, key=stage.test_key)
    live = await stage.call(
        "POST", "/api/notifications", slow | {"recipients": [{"email": "ada@shop.example"}]}
    )
    assert (tested.status, live.status) == (202, 202), (tested, live)
    await stage.status(live.id, "completed", timeout=5)
    assert await _sent(stage, tested.id) < 150, "they are still under way"
    await eventually(lambda: _all_sent(stage, tested.id), timeout=60)  # each bounded by `engine.call_max`


async def _sent(stage: Shop, notification: UUID) -> int:
    return int(await stage.value("SELECT sent FROM notifications WHERE id = $1", notification))


async def _all_sent(stage: Shop, notification: UUID) -> bool:
    return await _sent(stage, notification) == 150
