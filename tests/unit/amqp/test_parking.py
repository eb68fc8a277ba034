"""Parked messages: everything an operator needs, and the way back."""

from datetime import UTC, datetime
from typing import Any

from adapters.system import SystemIds
from application.broker.ports import Outgoing, Received
from entrypoints.amqp.cloudevents import decode
from entrypoints.amqp.parking import PARKED, parked, restored

IDS = SystemIds()


def letter(message: Received, reason: str = "no such template") -> Outgoing:
    return parked(message, "events.ordinary", reason, to=PARKED, ids=IDS)


def moved_back(sent: Outgoing) -> Received:
    """As the management UI moves it: through the default exchange, with its own properties."""
    return Received(tag=9, body=sent.body, headers=dict(sent.headers), routing_key="events.ordinary")


def received(**properties: Any) -> Received:
    return Received(**({"tag": 1, "body": b'{"orderId": "1"}', "routing_key": "order.created"} | properties))


def test_the_reason_and_the_origin_stand_in_the_headers() -> None:
    sent = letter(received(message_id="m-1", type="OrderCreated"))
    assert (sent.queue, sent.body) == ("events.parked", b'{"orderId": "1"}')
    assert sent.headers == {
        "x-posthorn-reason": "no such template",
        "x-posthorn-queue": "events.ordinary",
        "x-posthorn-routing-key": "order.created",
        "x-posthorn-message-id": "m-1",
        "x-posthorn-type": "OrderCreated",
    }


def test_moved_back_by_hand_it_is_read_as_the_original_was() -> None:
    plain = received(message_id="m-1", correlation_id="c-1", content_type="application/json")
    binary = received(
        headers={
            "cloudEvents_specversion": "1.0",
            "cloudEvents_id": "e-1",
            "cloudEvents_source": "/shop",
            "cloudEvents_type": "order.created",
            "cloudEvents_time": datetime(2026, 3, 1, tzinfo=UTC),
            "x-other": [1],
        }
    )
    for original in (plain, binary, received()):
        back = restored(moved_back(letter(original)))
        assert decode(back) == decode(original)
        again = restored(moved_back(letter(back, "still no such template")))
        assert decode(again) == decode(original)
        assert again.headers["x-posthorn-reason"] == "still no such template"


def test_what_the_broker_parked_by_itself_is_read_as_the_original_was_too() -> None:
    deaths = [{"queue": "events.ordinary", "reason": "delivery_limit", "routing-keys": ["order.created"]}]
    back = received(routing_key="events.ordinary", headers={"x-death": deaths})
    assert restored(back).routing_key == "order.created"


def test_a_death_in_somebody_elses_queue_changes_nothing() -> None:
    message = received(headers={"x-death": [{"queue": "theirs", "routing-keys": ["other"]}]})
    assert restored(message) == message
    for odd in ("x", [], [{}], [{"routing-keys": []}], [{"routing-keys": [7]}]):
        message = received(routing_key="events.ordinary", headers={"x-death": odd})
        assert restored(message) == message


def test_headers_stay_small_enough_for_one_frame() -> None:
    sent = letter(received(headers={"small": "x", "large": "x" * 100_000}), "r" * 5000)
    assert sum(len(name) + len(value) for name, value in sent.headers.items()) < 40_000
    assert sent.headers["small"] == "x"
    assert sent.headers["x-posthorn-reason"] == "r" * 1000
