"""How a lease ends, and what the history says of it."""

from itertools import pairwise, product

import pytest

from domain.delivery.delivery import NEXT, DeliveryStatus
from domain.delivery.ending import Ending, ending

S = DeliveryStatus
ENDS = (S.SENT, S.QUEUED, S.UNKNOWN, S.FAILED, S.SUPPRESSED, S.CANCELLED)


def ended(status: S, outcome: str | None, *, interrupted: bool = False, cancelled: bool = False) -> Ending:
    return ending(status, outcome, interrupted=interrupted, cancelled=cancelled)


@pytest.mark.parametrize("status", [S.SENT, S.QUEUED, S.FAILED])
def test_an_answered_call_adds_one_line(status: S) -> None:
    assert ended(status, "accepted") == Ending(status, (status,), None)


def test_a_call_without_an_answer_is_a_line_before_what_follows_from_it() -> None:
    assert ended(S.QUEUED, "unknown") == Ending(S.QUEUED, (S.UNKNOWN, S.QUEUED), "resend")
    assert ended(S.FAILED, "unknown") == Ending(S.FAILED, (S.UNKNOWN, S.FAILED), "failed")
    assert ended(S.UNKNOWN, "unknown") == Ending(S.UNKNOWN, (S.UNKNOWN,), None)


def test_back_to_its_lane_without_a_call_adds_no_line() -> None:
    assert ended(S.QUEUED, None) == Ending(S.QUEUED, (), None)


def test_a_lost_call_is_decided_when_its_successor_makes_none() -> None:
    assert ended(S.QUEUED, None, interrupted=True) == Ending(S.QUEUED, (S.QUEUED,), "resend")
    assert ended(S.UNKNOWN, None, interrupted=True) == Ending(S.UNKNOWN, (), None)
    assert ended(S.FAILED, None, interrupted=True) == Ending(S.FAILED, (S.FAILED,), "failed")


def test_from_unknown_it_is_stopped_by_way_of_the_queue() -> None:
    for status in (S.SUPPRESSED, S.CANCELLED):
        assert ended(status, None, interrupted=True) == Ending(status, (S.QUEUED, status), status.value)
        assert ended(status, "unknown").lines == (S.UNKNOWN, S.QUEUED, status)


def test_a_lost_call_says_nothing_of_one_that_was_made_since() -> None:
    assert ended(S.SENT, "accepted", interrupted=True) == Ending(S.SENT, (S.SENT,), None)


def test_what_would_be_queued_again_is_cancelled_with_its_notification() -> None:
    assert ended(S.QUEUED, "deferred", cancelled=True) == Ending(S.CANCELLED, (S.CANCELLED,), None)
    assert ended(S.SENT, "accepted", cancelled=True).status is S.SENT


def test_every_line_is_a_legal_move_and_the_last_is_the_state() -> None:
    for status, outcome, interrupted, cancelled in product(
        ENDS, (None, "accepted", "unknown"), (False, True), (False, True)
    ):
        if outcome is None and not interrupted and status in (S.SENT, S.UNKNOWN):
            continue  # nothing was called that could end so
        end = ended(status, outcome, interrupted=interrupted, cancelled=cancelled)
        before = S.SENDING if outcome else S.UNKNOWN if interrupted else S.QUEUED
        line = (before, *end.lines)
        assert all(to in NEXT[at] for at, to in pairwise(line)), (status, outcome, interrupted)
        assert line[-1] is end.status
