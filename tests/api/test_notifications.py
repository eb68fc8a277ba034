"""POST /api/notifications: accepting, repeating, refusing, dry runs, cancelling."""

import json
from uuid import UUID

import httpx
import pytest

from domain.delivery.delivery import DeliveryStatus
from domain.kernel.errors import InFlight, Overloaded, StoreUnavailable
from entrypoints.http.notification.examples import NOTIFICATIONS
from tests.api.world import INLINE, World, errors_of
from tests.support.memory.counters import count

FLOW_1 = {
    "notificationType": "order_confirmation",
    "channelType": "email",
    "priority": "high",
    "templateId": "order_confirmation_email",
    "recipientId": "456",
    "data": {"orderId": "123", "total": 99.99, "items": [{"sku": "a"}]},
}


async def test_an_order_confirmation_is_accepted_as_shops_write_it(
    world: World, client: httpx.AsyncClient
) -> None:
    await world.template()
    answer = await client.post("/api/notifications", json=FLOW_1)
    assert answer.status_code == 202
    body = answer.json()
    at = f"/api/notifications/{body['id']}"
    assert answer.headers["location"] == at
    assert body == {
        "id": body["id"],
        "status": "queued",
        "links": {
            "self": at,
            "deliveries": f"{at}/deliveries",
            "history": f"{at}/history",
            "cancel": f"{at}/cancel",
        },
    }
    row = world.rows.notifications[UUID(body["id"])]
    assert (row.type, row.channel, row.priority.label) == ("order_confirmation", "email", "high")
    assert (row.mode, row.template_id, row.template_version) == ("live", "order_confirmation_email", 1)


@pytest.mark.parametrize("name", NOTIFICATIONS)
async def test_the_examples_of_the_contract_are_accepted(world: World, name: str) -> None:
    await world.template()
    answer = await world.client.post("/api/notifications", json=NOTIFICATIONS[name])
    assert answer.status_code == 202, answer.text


async def test_recipients_are_ids_and_objects(world: World, client: httpx.AsyncClient) -> None:
    who = ["1", {"userId": "2", "email": "two@example.com"}, {"email": "Guest@Example.com", "name": "G"}]
    answer = await client.post("/api/notifications", json={**INLINE, "recipients": who})
    assert len(world.rows.deliveries_of(UUID(answer.json()["id"]))) == 3


async def test_empty_values_are_absent_and_a_byte_order_mark_is_skipped(world: World) -> None:
    who = [
        {"userId": "2", "email": "", "name": "", "phone": None, "locale": " ", "timezone": ""},
        {"userId": "", "email": " Guest@Example.com\n", "name": " "},
    ]
    body = b"\xef\xbb\xbf" + json.dumps({**INLINE, "recipients": who}).encode()
    answer = await world.client.post(
        "/api/notifications", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 202, answer.text
    assert len(world.rows.deliveries_of(UUID(answer.json()["id"]))) == 2


async def test_everything_that_can_be_said_is_kept(world: World) -> None:
    notification = await world.notification(
        **{"class": "otp"}, priority="critical", metadata={"orderId": "9"}, createdBy="checkout"
    )
    shown = (await world.client.get(f"/api/notifications/{notification}")).json()
    assert shown["class"] == "otp"
    assert shown["priority"] == "critical"
    assert shown["metadata"] == {"orderId": "9"}
    assert shown["createdBy"] == "checkout"
    assert shown["counts"]["open"] == 1


@pytest.mark.parametrize("where", ["header", "quoted header", "body", "both"])
async def test_the_same_key_and_body_get_the_same_answer(world: World, where: str) -> None:
    headers = {"header": {"Idempotency-Key": "k"}, "quoted header": {"Idempotency-Key": '"k"'}}.get(where, {})
    body = INLINE if headers else {**INLINE, "idempotencyKey": "k"}
    if where == "both":
        headers = {"Idempotency-Key": "k"}
    first = await world.client.post("/api/notifications", json=body, headers=headers)
    second = await world.client.post("/api/notifications", json=body, headers=headers)
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]


async def test_one_key_in_header_and_body_is_one_key(world: World, client: httpx.AsyncClient) -> None:
    first = await client.post("/api/notifications", json=INLINE, headers={"Idempotency-Key": "k"})
    second = await client.post("/api/notifications", json={**INLINE, "idempotencyKey": "k"})
    assert first.json() == second.json()


async def test_two_keys_that_differ_are_refused(client: httpx.AsyncClient) -> None:
    body = {**INLINE, "idempotencyKey": "a"}
    answer = await client.post("/api/notifications", json=body, headers={"Idempotency-Key": "b"})
    assert errors_of(answer) == {"/idempotencyKey": "ambiguous"}


