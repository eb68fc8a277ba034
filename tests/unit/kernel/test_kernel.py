"""Lanes, priorities, ids."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.channel import Lane, Mode, Priority, lanes
from domain.kernel.ids import delivery_id, derived_user_id, millis_of, month_floor, uuid7


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**80))
def test_a_uuid7_has_its_time_version_and_variant(millis, chance):
    made = uuid7(millis, chance)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert millis_of(made) == millis


@given(st.uuids(), st.uuids(), st.text(max_size=20), st.text(max_size=20))
def test_a_delivery_id_is_the_same_every_time_and_differs_by_slot(notification, user, one, other):
    made = delivery_id(notification, user, one)
    assert made == delivery_id(notification, user, one)
    assert (made == delivery_id(notification, user, other)) == (one == other)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert millis_of(made) == millis_of(notification)


def test_a_persons_id_is_a_uuid8():
    made = derived_user_id(bytes(range(32)))
    assert (made.version, made.variant) == (8, "specified in RFC 4122")


def test_a_months_floor_sorts_below_every_id_of_the_month():
    assert month_floor(2026, 3) == UUID(int=1772323200000 << 80)
    assert month_floor(2026, 3) < uuid7(1772323200000, 0) < month_floor(2026, 4)


def test_a_lane_is_its_queues_name_and_back():
    lane = Lane("in_app", Priority.CRITICAL)
    assert lane.queue == "deliver.in_app.critical"
    assert Lane.parse(lane.queue) == lane


def test_what_test_keys_send_has_one_lane_a_channel_whatever_its_priority():
    for priority in Priority:
        lane = Lane("email", priority, Mode.TEST)
        assert (lane.queue, lane.dead) == ("deliver.email.test", "deliver.email.test.dlq")
        assert Lane.parse(lane.queue).queue == lane.queue
        assert (lane.priority, lane.urgency) == (priority, Priority.LOW), "behind what is live"
    assert Lane("email", Priority.HIGH).urgency is Priority.HIGH
    assert len({each.queue for each in lanes(["email", "sms"])}) == 10


@pytest.mark.parametrize(
    "name", ["deliver.email", "deliver..high", "send.email.high", "deliver.email.urgent"]
)
def test_what_is_no_lane_is_refused(name):
    with pytest.raises(ValueError, match="not a lane"):
        Lane.parse(name)
