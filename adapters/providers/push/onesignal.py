"""Push by OneSignal: `POST /notifications`, https://documentation.onesignal.com/reference/create-message.

The address is the user's external id: OneSignal knows the user's devices.  A call that is repeated with the
delivery's id, for thirty days, sends nothing again.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar

import msgspec
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
from adapters.providers.kit.push import app_data, push_parts, too_large, without_empty
from adapters.providers.kit.requests import JSON
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.channel.parts import PushParts
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Outcome

URL = "https://api.onesignal.com"
DATA_MAX = 2048
"""Bytes of data."""
TEXT_MAX = 4096
"""Bytes of title and text: Apple and Google take no more."""
NO_TEXT = " "
"""For a message that has neither body nor subject: OneSignal wants one."""


class OneSignalSettings(HttpSettings, frozen=True, tag="onesignal"):
    """Push by OneSignal."""

    capabilities: ClassVar = Capabilities(
        channels=("push",), idempotency=timedelta(days=30), receipts=True, size_max=TEXT_MAX
    )

    app: Annotated[str | None, Meta(description="ID of the app")] = None
    key: Annotated[Secret | None, Meta(description="API key of the app, `os_v2_app_…`")] = None

    def gateway(self, context: ProviderContext) -> "OneSignalGateway":
        """See `ProviderSettings`."""
        return OneSignalGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        for name in ("app", "key"):
            if getattr(self, name) is None:
                yield name, "is not set: OneSignal takes no message without one"


class OneSignalGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: OneSignalSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        key = settings.key.reveal() if settings.key else ""
        self._calls = HttpCalls(settings, headers={"Authorization": f"Key {key}"})

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the message's id at OneSignal."""
        parts = push_parts(message)
        if not isinstance(parts, PushParts):
            return parts
        data = app_data(message, parts)
        text = f"{message.subject or ''}{message.body or ''}".encode()
        refusal = too_large(len(text), TEXT_MAX) or too_large(len(msgspec.json.encode(data)), DATA_MAX)
        if refusal:
            return refusal
        try:
            answer = await self._calls.call(
                "POST",
                f"{self._settings.url or URL}/notifications",
                headers=JSON,
                body=msgspec.json.encode(self._document(message, parts, data)),
            )
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer, message)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def _document(self, message: OutboundMessage, parts: PushParts, data: dict[str, str]) -> Json:
        image, badge = parts.image, parts.badge
        return without_empty(
            {
                "app_id": self._settings.app,
                "include_aliases": {"external_id": [message.address]},
                "target_channel": "push",
                "idempotency_key": str(message.delivery),
                "headings": {"en": message.subject if message.body else None},
                "contents": {"en": message.body or message.subject or NO_TEXT},
                "data": data,
                "url": parts.link,
                "big_picture": image,
                "chrome_web_image": image,
                "ios_attachments": {"image": image},
                "ios_badgeType": None if badge is None else "SetTo",
                "ios_badgeCount": badge,
                "ios_sound": parts.sound,
                "collapse_id": parts.collapse_key,
                "ttl": None if parts.ttl is None else max(0, int(parts.ttl.total_seconds())),
                "priority": {"high": 10, "normal": 5, None: None}[parts.urgency],
            }
        )

    def _outcome(self, answer: HttpAnswer, message: OutboundMessage) -> Outcome:
        said = answer.json()
        members = said if isinstance(said, dict) else {}
        errors, reference = members.get("errors"), members.get("id")
        if not answer.successful:
            words = errors[0] if isinstance(errors, list) and errors else None
            return error_outcome(answer, self._clock.now(), words=words)
        if reference == "" or _is_unknown(errors, message.address):  # made for nobody, or not at all
            return error_outcome(answer, self._clock.now(), ErrorKind.RECIPIENT, code="no device")
        return Accepted(reference) if reference and isinstance(reference, str) else no_reference(answer)


def _is_unknown(errors: Json, address: str) -> bool:
    """Whether these errors name the only user that was asked for."""
    aliases = errors.get("invalid_aliases") if isinstance(errors, dict) else None
    named = aliases.get("external_id") if isinstance(aliases, dict) else None
    return isinstance(named, list) and address in named
