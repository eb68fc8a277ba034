"""Our gateways against servers that play Amazon: `moto` (PyPI), which checks the signature, and
`aws-ses-v2-local` (npm), which has the bulk call that `moto` lacks.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from adapters.providers.email.ses import SesSettings
from adapters.providers.kit.settings import ProviderSettings
from adapters.providers.sms.sns import SnsSettings
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Outcome, Refused
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.aws import REGION, client
from tests.peers.servers import moto, node, running
from tests.support.gathering import together
from tests.support.sandbox import free_port

MAY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NUMBER = "+447700900123"


class Cloud(msgspec.Struct, frozen=True):
    """A `moto` that checks signatures, and a key that it knows."""

    url: str
    key_id: str
    secret: str


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with moto(tmp_path) as url:

        def key() -> Cloud:
            iam = client("iam", url)
            iam.create_user(UserName="shop")
            iam.put_user_policy(
                UserName="shop", PolicyName="all", PolicyDocument=msgspec.json.encode(MAY_ALL).decode()
            )
            made = iam.create_access_key(UserName="shop")["AccessKey"]
            client("sesv2", url).create_email_identity(EmailIdentity="shop.test")
            return Cloud(url, made["AccessKeyId"], made["SecretAccessKey"])

        made = await asyncio.to_thread(key)
        async with aiohttp.ClientSession() as session:  # from now on signatures count
            await session.post(
                f"{url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
            )
        yield made


async def outcomes(settings: ProviderSettings, *messages: OutboundMessage) -> list[Outcome]:
    async with closing(settings.gateway(CONTEXT)) as gateway:
        return list(await together(gateway, messages))


def ses(cloud: Cloud, **changes: Any) -> SesSettings:
    known = {"url": cloud.url, "region": REGION, "key_id": cloud.key_id, "secret": Secret(cloud.secret)}
    return SesSettings(**{**known, "sender": "The Shop <orders@shop.test>", **changes})


def sns(cloud: Cloud, **changes: Any) -> SnsSettings:
    known = {"url": cloud.url, "region": REGION, "key_id": cloud.key_id, "secret": Secret(cloud.secret)}
    return SnsSettings(**{**known, "sender": "SHOP", **changes})


async def test_moto_takes_our_email_and_our_signature(cloud: Cloud) -> None:
    [outcome] = await outcomes(ses(cloud), message(html_body="<p>Grüße 🎉</p>"))
    assert isinstance(outcome, Accepted)
    assert outcome.reference


async def test_moto_takes_our_text_message_and_our_signature(cloud: Cloud) -> None:
    [outcome] = await outcomes(sns(cloud), message(NUMBER, body="5 € & more: grüße 谢谢 🎉"))
    assert isinstance(outcome, Accepted)
    assert outcome.reference


async def test_a_wrong_secret_is_our_accounts_fault(cloud: Cloud) -> None:
    wrong = Secret("x" * 40)
    [email] = await outcomes(ses(cloud, secret=wrong), message())
    [text] = await outcomes(sns(cloud, secret=wrong), message(NUMBER))
    assert isinstance(email, AccountFault)
    assert isinstance(text, AccountFault)
    assert "SignatureDoesNotMatch" in f"{email.reason} {text.reason}"


async def test_moto_refuses_what_is_no_number(cloud: Cloud) -> None:
    [outcome] = await outcomes(sns(cloud), message("+0123"))
    assert isinstance(outcome, Refused)


async def test_a_sender_that_is_not_verified_is_our_accounts_fault(cloud: Cloud) -> None:
    [outcome] = await outcomes(ses(cloud, sender="x@elsewhere.test"), message())
    assert isinstance(outcome, AccountFault)


async def test_each_message_of_a_bulk_call_has_its_own_text(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [*node("aws-ses-v2-local/dist/cli.js"), "--host", "127.0.0.1", "--port", str(port)]
    texts = {"ada@shop.test": "Grüße {{name}} & <b>", "bob@shop.test": "5 € 🎉"}
    async with running(command, tmp_path / "ses.log", port):
        settings = SesSettings(
            url=url, region=REGION, key_id="any", secret=Secret("any"), sender="The Shop <shop@shop.test>"
        )
        sent = [  # without names, which it takes in single calls only
            message(to, name=None, subject=f"To {to}", body=text, html_body=f"<p>{text}</p>")
            for to, text in texts.items()
        ]
        answered = await outcomes(settings, *sent)
        async with aiohttp.ClientSession() as session, session.get(f"{url}/store") as answer:
            stored = (await answer.json())["emails"]
    assert all(isinstance(each, Accepted) for each in answered), answered
    assert len({each.reference for each in answered if isinstance(each, Accepted)}) == len(sent)
    got = {
        each["destination"]["to"][0]: (each["subject"], each["body"]["text"], each["body"]["html"])
        for each in stored
    }
    assert got == {to: (f"To {to}", text, f"<p>{text}</p>") for to, text in texts.items()}