@pytest.mark.parametrize("key", ["", "x" * 256, '"' + "x" * 256 + '"'])
async def test_a_key_has_1_to_255_characters(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post("/api/notifications", json=INLINE, headers={"Idempotency-Key": key})
    assert errors_of(answer) == {"Idempotency-Key": "bad_length"}


async def test_another_body_under_the_same_key_is_refused(client: httpx.AsyncClient) -> None:
    await client.post("/api/notifications", json={**INLINE, "idempotencyKey": "k"})
    answer = await client.post("/api/notifications", json={**INLINE, "idempotencyKey": "k", "body": "Other"})
    assert errors_of(answer) == {}
    assert answer.json()["type"] == "/problems/idempotency-key-reused"


async def test_live_and_test_keys_have_keys_of_their_own(world: World) -> None:
    body = {**INLINE, "idempotencyKey": "k"}
    live = await world.client.post("/api/notifications", json=body)
    test = await world.client.post("/api/notifications", json=body, headers=world.as_test())
    assert live.json()["id"] != test.json()["id"]
    assert world.rows.notifications[UUID(test.json()["id"])].mode == "test"


@pytest.mark.parametrize(
    ("failure", "status", "kind"),
    [
        (InFlight("another is at it"), 409, "in-flight"),
        (Overloaded("full"), 503, "overloaded"),
        (StoreUnavailable("dsn=secret"), 503, "unavailable"),
    ],
)
async def test_what_may_succeed_later_says_when(
    world: World, failure: Exception, status: int, kind: str
) -> None:
    world.acceptance.failure = failure
    await world.broker.close()
    answer = await world.client.post("/api/notifications", json=INLINE)
    assert errors_of(answer, status) == {}
    assert answer.json()["type"] == f"/problems/{kind}"
    assert int(answer.headers["retry-after"]) >= 1
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"priorty": "high"}, {"/priorty": "unknown_field"}),
        ({"priority": "hgih"}, {"/priority": "bad_value"}),
        ({"priority": 1}, {"/priority": "bad_type"}),
        ({"class": "spam"}, {"/class": "bad_value"}),
        ({"notificationType": ""}, {"/notificationType": "bad_length"}),
        ({"channelType": "E Mail"}, {"/channelType": "bad_format"}),
        ({"channelType": "pigeon"}, {"/channelType": "unknown_channel"}),
        ({"recipients": []}, {"/recipients": "bad_length"}),
        ({"recipients": ["1", 2]}, {"/recipients/1": "bad_type"}),
        ({"recipients": [{"mail": "a@b.de"}]}, {"/recipients/0/mail": "unknown_field"}),
        ({"recipients": [{"email": "nonsense"}]}, {"/recipients/0/email": "bad_email"}),
        ({"recipients": [{"name": "Nobody"}]}, {"/recipients/0": "no_address"}),
        ({"recipientId": "7"}, {"/recipientId": "ambiguous"}),
        ({"recipients": None}, {"/recipientId": "missing"}),
        ({"recipients": None, "recipientId": "x" * 256}, {"/recipientId": "bad_length"}),
        ({"metadata": []}, {"/metadata": "bad_type"}),
        ({"data": {"a/b": {"c~d": "\0"}}}, {"/data/a~1b/c~0d": "nul"}),
        ({"data": {"a\0": 1}}, {"/data": "nul"}),
        ({"subject": None}, {"/subject": "missing"}),
        ({"templateId": "nope", "subject": None, "body": None}, {"/templateId": "unknown_template"}),
        (
            {"priority": 7, "class": "x", "recipients": [{"phone": 1}], "extra": 0},
            {
                "/extra": "unknown_field",
                "/priority": "bad_type",
                "/class": "bad_value",
                "/recipients/0/phone": "bad_type",
            },
        ),
    ],
)
async def test_every_error_is_told_at_its_place(
    client: httpx.AsyncClient, change: dict[str, object], expected: dict[str, str]
) -> None:
    answer = await client.post("/api/notifications", json={**INLINE, **change})
    assert errors_of(answer) == expected


async def test_a_missing_variable_is_named(world: World) -> None:
    await world.template()
    answer = await world.client.post("/api/notifications", json={**FLOW_1, "data": {"total": 1}})
    assert errors_of(answer) == {"/data/orderId": "missing_variable"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (r'"\ud800"', "surrogate"),
        (r'"a\udc00b"', "surrogate"),
        (r'"\u0000"', "nul"),
        ("1e999999", "number_range"),
        ("-1e999999", "number_range"),
        ("9" * 5000, "number_range"),
        ("[" * 30 + "]" * 30, "too_deep"),
        ("[" * 100_000 + "]" * 100_000, "too_deep"),
    ],
)
async def test_what_the_database_would_refuse_is_refused_first(
    client: httpx.AsyncClient, value: str, code: str
) -> None:
    body = json.dumps({**INLINE, "metadata": {"x": "HERE"}}).replace('"HERE"', value)
    answer = await client.post("/api/notifications", content=body)
    assert list(errors_of(answer).values()) == [code]


