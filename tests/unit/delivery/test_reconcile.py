"""What follows calls without an answer where the provider can say what became of them."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.delivery.decide import DeliveryProgress, GiveUp, Hold, RetryAt, decide
from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.delivery.reconcile import (
    ASKING_MAX,
    Ask,
    OpenCall,
    Reconciled,
    Repeat,
    SendAnew,
    after,
    plan,
    resolution,
    still_open,
)
from domain.provider.lookup import Absent, Certainty, Found, Unclear
from domain.provider.outcome import Accepted, Deferred, NotCalled, Outcome, Refused, Unknown

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATE = Certainty(lookup_after=timedelta(minutes=2))
KEYED = Certainty(repeat_within=timedelta(hours=24))
CALLS = (
    OpenCall(attempt=2, provider="mailer", begun_at=NOON, lost_at=NOON + 10 * SECOND),
    OpenCall(attempt=3, provider="mailer", begun_at=NOON + 20 * SECOND, lost_at=NOON + 30 * SECOND),
)
KNOWN = NOON + 30 * SECOND + timedelta(minutes=2)


def test_a_provider_that_cannot_be_asked_leaves_it_held() -> None:
    assert isinstance(plan(CALLS, None, NOON), Hold)


def test_a_call_is_repeated_as_its_first_attempt_while_its_key_is_known() -> None:
    assert plan(CALLS, KEYED, NOON + timedelta(hours=24) - SECOND) == Repeat(2)
    assert isinstance(plan(CALLS, KEYED, NOON + timedelta(hours=24)), Hold)


def test_a_provider_that_can_be_asked_is_asked_when_there_is_no_key() -> None:
    assert plan(CALLS, LATE, NOON) == Ask(LATE)
    both = Certainty(lookup_after=timedelta(), repeat_within=timedelta(minutes=1))
    assert plan(CALLS, both, NOON) == Repeat(2)
    assert plan(CALLS, both, NOON + timedelta(minutes=1)) == Ask(both)


def test_what_is_found_is_sent() -> None:
    assert after(Found("id-1"), CALLS, LATE, NOON) == Accepted("id-1")


def test_what_is_absent_is_sent_anew_only_when_the_provider_would_know_it() -> None:
    assert isinstance(after(Absent(), CALLS, LATE, KNOWN - SECOND), NotCalled)
    assert after(Absent(), CALLS, LATE, KNOWN) == SendAnew()


def test_a_provider_that_cannot_say_is_asked_for_a_while() -> None:
    assert isinstance(after(Unclear("500"), CALLS, LATE, KNOWN), NotCalled)
    assert isinstance(after(Unclear("500"), CALLS, LATE, KNOWN + ASKING_MAX), Hold)


REFUSED, DEFERRED, UNKNOWN, TAKEN, LATER = (
    Refused("no"),
    Deferred("503"),
    Unknown("silence"),
    Accepted("id"),
    NotCalled("later"),
)


@pytest.mark.parametrize(
    ("reconciled", "outcome", "is_open", "about"),
    [
        (None, UNKNOWN, True, None),
        (None, DEFERRED, False, None),
        (TAKEN, TAKEN, False, "sent"),
        (LATER, LATER, True, None),
        (Hold("?"), LATER, True, None),
        (Repeat(2), TAKEN, False, "sent"),
        (Repeat(2), REFUSED, False, "failed"),
        (Repeat(2), DEFERRED, True, None),  # the first call may still have gone through
        (Repeat(2), UNKNOWN, True, None),
        (SendAnew(), TAKEN, False, "resend"),
        (SendAnew(), DEFERRED, False, "resend"),
        (SendAnew(), UNKNOWN, True, "resend"),
        (SendAnew(), LATER, True, None),
    ],
)
def test_what_is_decided_about_earlier_calls(
    reconciled: Reconciled | None, outcome: Outcome, is_open: bool, about: str | None
) -> None:
    assert still_open(reconciled, outcome) is is_open
    assert resolution(reconciled, outcome) == about


POLICY = RetryPolicy(on_unknown=OnUnknown.RECONCILE, retries=1, patience=timedelta())


def decided(outcome: Outcome, *, counted: int = 1, **known: bool) -> object:
    return decide(DeliveryProgress(NOON, counted), outcome, POLICY, now=NOON, chance=0.5, **known)


def test_silence_of_who_cannot_be_asked_is_held_and_of_others_asked_after_a_wait() -> None:
    assert decided(UNKNOWN) == Hold("silence")
    assert isinstance(decided(UNKNOWN, answerable=True, is_open=True), RetryAt)


def test_what_may_have_been_sent_is_not_given_up_but_held() -> None:
    assert isinstance(decided(DEFERRED, counted=9), GiveUp)
    assert isinstance(decided(DEFERRED, counted=9, is_open=True), Hold)
    assert isinstance(decided(UNKNOWN, counted=9, answerable=True, is_open=True), Hold)
