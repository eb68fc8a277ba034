"""Amazon's own client (PyPI `botocore`) beside our gateway, both against our look-alike."""

import asyncio
from base64 import b64decode
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from adapters.providers.email.ses import SesSettings
from adapters.providers.kit.sigv4 import Credentials, Signer
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted
from entrypoints.simulator.email.ses import ses
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.aws import KEY_ID, REGION, SECRET, SIGNED, TOKEN, client, their_authorization
from tests.peers.requests import Seen, seen
from tests.support.gathering import together

FILE = {"name": "bill.pdf", "type": "application/pdf", "content": "JVBERg=="}
COMMON = {
    "FromEmailAddress": "The Shop <shop@shop.test>",
    "ReplyToAddresses": ["help@shop.test"],
    "ConfigurationSetName": "shop",
}


def utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def tags(sent: OutboundMessage) -> list[dict[str, str]]:
    return [
        {"Name": "posthorn_delivery", "Value": str(sent.delivery)},
        {"Name": "posthorn_attempt", "Value": str(sent.attempt)},
    ]


async def ours(url: str, *messages: OutboundMessage, **more: Any) -> None:
    settings = SesSettings(
        url=url,
        region=REGION,
        key_id=KEY_ID,
        secret=Secret(SECRET),
        sender="The Shop <shop@shop.test>",
        reply_to="help@shop.test",
        configuration_set="shop",
        **more,
    )
    async with closing(settings.gateway(CONTEXT)) as gateway:
        outcomes = await together(gateway, messages)
    assert all(isinstance(each, Accepted) for each in outcomes)


def same(one: Seen, other: Seen) -> bool:
    return (one.method, one.path, one.body) == (other.method, other.path, other.body)


async def test_both_send_the_same_message_and_read_the_answer() -> None:
    sent = message(html_body="<p>Grüße 🎉</p>", name="Lovelace, Ada", parts={"attachments": [FILE]})
    async with seen(ses(Simulator(ids=IDS))) as (url, got):
        await ours(url, sent)
        answer = await asyncio.to_thread(
            client("sesv2", url).send_email,
            **COMMON,
            Destination={"ToAddresses": ['"Lovelace, Ada" <ada@shop.test>']},
            Content={
                "Simple": {
                    "Subject": utf8("Your order"),
                    "Body": {"Text": utf8("Thank you."), "Html": utf8("<p>Grüße 🎉</p>")},
                    "Attachments": [
                        {
                            "FileName": "bill.pdf",
                            "ContentType": "application/pdf",
                            "RawContent": b64decode(FILE["content"]),
                        }
                    ],
                }
            },
            EmailTags=tags(sent),
        )
    assert same(*got)
    assert answer["MessageId"]


async def test_both_send_the_same_bulk_call_and_read_the_answer() -> None:
    sent = [message("ada@shop.test", name=None), message("refuse@shop.test", name=None, body="Grüße {{x}}")]
    async with seen(ses(Simulator(ids=IDS))) as (url, got):
        async with closing(
            SesSettings(url=url, sender="shop@shop.test", key_id=KEY_ID, secret=Secret(SECRET)).gateway(
                CONTEXT
            )
        ) as gateway:
            await together(gateway, sent)
        answer = await asyncio.to_thread(
            client("sesv2", url).send_bulk_email,
            FromEmailAddress="shop@shop.test",
            DefaultContent={
                "Template": {
                    "TemplateContent": {"Subject": "{{Subject}}", "Text": "{{Text}}"},
                    "TemplateData": '{"Subject":"","Text":""}',
                }
            },
            BulkEmailEntries=[
                {
                    "Destination": {"ToAddresses": [each.address]},
                    "ReplacementTags": tags(each),
                    "ReplacementEmailContent": {
                        "ReplacementTemplate": {
                            "ReplacementTemplateData": msgspec.json.encode(
                                {"Subject": each.subject, "Text": each.body}
                            ).decode()
                        }
                    },
                }
                for each in sent
            ],
        )
    assert same(*got)
    assert [each["Status"] for each in answer["BulkEmailEntryResults"]] == ["SUCCESS", "INVALID_PARAMETER"]


async def test_it_reads_a_refusal_of_our_look_alike() -> None:
    async with seen(ses(Simulator(ids=IDS))) as (url, _):
        with pytest.raises(ClientError) as raised:
            await asyncio.to_thread(
                client("sesv2", url).send_email,
                Destination={"ToAddresses": ["refuse@shop.test"]},
                Content={"Simple": {"Subject": utf8("S"), "Body": {"Text": utf8("T")}}},
                EmailTags=tags(message()),
            )
    assert raised.value.response["Error"]["Code"] == "BadRequestException"


@pytest.mark.parametrize("token", [None, TOKEN])
async def test_what_we_send_is_signed_as_botocore_signs_it(token: str | None) -> None:
    async with seen(ses(Simulator(ids=IDS)), *SIGNED) as (url, got):
        await ours(url, message(body="Grüße 🎉"), session=Secret(token) if token else None)
    theirs = their_authorization(got[0], url, msgspec.json.encode(got[0].body), "ses", token)
    assert got[0].headers["Authorization"] == theirs
    assert got[0].headers.get("X-Amz-Security-Token") == token


@pytest.mark.parametrize(
    "url",
    [
        "https://email.eu-central-1.amazonaws.com/",
        "http://[::1]:8080/a b/ü",
        "https://proxy:443",
        "http://x:80/",
    ],
)
def test_any_url_is_signed_as_botocore_signs_it(url: str) -> None:
    signer = Signer(Credentials(KEY_ID, Secret(SECRET)), REGION, "ses")
    headers = signer.signed(url, "application/json", b"{}", CONTEXT.clock.now())
    at = Seen("POST", "", "", "application/json", {}, dict(headers))
    assert headers["Authorization"] == their_authorization(at, url, b"{}", "ses")
