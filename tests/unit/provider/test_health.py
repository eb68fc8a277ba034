"""When a provider rests, when it is probed, and what that means for a delivery."""

import pytest

from domain.provider.health import (
    HEALTHY,
    PAUSE_MAX,
    PAUSE_MIN,
    PROBE_MAX,
    UNCERTAIN_FAULTS_MAX,
    UNCERTAIN_PAUSE,
    after_outcome,
    outcome_for_delivery,
    with_probe,
)
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Refused, Unknown

CERTAIN = AccountFault("logging in: 535")
PERHAPS = AccountFault("recipient: 554 relay denied", certain=False)


def after(*outcomes, health=HEALTHY, probe=False, now=100.0):
    for outcome in outcomes:
        health = after_outcome(health, outcome, now, probe=probe)
    return health


PAUSED = after(CERTAIN)


def test_a_refused_login_rests_the_provider_at_once():
    assert not PAUSED.available()
    assert PAUSED.fault == "logging in: 535"
    assert outcome_for_delivery(PAUSED, CERTAIN) == CERTAIN
    assert not PAUSED.accepts_probe(100 + PAUSE_MIN - 0.1)
    assert PAUSED.accepts_probe(100 + PAUSE_MIN)


def test_of_those_that_come_at_that_time_one_is_the_probe():
    health = with_probe(PAUSED, 105.0)
    assert not health.accepts_probe(105.0)
    assert health.accepts_probe(105.0 + PROBE_MAX), "one that is not heard of is followed by another"


def test_pauses_double_up_to_half_a_minute_and_never_end():
    health, now, pauses = PAUSED, 100.0, []
    for _ in range(40):
        pauses.append(health.probe_at - now)
        now = health.probe_at
        health = after_outcome(with_probe(health, now), CERTAIN, now, probe=True)
    assert pauses[:3] == [5, 10, 20]
    assert set(pauses[3:]) == {PAUSE_MAX}
    assert health.since == 100.0


@pytest.mark.parametrize(
    "answer", [Accepted("x"), Unknown("lost"), Deferred("greylisted"), Refused("no such")]
)
def test_it_goes_on_once_it_has_looked_at_a_probes_message(answer):
    assert after(answer, health=PAUSED, probe=True) == HEALTHY


@pytest.mark.parametrize(
    "answer",
    [
        NotCalled("too old"),
        Deferred("connecting: refused", examined=False),
        Refused("not an e-mail address", examined=False),
    ],
)
def test_what_says_nothing_of_the_account_changes_nothing(answer):
    assert after(answer, health=PAUSED, probe=True) == PAUSED
    assert after(answer) == HEALTHY


@pytest.mark.parametrize("late", [Accepted("x"), CERTAIN, PERHAPS, Refused("no such"), Unknown("lost")])
def test_calls_that_were_under_way_say_nothing_of_a_rest(late):
    """A connection that was logged in before the password changed is taken for a while yet."""
    assert after(late, health=PAUSED, probe=False) == PAUSED


def test_a_fault_that_may_be_the_messages_is_its_own_while_others_pass():
    health = HEALTHY
    for _ in range(20):
        health = after(PERHAPS, health=health)
        assert health.available()
        assert outcome_for_delivery(health, PERHAPS) == Deferred(PERHAPS.reason)
        health = after(Accepted("x"), health=health)


def test_several_in_a_row_are_the_accounts():
    health = after(*[PERHAPS] * UNCERTAIN_FAULTS_MAX)
    assert not health.available()
    assert outcome_for_delivery(health, PERHAPS) == PERHAPS, "and cost the delivery nothing"


def test_a_doubtful_rest_is_probed_often_so_that_one_bad_message_after_the_other_holds_nobody_up():
    health, now = after(*[PERHAPS] * UNCERTAIN_FAULTS_MAX), 100.0
    for _ in range(10):
        assert health.probe_at == now + UNCERTAIN_PAUSE
        now = health.probe_at
        health = after_outcome(with_probe(health, now), PERHAPS, now, probe=True)


def test_other_outcomes_mean_what_they_say():
    for outcome in (Accepted("x"), Deferred("d"), Refused("r"), Unknown("u"), NotCalled("n")):
        assert outcome_for_delivery(HEALTHY, outcome) == outcome
        assert outcome_for_delivery(PAUSED, outcome) == outcome
