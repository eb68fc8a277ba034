"""The two state machines are tables, and nothing goes round them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import delivery
from domain.delivery.delivery import CLOSED, OPEN, DeliveryStatus
from domain.kernel.errors import Conflict
from domain.notification import rollup as notification
from domain.notification.rollup import Counts, NotificationStatus, count, rollup

LEGAL_DELIVERY = """
pending queued cancelled
standby queued suppressed cancelled
queued sending suppressed cancelled failed
sending sent queued unknown failed suppressed cancelled
unknown queued sent delivered bounced failed
sent delivered bounced failed
delivered bounced
failed queued sent delivered
bounced
suppressed
cancelled
"""


def _table(text: str) -> dict[str, set[str]]:
    return {line.split()[0]: set(line.split()[1:]) for line in text.strip().splitlines()}


@pytest.mark.parametrize(("current", "to"), list(itertools.product(DeliveryStatus, DeliveryStatus)))
def test_a_delivery_moves_as_the_design_says_and_no_other_way(current, to):
    if to in _table(LEGAL_DELIVERY)[current]:
        assert delivery.advance(current, to) is to
    else:
        with pytest.raises(Conflict, match=f"from {current} to {to}"):
            delivery.advance(current, to)


def test_every_state_can_be_reached_and_every_open_state_can_be_left():
    """Deliveries are born queued, or standing by; pending is for schedules."""
    reached = {DeliveryStatus.PENDING, DeliveryStatus.STANDBY}
    while more := set().union(*(delivery.NEXT[s] for s in reached)) - reached:
        reached |= more
    assert reached == set(DeliveryStatus)
    assert all(delivery.NEXT[s] for s in OPEN)
    assert OPEN.isdisjoint(CLOSED)


@pytest.mark.parametrize(("current", "to"), list(itertools.product(NotificationStatus, NotificationStatus)))
def test_a_notification_moves_only_along_its_table(current, to):
    if to in notification.NEXT[current]:
        assert notification.advance(current, to) is to
    else:
        with pytest.raises(Conflict):
            notification.advance(current, to)


def test_a_cancelled_notification_stays_cancelled():
    assert not notification.NEXT[NotificationStatus.CANCELLED]


@pytest.mark.parametrize(
    ("statuses", "cancelled", "expected"),
    [
        (["queued", "queued"], False, "queued"),
        (["queued", "sending"], False, "queued"),
        (["sent", "queued"], False, "processing"),
        (["sent", "unknown"], False, "processing"),
        (["unknown"], False, "processing"),
        (["sent", "sent"], False, "completed"),
        (["delivered", "failed"], False, "completed"),
        (["sent", "cancelled"], True, "completed"),
        (["cancelled", "cancelled"], True, "cancelled"),
        (["failed", "cancelled"], True, "cancelled"),
        (["failed", "suppressed"], False, "failed"),
        (["bounced"], False, "failed"),
        ([], False, "failed"),
    ],
)
def test_a_notification_is_what_its_deliveries_make_it(statuses, cancelled, expected):
    counts = count(DeliveryStatus(s) for s in statuses)
    assert rollup(counts, expanded=True, cancelled=cancelled) == expected


def test_while_it_is_expanded_a_notification_is_not_finished():
    assert rollup(Counts(sent=3), expanded=False, cancelled=False) is NotificationStatus.PROCESSING
    assert rollup(Counts(), expanded=False, cancelled=False) is NotificationStatus.QUEUED


@given(st.lists(st.sampled_from(DeliveryStatus)), st.randoms())
def test_counting_does_not_depend_on_order(statuses, chance):
    before = count(statuses)
    chance.shuffle(statuses)
    assert count(statuses) == before
    assert before.total == len(statuses)
