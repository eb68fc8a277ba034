"""Push by Firebase Cloud Messaging (HTTP v1): `POST /v1/projects/{project}/messages:send`, one device a call.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.  The address is the device's
registration token or Firebase installation id.  Nothing tells a repeated call from a new one; a `collapseKey`
hides a double on the device.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Meta

from adapters.providers.kit.error_kinds import ErrorKind
from adapters.providers.kit.http import (
    HttpAnswer,
    HttpCalls,
    HttpSettings,
    NoAnswer,
    Unsent,
    error_outcome,
    no_reference,
    not_answered,
)
from adapters.providers.kit.oauth import AccessToken, AccessTokens
from adapters.providers.kit.push import app_data, dead_token, push_parts, too_large, without_empty
from adapters.providers.kit.requests import JSON
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.channel.parts import PushParts
from domain.kernel.errors import Misconfigured
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Deferred, Outcome

URL = "https://fcm.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105  where tokens are given, and their audience
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
SIZE_MAX = 4096
"""Bytes of notification and data, names and values."""
THROTTLE_WAIT = timedelta(seconds=60)
"""When it does not say how long: at least a minute, as it is documented."""
FRESH = timedelta(minutes=1)
"""A younger access token that is refused is not to blame."""
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"

CODES: Mapping[str, ErrorKind] = {
    "UNREGISTERED": ErrorKind.RECIPIENT,  # the app is gone, or has another token
    "SENDER_ID_MISMATCH": ErrorKind.UNREACHABLE,  # a device of another project, or we have the wrong one
    "THIRD_PARTY_AUTH_ERROR": ErrorKind.UNREACHABLE,  # the project's key for APNs or Web Push
    "INVALID_ARGUMENT": ErrorKind.REQUEST,  # the token, or anything else in it
    "QUOTA_EXCEEDED": ErrorKind.THROTTLED,
    "UNAVAILABLE": ErrorKind.TEMPORARY,
    "INTERNAL": ErrorKind.TEMPORARY,
    "UNAUTHENTICATED": ErrorKind.ACCOUNT,
    "PERMISSION_DENIED": ErrorKind.ACCOUNT,
    "RESOURCE_EXHAUSTED": ErrorKind.THROTTLED,
}
"""https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, and the statuses of Google's APIs."""