async def test_bad_requests_among_good_ones_do_no_harm(world: World) -> None:
    bad = [r'"\ud800"', r'"\u0000"', "1e999999"]
    good = json.dumps({**INLINE, "metadata": {"x": "HERE"}})
    answers = [
        await world.client.post("/api/notifications", content=good.replace('"HERE"', value))
        for value in [*bad, *['"fine"'] * 20]
    ]
    assert [answer.status_code for answer in answers] == [422] * 3 + [202] * 20


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,", b'{"a": NaN}', b'{"a": "\xff"}', b'"\x00"', b"\xff\xfe{\x00}\x00"]
)
async def test_what_is_not_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    assert errors_of(await client.post("/api/notifications", content=body), 400) == {}


async def test_a_list_is_no_notification(client: httpx.AsyncClient) -> None:
    assert errors_of(await client.post("/api/notifications", json=[INLINE])) == {"": "bad_type"}


async def test_a_body_has_at_most_256_kib(client: httpx.AsyncClient) -> None:
    fits = {**INLINE, "body": "x" * 200_000}
    assert (await client.post("/api/notifications", json=fits)).status_code == 202
    answer = await client.post("/api/notifications", json={**INLINE, "body": "x" * 300_000})
    assert errors_of(answer, 413) == {}
    assert answer.headers["connection"] == "close"


async def test_a_body_without_length_is_bounded_too(client: httpx.AsyncClient) -> None:
    async def endless() -> object:
        while True:
            yield b" " * 65536

    assert errors_of(await client.post("/api/notifications", content=endless()), 413) == {}


async def test_a_body_in_pieces_is_read_whole(client: httpx.AsyncClient) -> None:
    async def pieces() -> object:
        text = json.dumps(INLINE).encode()
        yield text[:10]
        yield text[10:]

    assert (await client.post("/api/notifications", content=pieces())).status_code == 202


async def test_a_dry_run_shows_and_keeps_nothing(world: World) -> None:
    await world.template()
    await world.client.put("/api/users/456", json={"email": "lisa@example.com", "name": "Lisa"})
    answer = await world.client.post("/api/notifications?dry_run=true", json=FLOW_1)
    assert answer.status_code == 200
    preview = answer.json()
    assert preview["recipients"] == 1
    assert preview["rendered"][0]["subject"] == "Order 123"
    assert preview["rendered"][0]["body"] == "Hello Lisa, 99.99"
    assert preview["rendered"][0]["recipientId"] == "456"
    assert preview["rendered"][0]["reachable"] is True
    assert preview["rendered"][0]["decision"] == "send"
    assert not world.rows.notifications


async def test_a_price_is_shown_as_its_digits_say(world: World) -> None:
    saved = {"id": "price", "bodyTemplate": "{{ total|money }} {{ fine|money }} {{ deep.total * 2 }}"}
    await world.template(
        **saved, subjectTemplate="A\n", variables={name: {} for name in ("total", "fine", "deep")}
    )
    asked = {**FLOW_1, "templateId": "price"}
    body = json.dumps(asked | {"data": "DATA"}).replace(
        '"DATA"', '{"total": 4514.275, "fine": 1234567890123456.785, "deep": {"total": 1.1}}'
    )
    answer = await world.client.post(
        "/api/notifications?dry_run=true", content=body, headers={"Content-Type": "application/json"}
    )
    (shown,) = answer.json()["rendered"]
    assert shown["body"] == "€4,514.28 €1,234,567,890,123,456.79 2.2"
    assert shown["subject"] == "A"


async def test_a_dry_run_has_one_budget_for_all_recipients(world: World) -> None:
    lines = "{% for a in items %}{% for b in items %}{{ b }}{% endfor %}{% endfor %}"
    await world.template(id="heavy", subjectTemplate="Hi", bodyTemplate=lines, variables={"items": {}})
    asked = {
        **FLOW_1, "templateId": "heavy", "recipientId": None, "recipients": [str(n) for n in range(20)],
        "data": {"items": ["x"] * 200},
    }  # fmt: skip
    shown = (await world.client.post("/api/notifications?dry_run=true", json=asked)).json()["rendered"]
    assert len(shown) == 10
    assert shown[0]["body"] == "x" * 40_000
    assert "too much work" in shown[-1]["problem"]


@pytest.mark.parametrize(
    ("subject", "sent"),
    [("Shipped\n", "Shipped"), ("Your order\r\n  is shipped", "Your order is shipped"), ("a\u2028b", "a b")],
)
async def test_a_line_break_in_a_subject_is_a_space(world: World, subject: str, sent: str) -> None:
    for query in ("?dry_run=true", ""):
        answer = await world.client.post(f"/api/notifications{query}", json={**INLINE, "subject": subject})
        assert answer.status_code < 300
        assert answer.json().get("rendered", [{"subject": sent}])[0]["subject"] == sent


