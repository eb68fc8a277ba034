"""Amazon's own client (PyPI `botocore`) beside our gateway, both against our look-alike."""

import asyncio

import pytest
from botocore.exceptions import ClientError

from adapters.providers.kit.requests import form
from adapters.providers.sms.sns import SnsSettings
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.sms.sns import sns
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.aws import KEY_ID, REGION, SECRET, SIGNED, TOKEN, client, their_authorization
from tests.peers.requests import seen

NUMBER, TEXT = "+447700900123", "5 € & more: grüße 谢谢 🎉"


@pytest.mark.parametrize(
    ("sender", "attribute"),
    [("SHOP", "AWS.SNS.SMS.SenderID"), ("+15005550006", "AWS.MM.SMS.OriginationNumber")],
)
async def test_both_send_the_same_and_read_the_answer(sender: str, attribute: str) -> None:
    settings = {"region": REGION, "key_id": KEY_ID, "secret": Secret(SECRET), "sender": sender}
    async with seen(sns(Simulator(ids=IDS))) as (url, got):
        async with closing(SnsSettings(url=url, **settings).gateway(CONTEXT)) as gateway:
            ours = await gateway.send(message(NUMBER, body=TEXT))
        values = {"AWS.SNS.SMS.SMSType": "Transactional", attribute: sender}
        theirs = await asyncio.to_thread(
            client("sns", url).publish,
            PhoneNumber=NUMBER,
            Message=TEXT,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in values.items()
            },
        )
    assert [(each.method, each.path, each.kind) for each in got] == [
        ("POST", "/", "application/x-www-form-urlencoded")
    ] * 2
    assert got[0].body == got[1].body
    assert isinstance(ours, Accepted)
    assert theirs["MessageId"]


async def test_it_reads_a_refusal_of_our_look_alike() -> None:
    async with seen(sns(Simulator(ids=IDS))) as (url, _):
        with pytest.raises(ClientError) as raised:
            await asyncio.to_thread(client("sns", url).publish, PhoneNumber="+447700999100", Message=TEXT)
    assert raised.value.response["Error"]["Code"] == "InvalidParameter"


@pytest.mark.parametrize("token", [None, TOKEN])
async def test_what_we_send_is_signed_as_botocore_signs_it(token: str | None) -> None:
    fields = {
        "Action": "Publish",
        "Version": "2010-03-31",
        "PhoneNumber": NUMBER,
        "Message": TEXT,
        "MessageAttributes.entry.1.Name": "AWS.SNS.SMS.SMSType",
        "MessageAttributes.entry.1.Value.DataType": "String",
        "MessageAttributes.entry.1.Value.StringValue": "Transactional",
    }
    async with seen(sns(Simulator(ids=IDS)), *SIGNED) as (url, got):
        known = {"region": REGION, "key_id": KEY_ID, "secret": Secret(SECRET)}
        session = Secret(token) if token else None
        async with closing(SnsSettings(url=url, session=session, **known).gateway(CONTEXT)) as gateway:
            assert isinstance(await gateway.send(message(NUMBER, body=TEXT)), Accepted)
    assert got[0].headers["Authorization"] == their_authorization(got[0], url, form(fields), "sns", token)