class ServiceAccount(msgspec.Struct, frozen=True):
    """The members that are needed of a service account's key file."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str
    token_uri: str = TOKEN_URL


class FcmSettings(HttpSettings, frozen=True, tag="fcm"):
    """Push by Firebase Cloud Messaging."""

    capabilities: ClassVar = Capabilities(channels=("push",), push_services=("fcm",), size_max=SIZE_MAX)

    credentials: Annotated[
        Secret | None, Meta(description="the JSON of a service account's key, as its file has it")
    ] = None

    def gateway(self, context: ProviderContext) -> "FcmGateway":
        """See `ProviderSettings`."""
        return FcmGateway(self, context.clock)

    @property
    def begins_within(self) -> timedelta:
        """An access token may be fetched first."""
        return 2 * self.timeout

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.credentials is None:
            yield "credentials", "is not set: FCM takes no message without a service account"
        try:
            account_of(self)
        except Misconfigured as fault:
            yield "credentials", str(fault)


def account_of(settings: FcmSettings) -> tuple[ServiceAccount, RSAPrivateKey | None]:
    """The service account and its key; None: it is not set.

    Raises:
        Misconfigured: it is no key file.
    """
    if settings.credentials is None:
        return ServiceAccount("", "", "", ""), None
    try:
        account = msgspec.json.decode(settings.credentials.reveal(), type=ServiceAccount)
        key = load_pem_private_key(account.private_key.encode(), password=None)
    except (msgspec.DecodeError, ValueError, TypeError):
        raise Misconfigured("is not the JSON of a service account's key") from None
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured("has a private key that is no RSA key")
    return account, key


class FcmGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: FcmSettings, clock: Clock) -> None:
        """Nothing is connected yet.

        Raises:
            Misconfigured: the service account's key cannot be read.
        """
        self._account, self._key = account_of(settings)
        self._clock = clock
        self._proven = False
        self._url = f"{settings.url or URL}/v1/projects/{self._account.project_id}/messages:send"
        self._calls = HttpCalls(settings)
        self._tokens = AccessTokens(
            calls=HttpCalls(settings), url=self._account.token_uri, assertion=self._assertion, clock=clock
        )

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the message's name at FCM."""
        parts = push_parts(message)
        if not isinstance(parts, PushParts):
            return parts
        content = {"title": message.subject, "body": message.body, "image": parts.image}
        data = app_data(message, parts)
        size = sum(len(f"{name}{text}".encode()) for name, text in [*content.items(), *data.items()] if text)
        if refusal := too_large(size, SIZE_MAX):
            return refusal
        token = await self._tokens.get()
        if not isinstance(token, AccessToken):
            return token
        document = {"message": {"token": message.address, **self._document(parts, content, data)}}
        headers = {**JSON, "Authorization": f"Bearer {token.value}"}
        try:
            answer = await self._calls.call(
                "POST", self._url, headers=headers, body=msgspec.json.encode(document)
            )
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer, token)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._tokens.aclose()
        await self._calls.aclose()

    def _assertion(self) -> str:
        if self._key is None:
            raise ValueError("no credentials")
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._account.client_email,
            "scope": SCOPE,
            "aud": TOKEN_URL,
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(claims, self._key, "RS256", headers={"kid": self._account.private_key_id})

    def _document(
        self, parts: PushParts, content: dict[str, str | None], data: dict[str, str]
    ) -> dict[str, Json]:
        seconds = None if parts.ttl is None else max(0, int(parts.ttl.total_seconds()))
        until = None if seconds is None else str(int(self._clock.now().timestamp()) + seconds)
        high = parts.urgency == "high"
        android = {
            "ttl": None if seconds is None else f"{seconds}s",
            "priority": parts.urgency and parts.urgency.upper(),
            "collapseKey": parts.collapse_key,
            "notification": {"sound": parts.sound, "notificationCount": parts.badge},
        }
        apns_headers = {
            "apns-expiration": until,
            "apns-priority": parts.urgency and ("10" if high else "5"),
            "apns-collapse-id": parts.collapse_key,
        }
        aps = {"sound": parts.sound, "badge": parts.badge, "mutable-content": 1 if parts.image else None}
        web_headers = {"TTL": None if seconds is None else str(seconds), "Urgency": parts.urgency}
        link = parts.link if parts.link and parts.link.startswith("https://") else None  # it takes no other
        document: dict[str, Json] = without_empty(
            {
                "notification": content,
                "data": data,
                "android": android,
                "apns": {
                    "headers": apns_headers,
                    "payload": {"aps": aps},
                    "fcmOptions": {"image": parts.image},
                },
                "webpush": {"headers": web_headers, "fcmOptions": {"link": link}},
            }
        )
        return document

    def _outcome(self, answer: HttpAnswer, token: AccessToken) -> Outcome:
        said = answer.json()
        members = said if isinstance(said, dict) else {}
        if answer.successful:
            name = members.get("name")
            self._proven = True
            return Accepted(name) if name and isinstance(name, str) else no_reference(answer)
        error = members.get("error")
        code, words = _code(error), error.get("message") if isinstance(error, dict) else None
        if answer.status == 401 and code != "THIRD_PARTY_AUTH_ERROR" and self._tokens.discard(token) > FRESH:
            return Deferred("401, and the next call has a new access token", timedelta(), examined=False)
        fault = CODES.get(code) if code else None
        wait = THROTTLE_WAIT if answer.status == 429 else None
        outcome = error_outcome(answer, self._clock.now(), fault, code=code, words=words, retry_after=wait)
        return dead_token(outcome, "fcm", answer.status, code, proven=self._proven)


def _code(error: Json) -> str | None:
    """FCM's own code, or else the status of Google's API."""
    if not isinstance(error, dict):
        return None
    details = error.get("details")
    for each in details if isinstance(details, list) else ():
        if (
            isinstance(each, dict)
            and each.get("@type") == _FCM_ERROR
            and isinstance(each.get("errorCode"), str)
        ):
            return str(each["errorCode"])
    status = error.get("status")
    return status if isinstance(status, str) else None