async def test_a_subject_of_line_breaks_is_none(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/notifications", json={**INLINE, "subject": "\r\n \u2028"})
    assert errors_of(answer) == {"/subject": "missing"}


async def test_a_dry_run_says_what_would_become_of_each(world: World) -> None:
    await world.template()
    unknown = (await world.client.post("/api/notifications?dry_run=true", json=FLOW_1)).json()["rendered"][0]
    assert (unknown["decision"], unknown["reason"]) == ("wait", "no address yet")
    await world.client.put("/api/users/456", json={"email": "lisa@example.com"})
    off = {"isEnabled": False, "providers": ["sandbox"]}
    saved = await world.client.put("/api/channels/email", json=off, headers={"If-Match": "*"})
    assert saved.status_code == 200
    disabled = await world.client.post("/api/notifications?dry_run=true", json=FLOW_1)
    assert errors_of(disabled) == {"/channelType": "channel_disabled"}
    hold = off | {"whenDisabled": "hold"}
    await world.client.put("/api/channels/email", json=hold, headers={"If-Match": "*"})
    held = (await world.client.post("/api/notifications?dry_run=true", json=FLOW_1)).json()["rendered"][0]
    assert (held["decision"], held["reason"]) == ("wait", "channel disabled")


async def test_a_disabled_channel_refuses_requests_or_keeps_them(world: World) -> None:
    """What was accepted is not thrown away, and what will not be sent is not accepted."""
    before = await world.client.post("/api/notifications", json=INLINE)
    assert before.status_code == 202
    off = {"isEnabled": False, "providers": ["sandbox"]}
    await world.client.put("/api/channels/email", json=off, headers={"If-Match": "*"})
    refused = await world.client.post("/api/notifications", json=INLINE)
    assert refused.status_code == 422
    assert errors_of(refused) == {"/channelType": "channel_disabled"}
    answers = (await world.client.post("/api/notifications/batch", json={"notifications": [INLINE]})).json()
    assert "channel_disabled" in str(answers)
    shown = await world.client.put(
        "/api/channels/email", json=off | {"whenDisabled": "hold"}, headers={"If-Match": "*"}
    )
    assert shown.json()["whenDisabled"] == "hold"
    assert (await world.client.post("/api/notifications", json=INLINE)).status_code == 202
    on = {"isEnabled": True, "providers": ["sandbox"]}
    await world.client.put("/api/channels/email", json=on, headers={"If-Match": "*"})
    assert (await world.client.post("/api/notifications", json=INLINE)).status_code == 202


async def test_a_dry_run_finds_the_same_errors(world: World) -> None:
    body = {**INLINE, "recipients": None, "recipientId": "7", "channelType": "pigeon"}
    answer = await world.client.post("/api/notifications?dry_run=true", json=body)
    assert errors_of(answer) == {"/channelType": "unknown_channel"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [("dry_run=perhaps", {"dry_run": "bad_type"}), ("dryrun=true", {"dryrun": "unknown_field"})],
)
async def test_a_wrong_parameter_is_told(client: httpx.AsyncClient, query: str, expected: object) -> None:
    assert errors_of(await client.post(f"/api/notifications?{query}", json=INLINE)) == expected


async def test_cancelling_tells_what_it_came_in_time_for(world: World) -> None:
    notification = await world.notification(recipients=["1", "2", "3", "4"])
    sent, sending, *_ = world.rows.deliveries_of(notification)
    sent.status, sending.status = DeliveryStatus.SENT, DeliveryStatus.SENDING
    count(world.rows, notification, DeliveryStatus.QUEUED, DeliveryStatus.SENT)
    for _ in range(2):
        answer = await world.client.post(f"/api/notifications/{notification}/cancel")
        assert answer.status_code == 200
        assert answer.json() == {"cancelled": 2, "alreadySent": 1, "inFlight": 1}


async def test_a_test_key_cannot_cancel_a_live_notification(world: World) -> None:
    notification = await world.notification()
    answer = await world.client.post(f"/api/notifications/{notification}/cancel", headers=world.as_test())
    assert errors_of(answer, 404) == {}


async def test_the_trace_goes_on(world: World) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = await world.client.post(
        "/api/notifications", json=INLINE, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    )
    assert answer.headers["x-request-id"] == trace
    row = world.rows.notifications[UUID(answer.json()["id"])]
    assert row.traceparent == answer.headers["traceparent"]
    assert row.traceparent.startswith(f"00-{trace}-")
    assert row.traceparent != f"00-{trace}-b7ad6b7169203331-01"
