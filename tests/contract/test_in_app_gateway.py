"""Messages in the shop's own app: there is no other side that could refuse, defer or fall silent."""

import pytest

from adapters.providers.in_app.in_app import InAppGateway, InAppSettings
from domain.provider.outcome import Accepted, Refused
from tests.contract.gateway import AcceptingContract, message
from tests.contract.test_gateway import CONTEXT


class TestInApp(AcceptingContract):
    kind = "in_app"

    @pytest.fixture
    def gateway(self) -> InAppGateway:
        return InAppSettings().gateway(CONTEXT)

    async def test_it_has_parts_of_its_own(self, gateway: InAppGateway) -> None:
        parts = {"link": "/orders/7", "actions": [{"label": "Track", "link": "/orders/7/track"}]}
        assert isinstance(await gateway.send(message(parts=parts)), Accepted)

    async def test_other_parts_are_refused(self, gateway: InAppGateway) -> None:
        outcome = await gateway.send(message(parts={"preheader": "of an e-mail"}))
        assert isinstance(outcome, Refused)
        assert not outcome.examined
