"""E-mail by SendGrid: `POST /v3/mail/send`,
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send.

Messages with the same content share a call, in which each has a personalization of its own.  Those that
differ take a call each: what SendGrid fills in for a recipient may have 10,000 bytes, too few for a body.

A call is sent as a whole or not at all: 202, or an error that names what is wrong in `field`.  Where that is
one recipient, the others are sent anew without it, once.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from adapters.providers.kit.batches import MessageBatches
from adapters.providers.kit.email import NO_TEXT, EmailSettings, email_parts, refused_unsent
from adapters.providers.kit.error_kinds import ErrorKind
from adapters.providers.kit.http import (
    RETRY_AFTER_MAX,
    HttpAnswer,
    HttpCalls,
    NoAnswer,
    Unsent,
    error_outcome,
    no_reference,
    not_answered,
)
from adapters.providers.kit.requests import JSON, correlation
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Deferred, Outcome

URL = "https://api.sendgrid.com"
WAITING_MAX = 8
"""Messages in work for each connection: if none can share a call they still find one within
`batches.WAIT_MAX`, at up to 125 ms a call."""
_PERSONALIZATION = re.compile(r"personalizations\.(\d+)\.(to\b)?")


class SendGridSettings(EmailSettings, frozen=True, tag="sendgrid"):
    """E-mail by SendGrid."""

    capabilities: ClassVar = Capabilities(
        channels=("email",), batch_max=1_000, receipts=True, size_max=30_000_000
    )

    key: Annotated[Secret | None, Meta(description="API key with the scope `mail.send`")] = None

    @property
    def calls_max(self) -> int:
        """Most messages differ, and those that do take a call each."""
        return self.pool * WAITING_MAX

    def gateway(self, context: ProviderContext) -> "SendGridGateway":
        """See `ProviderSettings`."""
        return SendGridGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.key is None:
            yield "key", "is not set: SendGrid takes no message without one"


class SendGridGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: SendGridSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        key = settings.key.reveal() if settings.key else ""
        self._calls = HttpCalls(settings, headers={**JSON, "Authorization": f"Bearer {key}"})
        self._batches = MessageBatches(
            call=self._send, most=settings.capabilities.batch_max, at_a_time=settings.pool, group=_content
        )

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call, with others; Accepted's reference is SendGrid's X-Message-Id, with the message's
        place among several in one call (`…/2`), for they get one id together."""
        return refused_unsent(message) or await self._batches.send(message)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    async def _send(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        outcomes, faulty = await self._call(messages)
        rest = [each for index, each in enumerate(messages) if index not in faulty]
        if not faulty or not rest:
            return outcomes
        again = iter((await self._call(rest))[0])
        return [each if index in faulty else next(again) for index, each in enumerate(outcomes)]

    async def _call(self, messages: Sequence[OutboundMessage]) -> tuple[Sequence[Outcome], set[int]]:
        """The outcomes of one call, and the places of the messages that alone are at fault."""
        body = msgspec.json.encode(self._document(messages))
        try:
            answer = await self._calls.call("POST", f"{self._settings.url or URL}/v3/mail/send", body=body)
        except (Unsent, NoAnswer) as error:
            return [not_answered(error)] * len(messages), set()
        if answer.successful:
            return _accepted(answer, len(messages)), set()
        return self._failed(answer, len(messages))

    def _failed(self, answer: HttpAnswer, count: int) -> tuple[Sequence[Outcome], set[int]]:
        now = self._clock.now()
        errors = _errors(answer)
        own: dict[int, Outcome] = {}
        for field, words in errors if answer.status == 400 else ():
            if (match := _PERSONALIZATION.match(field)) and (place := int(match[1])) < count:
                kind = ErrorKind.RECIPIENT if match[2] else ErrorKind.REQUEST
                own.setdefault(place, error_outcome(answer, now, kind, words=words))
        if own:
            others = Deferred("400 another message of the call was refused")
            return [own.get(place, others) for place in range(count)], set(own)
        field, words = errors[0] if errors else ("", "")
        # The sender is configured: whoever the message is for, it would be refused.
        kind_ = ErrorKind.ACCOUNT if answer.status == 400 and field.partition(".")[0] == "from" else None
        outcome = error_outcome(answer, now, kind_, words=words, retry_after=_reset(answer, now))
        return [outcome] * count, set()

    def _document(self, messages: Sequence[OutboundMessage]) -> dict[str, Json]:
        first = messages[0]
        parts = email_parts(first)
        texts = (("text/plain", first.body), ("text/html", first.html_body))
        document: dict[str, Json] = {
            "personalizations": [
                {"to": [_mailbox(each.name, each.address)], "custom_args": correlation(each)}
                for each in messages
            ],
            "from": _written(parts.sender or self._settings.sender),
            "subject": first.subject or NO_TEXT,
            "content": [{"type": type_, "value": text} for type_, text in texts if text]
            or [{"type": "text/plain", "value": NO_TEXT}],
            "categories": [first.type],
        }
        if reply_to := parts.reply_to or self._settings.reply_to:
            document["reply_to"] = _written(reply_to)
        if parts.attachments:
            document["attachments"] = [
                {"content": each.content, "type": each.type, "filename": each.name}
                for each in parts.attachments
            ]
        return document


def _content(message: OutboundMessage) -> Hashable:
    """All that is the same for the messages of one call."""
    parts = msgspec.json.encode(message.parts, order="sorted")
    return message.type, message.subject, message.body, message.html_body, parts


def _mailbox(name: str | None, address: str) -> dict[str, str]:
    return {"email": address, **({"name": " ".join(name.split())} if name else {})}


def _written(header: str) -> dict[str, str]:
    """A From or Reply-To address as a header has it."""
    name, address = parseaddr(header)
    return _mailbox(name, address or header)


def _accepted(answer: HttpAnswer, count: int) -> Sequence[Outcome]:
    reference = answer.headers.get("X-Message-Id")
    if not reference:
        return [no_reference(answer)] * count
    return [Accepted(reference if count == 1 else f"{reference}/{place}") for place in range(count)]


def _errors(answer: HttpAnswer) -> list[tuple[str, str]]:
    """Field and words of each error; some have no field."""
    said = answer.json()
    errors = said.get("errors") if isinstance(said, dict) else None
    found = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    return [(str(each.get("field") or ""), str(each.get("message") or "")) for each in found]


def _reset(answer: HttpAnswer, now: datetime) -> timedelta | None:
    """How long until calls are counted anew, by X-RateLimit-Reset in epoch seconds."""
    try:
        wait = datetime.fromtimestamp(float(answer.headers.get("X-RateLimit-Reset", "")), UTC) - now
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(wait, timedelta(seconds=1)), RETRY_AFTER_MAX)
