"""Text messages by Amazon SNS; the other side is our look-alike.

What judges us and it: botocore, Amazon's own client, in tests/peers (its requests and signatures are equal to
ours, and it reads the look-alike's answers).  The error answers are those of the API reference.
"""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.sms.sns import SnsGateway, SnsSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, Refused, Unknown
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.sms.sns import sns
from tests.contract.gateway import message
from tests.contract.http_gateway import closing, http, simulated
from tests.contract.test_gateway import CONTEXT
from tests.contract.test_sms_gateways import SmsGatewayContract


def failure(code: str, words: str = "no") -> bytes:
    """An error answer as SNS has it."""
    return (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{words}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    ).encode()


class TestSns(SmsGatewayContract):
    kind = "sns"

    def made(self, url: str, **changes: Any) -> SnsGateway:
        known: dict[str, Any] = {
            "key_id": "AKIDEXAMPLE",
            "secret": Secret("secret"),
            "timeout": timedelta(seconds=1),
        }
        return SnsSettings(url=url, **(known | changes)).gateway(CONTEXT)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return sns(simulator)

    async def test_our_id_travels_with_the_message(self, gateway: SnsGateway, simulator: Simulator) -> None:
        """It does not: SNS has no field for it.  The reference is all that there is."""
        sent = message()
        assert isinstance(await gateway.send(sent), Accepted)
        assert str(sent.delivery) not in str(simulator.got[0].document)

    @pytest.mark.parametrize(
        ("sender", "attribute"),
        [("SHOP", "AWS.SNS.SMS.SenderID"), ("+15005550006", "AWS.MM.SMS.OriginationNumber")],
    )
    async def test_a_sender_is_a_name_or_a_number(
        self, simulator: Simulator, sender: str, attribute: str
    ) -> None:
        async with (
            simulated(self.routes(simulator)) as url,
            closing(self.made(url, sender=sender)) as gateway,
        ):
            await gateway.send(message())
        document = simulator.got[0].document
        assert document["MessageAttributes.entry.2.Name"] == attribute
        assert document["MessageAttributes.entry.2.Value.StringValue"] == sender

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (400, "InvalidParameter", Refused),
            (400, "ParameterValueInvalid", Refused),
            (400, "ValidationException", Refused),
            (403, "AuthorizationError", AccountFault),
            (403, "InvalidSecurity", AccountFault),
            (403, "SignatureDoesNotMatch", AccountFault),
            (403, "InvalidClientTokenId", AccountFault),
            (403, "ExpiredToken", AccountFault),
            (403, "OptInRequired", AccountFault),
            (400, "RequestExpired", AccountFault),
            (404, "NotFound", AccountFault),
            (400, "Throttling", Deferred),
            (400, "Throttled", Deferred),
            (429, "Throttled", Deferred),
            (500, "InternalError", Deferred),
            (503, "ServiceUnavailable", Deferred),
            (504, "GatewayTimeout", Unknown),
        ],
    )
    async def test_published_errors(self, status: int, code: str, kind: type) -> None:
        assert isinstance(await self._outcome_of(http(status, failure(code))), kind)

    async def test_a_number_that_is_quoted_is_left_out_of_the_reason(self) -> None:
        body = failure("InvalidParameter", "Invalid parameter: PhoneNumber Reason: +4915112345 is not valid")
        outcome = await self._outcome_of(http(400, body))
        assert isinstance(outcome, Refused)
        assert "4915" not in outcome.reason

    @pytest.mark.parametrize("encoding", ["no-such-encoding", "utf-32"])
    async def test_an_encoding_that_nobody_reads_is_unknown(self, encoding: str) -> None:
        body = f'<?xml version="1.0" encoding="{encoding}"?><MessageId>1</MessageId>'.encode()
        assert isinstance(await self._outcome_of(http(200, body)), Unknown)

    async def test_a_wrong_key_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with simulated(self.routes(simulator)) as url, closing(self.made(url, key_id="bad")) as gateway:
            assert isinstance(await gateway.send(message()), AccountFault)

    def test_a_callback_that_is_never_called_is_a_fault(self) -> None:
        settings = SnsSettings(key_id="A", secret=Secret("s"), callback="https://shop.test/sns")
        assert [name for name, _ in settings.faults()] == ["callback"]
