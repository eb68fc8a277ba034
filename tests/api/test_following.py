"""Reading notifications: filters, pages, deliveries, history."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from domain.delivery.delivery import DeliveryStatus
from domain.notification.rollup import NotificationStatus
from tests.api.world import RECENT, World, errors_of
from tests.support.memory.rows import AttemptRow, HistoryRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def ids(client: httpx.AsyncClient, query: str = "", **headers: str) -> list[str]:
    answer = await client.get(f"/api/notifications?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_a_list_is_newest_first(world: World) -> None:
    made = [str(await world.notification()) for _ in range(3)]
    assert await ids(world.client) == made[::-1]


async def test_each_filter_finds_its_own(world: World) -> None:
    plain = str(await world.notification())
    failed = await world.notification(
        notificationType="order_cancelled",
        createdBy="checkout",
        recipients=["lisa"],
        metadata={"orderId": "9", "count": 3, "paid": True},
    )
    world.rows.notifications[failed].status = NotificationStatus.FAILED
    sms = str(
        await world.notification(
            channelType="sms", subject=None, recipients=[{"userId": "bob", "phone": "+4930901820"}]
        )
    )
    find = world.client
    assert await ids(find, f"status=failed&{RECENT}") == [str(failed)]
    assert await ids(find, f"status=failed,queued&{RECENT}") == [sms, str(failed), plain]
    assert await ids(find, "type=order_cancelled") == [str(failed)]
    assert await ids(find, "type=order_cancelled,order_shipped") == [sms, str(failed), plain]
    assert await ids(find, f"channel=sms&{RECENT}") == [sms]
    assert await ids(find, "recipient=lisa") == [str(failed)]
    assert await ids(find, "recipient=lisa&status=failed&channel=email") == [str(failed)]
    assert await ids(find, "recipient=nobody") == []
    assert await ids(find, f"createdBy=checkout&{RECENT}") == [str(failed)]
    assert await ids(find, "metadata.orderId=9") == [str(failed)]
    assert await ids(find, "metadata.count=3") == []
    assert await ids(find, "metadata.count:json=3") == [str(failed)]
    assert await ids(find, "metadata.paid:json=true&metadata.orderId=9") == [str(failed)]
    assert await ids(find, f"metadata.orderId=9&status=queued&{RECENT}") == []
    assert await ids(find, "created_after=2020-01-01T00:00:00Z") == [sms, str(failed), plain]
    assert await ids(find, "created_before=2020-01-01T00:00:00Z") == []


async def test_a_test_key_sees_test_notifications_only(world: World) -> None:
    live = await world.notification()
    answer = await world.client.post(
        "/api/notifications",
        json={"notificationType": "t", "channelType": "sms", "body": "b", "recipientId": "1"},
        headers=world.as_test(),
    )
    test = answer.json()["id"]
    assert await ids(world.client) == [str(live)]
    assert await ids(world.client, **world.as_test()) == [test]
    for path in ("", "/deliveries", "/history"):
        hidden = await world.client.get(f"/api/notifications/{live}{path}", headers=world.as_test())
        assert errors_of(hidden, 404) == {}


async def test_pages_follow_each_other_to_the_end(world: World) -> None:
    made = [str(await world.notification()) for _ in range(7)][::-1]
    url, found, pages = "/api/notifications?limit=3&type=order_shipped", [], 0
    while url:
        answer = await world.client.get(url)
        found += [item["id"] for item in answer.json()["items"]]
        pages += 1
        link = answer.links.get("next")
        assert (link is None) == (answer.json()["nextCursor"] is None)
        if link:
            assert answer.json()["nextCursor"] in link["url"]
            assert "type=order_shipped" in link["url"]
        url = link["url"] if link else ""
    assert found == made
    assert pages == 3


async def test_a_full_last_page_has_no_next(world: World) -> None:
    for _ in range(2):
        await world.notification()
    answer = await world.client.get("/api/notifications?limit=2")
    assert answer.json()["nextCursor"] is None
    assert "link" not in answer.headers


async def test_a_cursor_is_good_for_its_own_list_only(world: World) -> None:
    for _ in range(3):
        last = await world.notification(recipients=["1", "2"])
    cursor = (await world.client.get("/api/notifications?limit=1")).json()["nextCursor"]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    forged = [
        base64.urlsafe_b64encode(raw[:16] + b'"' + str(uuid4()).encode() + b'"').decode(),
        base64.urlsafe_b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode(),
        cursor[:-4],
        "nonsense",
        "",
        "ü",
    ]
    assert len(await ids(world.client, f"limit=2&cursor={cursor}")) == 2
    wrong = [f"/api/notifications?cursor={one}" for one in forged]
    wrong += [
        f"/api/notifications?cursor={cursor}&type=order_shipped",
        f"/api/notifications/{last}/deliveries?cursor={cursor}",
        f"/api/users?cursor={cursor}",
    ]
    for url in wrong:
        assert errors_of(await world.client.get(url)) == {"cursor": "bad_cursor"}, url
    answer = await world.client.get(f"/api/notifications?cursor={cursor}", headers=world.as_test())
    assert errors_of(answer) == {"cursor": "bad_cursor"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", {"limit": "bad_value"}),
        ("limit=201", {"limit": "bad_value"}),
        ("limit=ten", {"limit": "bad_type"}),
        ("limit=1&limit=2", {"limit": "duplicate"}),
        ("status=sent", {"status": "bad_value"}),
        ("status=failed,sent", {"status": "bad_value"}),
        ("created_after=yesterday", {"created_after": "bad_value"}),
        ("created_after=2026-01-01T00:00:00", {"created_after": "bad_value"}),
        ("channel=E%20Mail", {"channel": "bad_format"}),
        ("recipient=", {"recipient": "bad_length"}),
        ("q=lisa", {"q": "unknown_field"}),
        ("type=a%00b", {"type": "nul"}),
        ("metadata.a:json=%7B%7D", {"metadata.a:json": "bad_value"}),
        ("metadata.a=%00", {"metadata.a": "nul"}),
        ("limit=x&q=1&status=?", {"limit": "bad_type", "q": "unknown_field", "status": "bad_value"}),
    ],
)
async def test_every_wrong_parameter_is_told(
    client: httpx.AsyncClient, query: str, expected: dict[str, str]
) -> None:
    assert errors_of(await client.get(f"/api/notifications?{query}")) == expected


@pytest.mark.parametrize("query", ["a=%ff", "&".join(f"a{n}=1" for n in range(60))])
async def test_an_unreadable_query_is_malformed(client: httpx.AsyncClient, query: str) -> None:
    assert errors_of(await client.get(f"/api/notifications?{query}"), 400) == {}


@pytest.mark.parametrize("path", ["", "/deliveries", "/history"])
@pytest.mark.parametrize("notification", ["0198f7a0-0000-7000-8000-000000000000", "17", "%00"])
async def test_there_is_no_such_notification(client: httpx.AsyncClient, notification: str, path: str) -> None:
    assert errors_of(await client.get(f"/api/notifications/{notification}{path}"), 404) == {}


async def test_a_delivery_shows_its_recipient_masked_and_its_attempts(world: World) -> None:
    who = {"userId": "lisa", "email": "lisa@example.com", "phone": "+4930901820", "name": "Lisa"}
    notification = await world.notification(recipients=[who])
    [row] = world.rows.deliveries_of(notification)
    row.status, row.provider, row.reason = DeliveryStatus.SENT, "smtp", None
    for number, outcome in ((1, "deferred"), (2, "accepted")):
        world.rows.attempts.setdefault(row.id, {})[number] = AttemptRow(
            delivery_id=row.id,
            attempt=number,
            provider="smtp",
            worker=uuid4(),
            cleared_at=NOW,
            begun_at=NOW,
            settled_at=NOW + timedelta(seconds=1),
            outcome=outcome,
            reference="<id@shop>" if outcome == "accepted" else None,
            reason=None if outcome == "accepted" else "greylisted",
            latency_ms=12.5,
        )
    answer = await world.client.get(f"/api/notifications/{notification}/deliveries")
    [shown] = answer.json()["items"]
    assert shown["recipientId"] == "lisa"
    assert shown["recipientEmail"] == "l•••@example.com"
    assert shown["recipientPhone"] == "+49•••20"
    assert "lisa@" not in answer.text
    assert shown["notificationId"] == str(notification)
    assert (shown["status"], shown["channelType"]) == ("sent", "email")
    assert (shown["providerMessageId"], shown["retryCount"]) == ("<id@shop>", 1)
    assert [(a["number"], a["outcome"], a["reason"]) for a in shown["attempts"]] == [
        (1, "deferred", "greylisted"),
        (2, "accepted", None),
    ]


async def test_an_erased_recipient_is_nobody(world: World) -> None:
    notification = await world.notification(recipients=[{"userId": "lisa", "email": "lisa@example.com"}])
    assert (await world.client.delete("/api/users/lisa")).status_code == 204
    [shown] = (await world.client.get(f"/api/notifications/{notification}/deliveries")).json()["items"]
    assert (shown["recipientId"], shown["recipientEmail"]) == (None, None)


async def test_deliveries_are_filtered_and_paged(world: World) -> None:
    notification = await world.notification(recipients=[str(n) for n in range(5)])
    rows = world.rows.deliveries_of(notification)
    rows[0].status, rows[1].status = DeliveryStatus.FAILED, DeliveryStatus.BOUNCED
    url = f"/api/notifications/{notification}/deliveries"
    failed = (await world.client.get(f"{url}?status=failed,bounced")).json()["items"]
    assert {UUID(item["id"]) for item in failed} == {rows[0].id, rows[1].id}
    first = await world.client.get(f"{url}?limit=4")
    second = await world.client.get(first.links["next"]["url"])
    found = [item["id"] for page in (first, second) for item in page.json()["items"]]
    assert found == [str(row.id) for row in rows]


async def test_history_shows_every_move(world: World) -> None:
    notification = await world.notification(recipients=["1", "2"])
    rows = world.rows.deliveries_of(notification)
    world.rows.history[rows[0].id].append(HistoryRow(status=DeliveryStatus.FAILED, reason="gone", at=NOW))
    url = f"/api/notifications/{notification}/history"
    first = await world.client.get(f"{url}?limit=2")
    second = await world.client.get(first.links["next"]["url"])
    moves = [item for page in (first, second) for item in page.json()["items"]]
    assert [(UUID(m["deliveryId"]), m["n"], m["status"], m["reason"]) for m in moves] == [
        (rows[0].id, 1, "queued", None),
        (rows[0].id, 2, "failed", "gone"),
        (rows[1].id, 1, "queued", None),
    ]
