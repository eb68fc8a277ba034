"""Triggers: from an event to a request."""

import msgspec
import pytest

from domain.kernel.errors import Invalid
from domain.trigger.trigger import ShopEvent, To, Trigger, check, lookup, request

EVENT = ShopEvent(
    id="e-1",
    source="/orders",
    type="order.created",
    data={
        "orderId": "123",
        "userId": 456,
        "lines": [{"sku": "a"}, {"sku": "b"}],
        "gift": True,
        "größe": "XL",
    },
)
TRIGGER = Trigger(id="order-created", event="order.created", type="order_confirmation", template="t")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "e-1"),
        ("data.orderId", "123"),
        ("data.lines.1.sku", "b"),
        ("data.lines.2.sku", None),
        ("data.lines.².sku", None),
        ("data.lines.١.sku", None),
        ("data.lines.1२", None),
        ("data.lines.-1.sku", None),
        ("data.lines." + "9" * 5_000, None),
        ("data.²", None),
        ("data.größe", "XL"),
        ("data.lines.x", None),
        ("data.orderId.x", None),
        ("nothing", None),
        ("__class__", None),
    ],
)
def test_paths_lead_into_the_event_or_nowhere(path, value):
    assert lookup(EVENT, path) == value


def test_a_trigger_makes_a_request_with_its_own_scope_for_keys():
    made = request(TRIGGER, EVENT)
    assert made.recipients[0].user_id == "456"
    assert made.idempotency_key == "trigger:order-created:/orders:e-1"
    assert made.content.data == EVENT.data
    assert made.created_by == "trigger:order-created"


def test_a_business_key_is_filled_from_the_event():
    keyed = msgspec.structs.replace(TRIGGER, key="order:{data.orderId}:confirmed")
    assert request(keyed, EVENT).idempotency_key == "trigger:order-created:order:123:confirmed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": "{data.nothing}"}, "no_key"),
        ({"key": "{data.lines}"}, "no_key"),
        ({"to": To(user_id="data.nobody")}, "no_recipient"),
        ({"to": To(user_id="data.gift")}, "no_recipient"),
        ({"data": "data.lines"}, "no_data"),
    ],
)
def test_what_an_event_does_not_have_is_named(change, code):
    with pytest.raises(Invalid) as refused:
        request(msgspec.structs.replace(TRIGGER, **change), EVENT)
    assert [fault.code for fault in refused.value.faults] == [code]


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({}, []),
        ({"to": To()}, ["/to"]),
        ({"to": To(email="data..x")}, ["/to/email"]),
        ({"key": "{order} {data.ok} {x.y}"}, ["/key", "/key"]),
        ({"key": "once"}, ["/key"]),
        ({"key": "{data.orderId"}, ["/key"]),
        ({"key": "{data.orderId}:{id"}, ["/key"]),
        ({"key": "{{data.orderId}}"}, ["/key"]),
        ({"data": "payload"}, ["/data"]),
        ({"metadata": {"order": "1bad"}}, ["/metadata/order"]),
    ],
)
def test_a_trigger_with_bad_paths_is_told_all_of_them(change, pointers):
    assert [fault.pointer for fault in check(msgspec.structs.replace(TRIGGER, **change))] == pointers
