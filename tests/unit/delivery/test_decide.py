"""What follows an outcome, and what the gate lets through."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery.decide import AwaitReceipt, DeliveryProgress, FailOver, GiveUp, Hold, RetryAt, decide
from domain.delivery.gate import Cancelled, Cleared, Facts, Paused, Suppressed, check
from domain.delivery.policy import DEFAULT_POLICIES, OnUnknown, RetryPolicy
from domain.kernel.channel import NotificationClass
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Refused, Unknown

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = RetryPolicy()
IMPATIENT = RetryPolicy(patience=timedelta())


def after(outcome, *, attempts_counted=1, policy=PLAIN, at=timedelta(seconds=5), chance=0.5):
    return decide(DeliveryProgress(T0, attempts_counted), outcome, policy, now=T0 + at, chance=chance)


def test_what_a_provider_took_waits_for_its_receipt():
    assert after(Accepted("ref-1")) == AwaitReceipt("ref-1")


def test_what_a_provider_refuses_has_failed_at_once():
    assert after(Refused("no such mailbox")) == GiveUp("no such mailbox")


@pytest.mark.parametrize(("attempts_counted", "low", "high"), [(1, 1, 2), (2, 1, 4), (3, 1, 8)])
def test_retries_back_off_with_full_jitter(attempts_counted, low, high):
    due = [
        after(Deferred("busy"), attempts_counted=attempts_counted, chance=c).due - T0 for c in (0.0, 0.999999)
    ]
    assert due[0] == timedelta(seconds=5 + low)
    assert timedelta(seconds=5 + high - 0.01) < due[1] <= timedelta(seconds=5 + high)


def test_after_three_retries_an_impatient_class_gives_up():
    assert isinstance(after(Deferred("busy"), attempts_counted=3, policy=IMPATIENT), RetryAt)
    assert after(Deferred("busy"), attempts_counted=4, policy=IMPATIENT) == GiveUp("gave up: busy")


def test_a_patient_class_goes_on_every_minute_until_its_patience_ends():
    decision = after(Deferred("busy"), attempts_counted=17, at=timedelta(minutes=30))
    assert decision == RetryAt(T0 + timedelta(minutes=31), "busy")
    assert isinstance(after(Deferred("busy"), attempts_counted=63, at=timedelta(minutes=60)), RetryAt)
    assert after(Deferred("busy"), attempts_counted=64, at=timedelta(minutes=61)) == GiveUp("gave up: busy")


def test_patience_begins_with_the_first_attempt_however_long_the_lane_was():
    late = timedelta(hours=20)
    assert isinstance(after(Deferred("greylisted"), attempts_counted=4, at=late), RetryAt)
    assert isinstance(after(Deferred("greylisted"), attempts_counted=64, at=late), GiveUp)


def test_a_provider_that_asks_for_a_wait_gets_it_and_no_attempt_is_spent():
    decision = after(Deferred("429", timedelta(minutes=5)), attempts_counted=4, policy=IMPATIENT)
    assert decision == RetryAt(T0 + timedelta(minutes=5, seconds=5), "429", counts=False)


def test_no_wait_goes_past_the_deadline():
    assert isinstance(after(Deferred("429", timedelta(hours=25))), GiveUp)
    assert isinstance(after(Deferred("429", timedelta(hours=1)), at=timedelta(hours=23, seconds=1)), GiveUp)


def test_an_unknown_outcome_is_resent_or_held_as_the_class_says():
    assert isinstance(after(Unknown("time-out")), RetryAt)
    held = msgspec.structs.replace(PLAIN, on_unknown=OnUnknown.HOLD)
    assert after(Unknown("time-out"), policy=held) == Hold("time-out")


@pytest.mark.parametrize(("unspent", "high"), [(0, 2), (1, 2), (3, 8), (40, 60)])
def test_an_attempt_that_was_not_called_costs_nothing_and_comes_back_later_each_time(unspent, high):
    progress = DeliveryProgress(T0, 99, unspent)
    for chance in (0.0, 0.999999):
        again = decide(progress, NotCalled("too old"), PLAIN, now=T0, chance=chance)
        assert (again.reason, again.counts) == ("too old", False)
        assert T0 + timedelta(seconds=1) <= again.due <= T0 + timedelta(seconds=high)


def test_nothing_is_tried_beyond_its_deadline_also_when_it_was_never_called():
    assert after(NotCalled("too old"), at=PLAIN.lifetime) == GiveUp("gave up: too old")


def test_what_time_does_not_mend_has_its_retries_and_no_patience():
    hopeless = Deferred("too slow", may_recover=False)
    assert [
        type(after(hopeless, attempts_counted=attempts_counted)) for attempts_counted in (1, 2, 3, 4)
    ] == [RetryAt] * 3 + [GiveUp]
    assert isinstance(after(Deferred("busy"), attempts_counted=4), RetryAt)


@pytest.mark.parametrize("attempts_counted", [1, 99])
def test_what_is_our_fault_costs_a_delivery_nothing(attempts_counted):
    now = T0 + timedelta(seconds=5)
    assert after(AccountFault("535"), attempts_counted=attempts_counted) == RetryAt(now, "535", counts=False)
    later = after(AccountFault("relay denied", certain=False), attempts_counted=attempts_counted)
    assert later == RetryAt(now + PLAIN.delay_max, "relay denied", counts=False), "others are tried first"
    late = after(AccountFault("relay denied", certain=False), at=timedelta(hours=24))
    assert late == GiveUp("gave up: relay denied")


def test_the_shipped_patience_is_the_designs():
    assert DEFAULT_POLICIES[NotificationClass.OTP].patience == timedelta(minutes=10)
    assert DEFAULT_POLICIES[NotificationClass.TRANSACTIONAL].patience == timedelta(hours=1)
    assert DEFAULT_POLICIES[NotificationClass.MARKETING].patience == timedelta(hours=4)
    assert all(p.retries == 3 for p in DEFAULT_POLICIES.values())


def story(klass, ends_after, *, waited, chance):
    """What becomes of a delivery that is deferred until then, and how long after its first attempt.

    `waited`: how long it stood in its lane before that.
    """
    policy, at, attempts_counted = DEFAULT_POLICIES[klass], waited, 1
    while at - waited < ends_after:
        decision = after(
            Deferred("try later"), attempts_counted=attempts_counted, policy=policy, at=at, chance=chance
        )
        if isinstance(decision, GiveUp):
            return decision, at - waited
        at, attempts_counted = decision.due - T0, attempts_counted + decision.counts
    return after(Accepted("ref"), policy=policy), at - waited


@pytest.mark.parametrize("klass", [NotificationClass.TRANSACTIONAL, NotificationClass.MARKETING])
@pytest.mark.parametrize("waited", [timedelta(), timedelta(hours=3), timedelta(hours=20)])
@pytest.mark.parametrize("away", [timedelta(seconds=s) for s in (30, 60, 300, 1800, 3600)])
@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_everyday_delays_kill_nothing(klass, waited, away, chance):
    """Greylisting, a relay that restarts, an hour without it."""
    decision, took = story(klass, away, waited=waited, chance=chance)
    assert decision == AwaitReceipt("ref")
    assert took <= away + DEFAULT_POLICIES[klass].delay_max


@pytest.mark.parametrize("klass", NotificationClass)
def test_whatever_is_never_taken_is_given_up_one_day(klass):
    decision, took = story(klass, timedelta(days=9), waited=timedelta(), chance=0.5)
    assert decision == GiveUp("gave up: try later")
    assert took <= DEFAULT_POLICIES[klass].lifetime


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_stays_between_one_second_and_the_cap(retry, chance):
    delay = PLAIN.delay(retry, chance)
    assert (
        timedelta(seconds=1)
        <= delay
        <= min(timedelta(seconds=60), timedelta(seconds=max(2, 2 ** min(retry, 9))))
    )


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True), st.integers(0, 90_000))
def test_nothing_is_ever_due_after_the_deadline(attempts_counted, chance, seconds):
    decision = after(
        Deferred("x"), attempts_counted=attempts_counted, chance=chance, at=timedelta(seconds=seconds)
    )
    assert isinstance(decision, GiveUp) or decision.due <= T0 + PLAIN.lifetime


FACTS = Facts(
    accepted_at=T0,
    attempts_counted=0,
    interrupted=False,
    cancelled=False,
    suppressed=None,
    channel_enabled=True,
    channel_paused=False,
    erased=False,
    address="ada@example.com",
)


@pytest.mark.parametrize(
    ("change", "at", "expected"),
    [
        ({}, 1, Cleared("ada@example.com")),
        ({"cancelled": True}, 1, Cancelled()),
        ({"cancelled": True, "channel_paused": True}, 1, Cancelled()),
        ({"suppressed": "bounced"}, 1, Suppressed("bounced")),
        ({"channel_enabled": False}, 1, Paused("channel disabled")),
        ({"channel_enabled": False, "suppressed": "bounced"}, 1, Suppressed("bounced")),
        ({"channel_enabled": False}, 24 * 3600 + 1, GiveUp("deadline passed")),
        ({"erased": True, "address": None}, 1, Suppressed("erased")),
        ({"channel_paused": True}, 1, Paused()),
        ({}, 24 * 3600 + 1, GiveUp("deadline passed")),
        ({"channel_paused": True}, 24 * 3600 + 1, GiveUp("deadline passed")),
        ({"address": None}, 301, GiveUp("no address")),
        ({"interrupted": True, "attempts_counted": 1}, 20, Cleared("ada@example.com")),
    ],
)
def test_the_gate(change, at, expected):
    facts = msgspec.structs.replace(FACTS, **change)
    assert check(facts, PLAIN, now=T0 + timedelta(seconds=at), chance=0.5) == expected


@pytest.mark.parametrize(("waited", "step"), [(0, 1), (1, 1), (3, 3), (60, 10)])
def test_a_delivery_waits_a_while_for_an_address_the_mirror_does_not_know_yet(waited, step):
    facts = msgspec.structs.replace(FACTS, address=None)
    now = T0 + timedelta(seconds=waited)
    verdict = check(facts, PLAIN, now=now, chance=0.5)
    assert verdict == RetryAt(now + timedelta(seconds=step), "no address yet", counts=False)


def test_an_interrupted_delivery_is_held_where_twice_is_worse_than_never():
    facts = msgspec.structs.replace(FACTS, interrupted=True, attempts_counted=1)
    held = msgspec.structs.replace(PLAIN, on_unknown=OnUnknown.HOLD)
    assert check(facts, held, now=T0, chance=0.5) == Hold("worker lost")


def test_an_interrupted_delivery_gives_up_when_its_attempts_are_spent():
    facts = msgspec.structs.replace(FACTS, interrupted=True, attempts_counted=4)
    assert isinstance(check(facts, IMPATIENT, now=T0, chance=0.5), GiveUp)


@pytest.mark.parametrize("policy", OnUnknown)
@pytest.mark.parametrize("others", [True, False])
def test_an_unknown_outcome_goes_to_another_provider_only_if_its_class_says_so(policy, others):
    classed = msgspec.structs.replace(PLAIN, on_unknown=policy)
    progress = DeliveryProgress(T0, 1)
    found = decide(progress, Unknown("time-out"), classed, now=T0, chance=0.0, others=others)
    assert isinstance(found, FailOver) is (others and policy is OnUnknown.FAIL_OVER)


@pytest.mark.parametrize(
    "outcome", [Deferred("503"), AccountFault("401"), AccountFault("relay", certain=False)]
)
def test_what_is_definitely_not_sent_goes_to_another_provider(outcome):
    progress = DeliveryProgress(T0, 1)
    assert decide(progress, outcome, PLAIN, now=T0, chance=0.0, others=True) == FailOver(outcome.reason)
    assert not isinstance(decide(progress, outcome, PLAIN, now=T0, chance=0.0), FailOver)
    assert decide(progress, Refused("no such mailbox"), PLAIN, now=T0, chance=0.0, others=True) == GiveUp(
        "no such mailbox"
    )
