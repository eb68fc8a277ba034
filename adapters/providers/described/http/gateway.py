"""The generic HTTP gateway: carries messages as a description says.

A URL whose beginning the description fixes is called as it stands, where the operator has written the
description; one that came through the API, or from a recipient's address, leads to the public internet and to
the networks of the settings alone (`adapters.http.egress`).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from adapters.http.egress import Egress, Network
from adapters.providers.described.http.answer import AnswerReader
from adapters.providers.described.http.request import AUTH, RequestTemplate, Unplaceable
from adapters.providers.kit.http import HttpCalls, NoAnswer, Unsent, not_answered
from adapters.providers.kit.http_bounds import HttpBounds
from adapters.providers.kit.requests import client_reference
from adapters.providers.kit.settings import ProviderContext, ProviderSettings
from application.kernel.ports import Clock
from application.kernel.supervision import start
from application.provider.ports import OutboundMessage
from application.secret.ports import Secrets
from domain.kernel.errors import Invalid, Misconfigured, SecretUnavailable
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.description import DESCRIPTION_MAX, JsonDocument, NoAuth, ProviderDescription
from domain.provider.description_checks import faults
from domain.provider.outcome import AccountFault, Outcome, Refused


class HttpDescriptionSettings(ProviderSettings, frozen=True, tag="http"):
    """Messages of any channel, as a file describes it."""

    capabilities: ClassVar = Capabilities()

    description: Annotated[
        Path | None,
        Meta(description="file of the description, `.json` or `.toml`: see docs/channels-by-data.md"),
    ] = None

    def gateway(self, context: ProviderContext) -> "DescribedGateway":
        """See `ProviderSettings`."""
        return DescribedGateway(
            _described(self.description), clock=context.clock, secrets=context.secrets, networks=None
        )

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.description is None:
            yield "description", "is not set: name the file that describes the provider"
            return
        try:
            _described(self.description)
        except Misconfigured as fault:
            yield "description", f"is {self.description}: {fault}"


def _described(path: Path | None) -> ProviderDescription:
    """
    Raises:
        Misconfigured: it cannot be read, or something is wrong with it.
    """
    if path is None:  # `faults` says so
        return _NOTHING
    try:
        content = path.read_bytes()[: DESCRIPTION_MAX + 1]
        decode = msgspec.toml.decode if path.suffix == ".toml" else msgspec.json.decode
        read = decode(content, type=ProviderDescription)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Misconfigured(f"it cannot be read: {error}") from None
    if found := list(faults(read)):
        raise Misconfigured(str(Invalid(*found[:3])))
    return read


_NOTHING = ProviderDescription(url="https://nowhere.invalid/", body=JsonDocument(document={}))


class DescribedGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py.

    Args:
        networks: allowed though they are not public; None: the operator has written the description, and its
            URL leads wherever it says.
    """

    def __init__(
        self,
        described: ProviderDescription,
        *,
        clock: Clock,
        secrets: Secrets,
        networks: Sequence[Network] | None,
    ) -> None:
        """Nothing is connected yet."""
        self.described = described
        self._clock = clock
        self._secrets = secrets
        self._template = RequestTemplate(described)
        self._answers = AnswerReader(described)
        self._networks: Sequence[Network] | None = networks
        if networks is None and self._template.url_is_given:
            self._networks = ()
        self._calls: dict[bool, HttpCalls] = {}
        self._under_way = 0
        self._retired = False
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def calls_max(self) -> int:
        """Calls that one process makes at a time."""
        return self.described.limits.connections

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the provider's id, or ours where it gives none."""
        self._under_way += 1
        try:
            return await self._send(message)
        finally:
            self._under_way -= 1
            if self._retired and not self._under_way:
                start("described provider", self.aclose(), among=self._closing)

    def retire(self) -> None:
        """Another description has taken its place: close as soon as the calls under way have ended."""
        self._retired = True
        if not self._under_way:
            start("described provider", self.aclose(), among=self._closing)

    async def aclose(self) -> None:
        """Close the connections."""
        calls, self._calls = list(self._calls.values()), {}
        for each in calls:
            await each.aclose()

    async def _send(self, message: OutboundMessage) -> Outcome:
        try:
            secrets = await self._revealed()
        except SecretUnavailable as fault:
            return AccountFault(f"a secret is not to be had: {fault}")
        try:
            request = self._template.request(message, secrets)
        except Unplaceable as fault:
            return Refused(f"not called: {fault}", examined=False)
        secure = request.url.startswith("https:")
        try:
            answer = await self._connections(secure).call(
                request.method, request.url, headers=request.headers, body=request.body
            )
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._answers.outcome(answer, client_reference(message), self._clock.now())

    async def _revealed(self) -> Mapping[str, Secret]:
        named = dict(self.described.secrets)
        if not isinstance(self.described.auth, NoAuth):
            named[AUTH] = self.described.auth.secret
        return {name: await self._secrets.get(reference) for name, reference in named.items()}

    def _connections(self, secure: bool) -> HttpCalls:
        """Those of one scheme: without TLS only the networks of the settings may be called."""
        if secure not in self._calls:
            limits = self.described.limits
            bounds = HttpBounds(pool=limits.connections, timeout=timedelta(seconds=limits.timeout_seconds))
            egress = None
            if self._networks is not None:
                egress = Egress(secure=secure, networks=self._networks)
            self._calls[secure] = HttpCalls(bounds, egress=egress)
        return self._calls[secure]
