"""Signature Version 4, as AWS wants its requests signed:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.

For calls whose body is at hand and whose URL has no query.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

from adapters.providers.kit.error_kinds import ErrorKind
from domain.kernel.secret import Secret

ALGORITHM = "AWS4-HMAC-SHA256"

Region = Annotated[str, Meta(description="AWS region, such as `eu-central-1`", pattern=r"^[a-z0-9-]+\Z")]
KeyId = Annotated[str, Meta(description="access key id")]
SecretKey = Annotated[Secret | None, Meta(description="secret access key")]
SessionToken = Annotated[Secret | None, Meta(description="session token of temporary credentials")]

ERRORS: Mapping[str, ErrorKind] = {
    "AccessDenied": ErrorKind.ACCOUNT,
    "AccessDeniedException": ErrorKind.ACCOUNT,
    "AuthFailure": ErrorKind.ACCOUNT,
    "AuthorizationError": ErrorKind.ACCOUNT,
    "ExpiredToken": ErrorKind.ACCOUNT,
    "ExpiredTokenException": ErrorKind.ACCOUNT,
    "IncompleteSignature": ErrorKind.ACCOUNT,
    "InvalidClientTokenId": ErrorKind.ACCOUNT,
    "InvalidSecurity": ErrorKind.ACCOUNT,
    "InvalidSignatureException": ErrorKind.ACCOUNT,
    "MissingAuthenticationToken": ErrorKind.ACCOUNT,
    "NotAuthorized": ErrorKind.ACCOUNT,
    "OptInRequired": ErrorKind.ACCOUNT,
    "RequestExpired": ErrorKind.ACCOUNT,  # our clock is wrong
    "RequestTimeTooSkewed": ErrorKind.ACCOUNT,
    "SignatureDoesNotMatch": ErrorKind.ACCOUNT,  # or our clock is wrong
    "UnrecognizedClientException": ErrorKind.ACCOUNT,
    "InternalFailure": ErrorKind.TEMPORARY,
    "ServiceUnavailable": ErrorKind.TEMPORARY,
    "RequestLimitExceeded": ErrorKind.THROTTLED,
    "Throttled": ErrorKind.THROTTLED,
    "ThrottledException": ErrorKind.THROTTLED,
    "Throttling": ErrorKind.THROTTLED,
    "ThrottlingException": ErrorKind.THROTTLED,
}
"""What all services answer, some of it with status 400:
https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html."""


class Credentials(msgspec.Struct, frozen=True):
    """The access key of an account."""

    key_id: str
    secret: Secret | None
    session: Secret | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is missing: the name of the setting, and what is wrong with it."""
        if not self.key_id:
            yield "key_id", "is not set: AWS takes no request without an access key"
        if self.secret is None:
            yield "secret", "is not set: AWS takes no request without an access key"


class Signer(msgspec.Struct, frozen=True):
    """Signs the calls of one account to one service."""

    credentials: Credentials
    region: str
    service: str

    def signed(self, url: str, content_type: str, body: bytes, now: datetime) -> Mapping[str, str]:
        """The headers of a POST: Host, Content-Type, and what proves who sends it.

        Args:
            now: aware; AWS refuses what is more than five minutes away from its own clock.
        """
        at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = {"Content-Type": content_type, "Host": _host(url), "X-Amz-Date": at}
        if self.credentials.session is not None:
            headers["X-Amz-Security-Token"] = self.credentials.session.reveal()
        names = ";".join(sorted(name.lower() for name in headers))
        request = "\n".join(
            [
                "POST",
                quote(urlsplit(url).path or "/", safe="/-_.~"),
                "",  # no query
                *sorted(f"{name.lower()}:{' '.join(value.split())}" for name, value in headers.items()),
                "",
                names,
                hashlib.sha256(body).hexdigest(),
            ]
        )
        scope = f"{at[:8]}/{self.region}/{self.service}/aws4_request"
        to_sign = "\n".join([ALGORITHM, at, scope, hashlib.sha256(request.encode()).hexdigest()])
        signature = hmac.digest(self._key(at[:8]), to_sign.encode(), "sha256").hex()
        credential = f"Credential={self.credentials.key_id}/{scope}"
        proof = f"{ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "Authorization": proof}

    def _key(self, day: str) -> bytes:
        secret = self.credentials.secret
        key = f"AWS4{secret.reveal() if secret else ''}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def _host(url: str) -> str:
    """Host and port as the header has them: without the port that everybody expects."""
    at = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(at.scheme)
    host = at.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if at.port in (None, usual) else f"{host}:{at.port}"
