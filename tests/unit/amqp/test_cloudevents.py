"""Reading events: every spelling a shop uses, and what is refused with which reason."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from application.broker.ports import Received
from domain.kernel.errors import Undecodable
from domain.trigger.trigger import ShopEvent
from entrypoints.amqp.cloudevents import PLAIN_SOURCE, SIZE_MAX, decode, dotted

STRUCTURED = "application/cloudevents+json"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ENVELOPE = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/orders",
    "type": "order.created",
    "data": {"orderId": "123"},
}
HEADERS: dict[str, object] = {
    "cloudEvents_specversion": "1.0",
    "cloudEvents_id": "e-1",
    "cloudEvents_source": "/orders",
    "cloudEvents_type": "order.created",
}
READ = ShopEvent(id="e-1", source="/orders", type="order.created", data={"orderId": "123"})


def received(body: Any = None, **properties: Any) -> Received:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(**({"tag": 1, "body": raw, "routing_key": "order.created"} | properties))


def without(some: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in some.items() if name not in names}


@pytest.mark.parametrize(
    "message",
    [
        received(ENVELOPE, content_type=STRUCTURED),
        received(ENVELOPE, content_type="Application/CloudEvents+JSON; charset=utf-8"),
        received(ENVELOPE, content_type="application/json"),
        received(ENVELOPE),
        received(ENVELOPE | {"unknownextension": 7}, content_type=STRUCTURED),
        received(ENVELOPE | {"datacontenttype": "application/json"}, content_type=STRUCTURED),
        received(ENVELOPE, content_type=STRUCTURED, type="ignored", message_id="ignored"),
        received({"orderId": "123"}, headers=HEADERS),
        received({"orderId": "123"}, headers=HEADERS, content_type="application/json"),
        received({"orderId": "123"}, headers=HEADERS, content_type="application/vnd.shop+json"),
        received({"orderId": "123"}, headers={n.replace("_", ":"): v for n, v in HEADERS.items()}),
        received({"orderId": "123"}, headers=HEADERS | {"x-other": 1}, message_id="ignored"),
        received({"orderId": "123"}, headers=HEADERS | {"cloudEvents_time": None}),  # an impossible timestamp
        received({"orderId": "123"}, headers=HEADERS | {"cloudEvents_time": ""}),
        received(ENVELOPE | {"time": "", "subject": "", "correlationid": ""}, content_type=STRUCTURED),
        received(ENVELOPE | {"type": "OrderCreated"}, content_type=STRUCTURED),
        received(
            b"\xef\xbb\xbf" + json.dumps(ENVELOPE).encode(), content_type=STRUCTURED
        ),  # as .NET writes it
        received(b'\xef\xbb\xbf{"orderId": "123"}', headers=HEADERS),
    ],
)
def test_cloud_events_in_either_mode_are_read(message: Received) -> None:
    assert decode(message) == READ


def test_attributes_and_extensions_are_carried_on() -> None:
    said = {
        "time": "2026-03-01T12:00:00Z",
        "subject": "order/123",
        "traceparent": TRACE,
        "correlationid": "c-1",
    }
    structured = decode(received(ENVELOPE | said, content_type=STRUCTURED))
    binary = decode(
        received({"orderId": "123"}, headers=HEADERS | {f"cloudEvents_{n}": v for n, v in said.items()})
    )
    assert structured == binary
    assert (binary.time, binary.subject) == ("2026-03-01T12:00:00Z", "order/123")
    assert (binary.traceparent, binary.correlation_id) == (TRACE, "c-1")


@pytest.mark.parametrize("name", ["time", "subject", "traceparent", "correlationid"])
@pytest.mark.parametrize("odd", [7, 1.5, True, {"a": 1}, ["a"], "a\0b", "a\x1b[2J", "x" * 5_000], ids=ascii)
def test_an_attribute_that_can_be_spared_costs_no_event(name: str, odd: object) -> None:
    assert decode(received(ENVELOPE | {name: odd}, content_type=STRUCTURED)) == READ


def test_a_time_may_be_an_amqp_timestamp() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (
        decode(received({}, headers=HEADERS | {"cloudEvents_time": at})).time == "2026-03-01T12:00:00+00:00"
    )


def test_trace_and_correlation_come_from_amqp_when_the_event_names_none() -> None:
    event = decode(received(ENVELOPE, headers={"traceparent": TRACE}, correlation_id="c-2"))
    assert (event.traceparent, event.correlation_id) == (TRACE, "c-2")


@pytest.mark.parametrize("trace", ["", "garbage", TRACE.upper(), TRACE + "-x", 7])
def test_a_trace_that_is_none_is_left_out_and_the_event_lives(trace: object) -> None:
    assert decode(received(ENVELOPE, headers={"traceparent": trace})).traceparent is None


def test_the_order_event_of_a_plain_publisher_works_as_written() -> None:
    data = {"orderId": "123", "userId": "456", "total": 99.99, "items": [{"sku": "a"}]}
    event = decode(received(data, type="OrderCreated", message_id="m-1", routing_key="orders"))
    assert event == ShopEvent(id="m-1", source=PLAIN_SOURCE, type="order.created", data=data)


def test_a_plain_event_without_a_type_has_that_of_its_routing_key() -> None:
    assert decode(received({"a": 1}, message_id="m-1")).type == "order.created"


def test_a_plain_event_without_an_id_is_itself_again_when_its_bytes_are() -> None:
    first, again = decode(received({"a": 1})), decode(received({"a": 1}, redelivered=True, tag=2))
    assert first.id == again.id
    assert first.id.startswith("sha256:")
    assert decode(received({"a": 2})).id != first.id
    assert decode(received({"a": 1}, routing_key="order.paid")).id != first.id


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("OrderCreated", "order.created"),
        ("orderCreated", "order.created"),
        ("PaymentReceived", "payment.received"),
        ("UserPasswordResetRequested", "user.password.reset.requested"),
        ("HTTPFailed", "http.failed"),
        ("Order2Created", "order2.created"),
        ("order.created", "order.created"),
        ("order_created", "order_created"),
        ("com.Shop.OrderCreated", "com.Shop.OrderCreated"),
    ],
)
def test_camel_case_is_read_as_dotted_words(name: str, read: str) -> None:
    assert dotted(name) == read


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (received(b"", content_type=STRUCTURED), "not valid JSON"),
        (received(b"{", content_type=STRUCTURED), "not valid JSON"),
        (received([], content_type=STRUCTURED), "Expected `object`"),
        (received(without(ENVELOPE, "id")), "missing required field `id`"),
        (received(without(ENVELOPE, "source")), "missing required field `source`"),
        (received(without(ENVELOPE, "type")), "missing required field `type`"),
        (received(without(ENVELOPE, "specversion"), content_type=STRUCTURED), "field `specversion`"),
        (received(ENVELOPE | {"specversion": "0.3"}), "'specversion' is not 1.0"),
        (received(ENVELOPE | {"id": 7}), "Expected `str`, got `int` - at `$.id`"),
        (received(ENVELOPE | {"id": ""}), "id must have 1 to 255"),
        (received(ENVELOPE | {"id": "x" * 256}), "id must have 1 to 255"),
        (received(ENVELOPE | {"id": "a\0b"}), "id must have 1 to 255 characters; no control"),
        (received(ENVELOPE | {"source": ""}), "source must have"),
        (received(ENVELOPE | {"type": ""}), "type must have"),
        (received(ENVELOPE | {"data_base64": "e30="}), "data_base64"),
        (received([ENVELOPE], content_type="application/cloudevents-batch+json"), "one event a message"),
        (received(b"", content_type="application/cloudevents+avro"), "only application/cloudevents+json"),
        (received({}, headers=without(HEADERS, "cloudEvents_id", "cloudEvents_type")), "without id, type"),
        (received({}, headers=HEADERS | {"cloudEvents_specversion": "2.0"}), "is not 1.0"),
        (received(b"<a/>", headers=HEADERS, content_type="text/xml"), "content type text/xml"),
        (received(b"<a/>", headers=HEADERS), "event data is not valid JSON"),
        (received(b""), "not valid JSON"),
        (received(b"hello"), "not valid JSON"),
        (received(b"\xff\xfe"), "not valid JSON"),
        (received(b'{"a": "\xff"}'), "not valid JSON"),
        (received([1, 2]), "a plain event is a JSON object"),
        (received("text"), "a plain event is a JSON object"),
        (received({"a": 1}, routing_key=""), "no event type"),
        (received(b'{"a": NaN}'), "not valid JSON"),
        (received(b'{"a": 1e999999}'), "out of range"),
        (received(b'{"a": ' + b"9" * 5000 + b"}"), "out of range"),
        (received(b'{"a": "\\ud800"}'), "not valid JSON"),
        (received(b'{"a": "\\u0000"}'), "NUL"),
        (received(b'{"a": ["b", {"\\u0000": 1}]}'), "NUL"),
        (received(b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}"), "more than 20 levels"),
        (received(b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}"), "more than 20 levels"),
        (received({"a": "x" * SIZE_MAX}), "at most 262,144 are read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(message: Received, reason: str) -> None:
    with pytest.raises(Undecodable) as refused:
        decode(message)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\\\u0000"}',  # a backslash and five letters: no NUL
        b'{"a": ' + b"[" * 19 + b"]" * 19 + b"}",
        b'{"a": [' + b"{}," * 99 + b"{}]}",
        b'{"a": "x"}' + b" " * 1000,
    ],
)
def test_what_only_looks_suspicious_is_read(body: bytes) -> None:
    assert decode(received(body)).data == json.loads(body)


def test_a_reason_quotes_nothing_of_the_data() -> None:
    canary = "canary@example.com"
    bodies: list[Any] = [
        ENVELOPE | {"data": {"email": canary}, "id": 7},
        f'{{"email": "{canary}", "x": "\\u0000"}}'.encode(),
        f'{{"email": "{canary}"'.encode(),
        [canary],
    ]
    for body in bodies:
        with pytest.raises(Undecodable) as refused:
            decode(received(body))
        assert canary not in str(refused.value)


@pytest.mark.parametrize("name", ["id", "type", "source"])
@pytest.mark.parametrize("hidden", ["\x1b[2J", "\u202e", "\n", "\u200b", "\x9b"])
def test_attributes_are_what_they_look_like(name: str, hidden: str) -> None:
    """CloudEvents 1.0 has no control characters in attributes, and terminals obey some."""
    event = {**ENVELOPE, name: f"a{hidden}b"}
    with pytest.raises(Undecodable, match=f"the event's {name} must have"):
        decode(received(event, content_type=STRUCTURED))
