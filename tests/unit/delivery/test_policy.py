"""The policy of a class, and what is left of it for one of several channels that take turns."""

from datetime import timedelta

from domain.delivery.policy import RetryPolicy

POLICY = RetryPolicy(
    patience=timedelta(minutes=8), lifetime=timedelta(minutes=12), address_patience=timedelta(minutes=5)
)


def test_channels_share_the_lifetime_and_the_last_one_has_all_that_is_left() -> None:
    lifetimes = [POLICY.in_turn(place, 3).lifetime for place in (1, 2, 3)]
    assert lifetimes == [timedelta(minutes=4), timedelta(minutes=8), timedelta(minutes=12)]


def test_patience_is_no_longer_than_the_turn() -> None:
    patiences = [POLICY.in_turn(place, 3).patience for place in (1, 2, 3)]
    assert patiences == [timedelta(minutes=4), timedelta(minutes=8), timedelta(minutes=8)]


def test_only_the_last_channel_waits_for_an_address() -> None:
    waits = [POLICY.in_turn(place, 3).address_patience for place in (1, 2, 3)]
    assert waits == [timedelta(), timedelta(), timedelta(minutes=5)]


def test_one_alone_has_the_policy_of_its_class() -> None:
    assert POLICY.in_turn(1, 1) == POLICY
