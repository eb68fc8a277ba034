"""The policy of a delivery: that of its class, within its turn among several channels."""

from collections.abc import Mapping

from application.delivery.ports import Leased
from domain.delivery.policy import RetryPolicy
from domain.kernel.channel import NotificationClass


def policy_of(leased: Leased, policies: Mapping[NotificationClass, RetryPolicy]) -> RetryPolicy:
    """What its class says; where channels are tried in turn, as long as it is this one's turn."""
    policy = policies[leased.klass]
    return policy if leased.turn is None else policy.in_turn(*leased.turn)
