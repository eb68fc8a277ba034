"""Webhooks: judged by `standardwebhooks`, the standard's own library, as a receiver uses it."""

import base64
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.contract.test_webhook_gateway import OTHER, SECRET, made
from tests.support.answering import Asked, Said, answering

NOBODYS = "whsec_" + base64.b64encode(b"n" * 32).decode()


async def sent(**settings: Any) -> Asked:
    async with answering(Said(204)) as server, closing(made(**settings)) as gateway:
        assert isinstance(await gateway.send(message(server.url, body="Grüße, 谢谢 🎉")), Accepted)
    [asked] = server.asked
    return asked


async def test_a_receiver_verifies_what_we_send() -> None:
    asked = await sent()
    document = Webhook(SECRET).verify(asked.body, dict(asked.headers))
    assert document == asked.json()
    assert document["data"]["body"] == "Grüße, 谢谢 🎉"
    with pytest.raises(WebhookVerificationError):
        Webhook(NOBODYS).verify(asked.body, dict(asked.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(asked.body + b" ", dict(asked.headers))


async def test_while_a_secret_changes_receivers_with_either_verify_it() -> None:
    asked = await sent(secret=Secret(OTHER), secret_before=Secret(SECRET))
    for secret in (OTHER, SECRET):
        Webhook(secret).verify(asked.body, dict(asked.headers))
