"""A sender chosen by name goes out with its message alone, at every provider of e-mail with an HTTP API."""

import msgspec
import pytest

from entrypoints.simulator.kit import Simulator
from tests.contract import (
    test_email_gateways,
    test_mailgun_gateway,
    test_resend_gateway,
    test_sendgrid_gateway,
    test_ses_gateway,
)
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, simulated
from tests.support.accepting import IDS
from tests.support.gathering import together

PROVIDERS = [
    test_email_gateways.TestPostmark,
    test_mailgun_gateway.TestMailgun,
    test_resend_gateway.TestResend,
    test_sendgrid_gateway.TestSendGrid,
    test_ses_gateway.TestSes,
]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_message_has_its_own_sender(provider: type[HttpGatewayContract]) -> None:
    simulator = Simulator(ids=IDS)
    contract = provider()
    chosen = {"sender": "The Shop <news@shop.test>"}
    said = [
        message("a@shop.test"),
        message("b@shop.test", parts=chosen),
        message("c@shop.test", parts=chosen),
        message("d@shop.test"),
    ]
    async with simulated(contract.routes(simulator)) as url, closing(contract.made(url)) as gateway:
        await together(gateway, said)
    documents = {got.address: msgspec.json.encode(got.document).decode() for got in simulator.got}
    assert {address: "news@shop.test" in text for address, text in documents.items()} == {
        "a@shop.test": False,
        "b@shop.test": True,
        "c@shop.test": True,
        "d@shop.test": False,
    }
