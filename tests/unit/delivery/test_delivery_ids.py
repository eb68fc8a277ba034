"""Ids of deliveries, held to the vectors to which SQL is held too."""

import json
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.kernel.ids import delivery_id, month_floor, time_of, uuid7

GOLDEN = json.loads((Path(__file__).parent / "golden_ids.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda vector: vector["delivery"])
def test_the_golden_vectors(vector: dict[str, str]) -> None:
    made = delivery_id(UUID(vector["notification"]), UUID(vector["person"]), vector["slot"])
    assert str(made) == vector["delivery"]


def test_it_is_a_uuid7_of_the_notifications_millisecond() -> None:
    notification = uuid7(1_700_000_000_123, uuid4().int)
    made = delivery_id(notification, uuid4(), "email")

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert time_of(made) == time_of(notification)


def test_notification_person_and_slot_each_make_another_id() -> None:
    notifications, users = [uuid7(1, n) for n in range(5)], [uuid4() for _ in range(5)]
    triples = list(product(notifications, users, ("email", "sms", "any", "")))

    assert len({delivery_id(*triple) for triple in triples}) == len(triples)


def test_it_falls_into_the_month_of_its_notification() -> None:
    first, last = month_floor(2026, 2), UUID(int=month_floor(2026, 3).int - 1)

    for notification in (first, last):
        assert first < delivery_id(notification, uuid4(), "email") < month_floor(2026, 3)
