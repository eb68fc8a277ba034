"""FCM on this host, and a service account as its key file has it, with a key of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.providers.kit.settings import ProviderContext
from adapters.providers.push.fcm import FcmGateway, FcmSettings
from adapters.system import SystemDice
from domain.kernel.secret import Secret
from tests.support.answering import Answering, Said, answering
from tests.support.clock import HandClock


@cache
def key() -> RSAPrivateKey:
    """Its private key."""
    return generate_private_key(65537, 2048)


def document(token_url: str) -> dict[str, str]:
    """The file's members, and more than anybody needs of them."""
    pem = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "type": "service_account",
        "project_id": "shop-1234",
        "private_key_id": "1f2e3d",
        "private_key": pem.decode(),
        "client_email": "posthorn@shop-1234.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_url,
    }


def credentials(token_url: str) -> Secret:
    """The file as a setting."""
    return Secret(msgspec.json.encode(document(token_url)).decode())


TOKEN = Said(200, {"access_token": "ya29.one", "expires_in": 3599, "token_type": "Bearer"})
ANOTHER = Said(200, {"access_token": "ya29.two", "expires_in": 3599, "token_type": "Bearer"})
TAKEN = Said(200, {"name": "projects/shop-1234/messages/0:15004"})


def refused(status: int, name: str, code: str | None = None, **headers: str) -> Said:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest"}]
    if code:
        details.append({"@type": kind, "errorCode": code})
    error = {"code": status, "message": "Requested entity", "status": name, "details": details}
    return Said(status, {"error": error}, headers)


@asynccontextmanager
async def fcm(
    *answers: Said, tokens: tuple[Said, ...] = (TOKEN,), clock: HandClock | None = None
) -> AsyncIterator[tuple[FcmGateway, Answering, Answering]]:
    """The gateway, FCM, and Google's token endpoint."""
    async with answering(*answers) as there, answering(*tokens) as google:
        settings = FcmSettings(
            url=there.url, credentials=credentials(f"{google.url}/token"), timeout=timedelta(seconds=1)
        )
        context = ProviderContext(
            clock=clock or HandClock(), dice=SystemDice(), call_max=timedelta(seconds=30)
        )
        gateway = settings.gateway(context)
        try:
            yield gateway, there, google
        finally:
            await gateway.aclose()
