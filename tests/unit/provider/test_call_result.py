"""What an outcome says of the provider, to its breaker."""

import pytest

from application.provider.ports import CallResult
from application.provider.states import call_result
from domain.provider.outcome import Deferred, Outcome, Unknown


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Unknown("no answer"), CallResult.FAILED),
        (Unknown("no answer", of_recipient=True), CallResult.NOTHING),
        (Deferred("connecting", examined=False), CallResult.FAILED),
        (Deferred("503 of an endpoint"), CallResult.SUCCEEDED),
    ],
)
def test_what_a_recipients_own_server_does_says_nothing_of_the_provider(
    outcome: Outcome, result: CallResult
) -> None:
    assert call_result(outcome) is result
