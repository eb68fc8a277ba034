"""E-mail by Postmark: `POST /email/batch`, https://postmarkapp.com/developer/api/email-api.

A batch answers for each message by itself.  A code of 0 is success; what the others mean: `CODES`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from adapters.providers.kit.batches import MessageBatches
from adapters.providers.kit.email import NO_TEXT, EmailSettings, email_parts, recipient, refused_unsent
from adapters.providers.kit.error_kinds import ErrorKind
from adapters.providers.kit.http import (
    HttpAnswer,
    HttpCalls,
    NoAnswer,
    Unsent,
    error_outcome,
    no_reference,
    not_answered,
)
from adapters.providers.kit.requests import CORRELATION, JSON, correlation, is_of, present, with_query
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.lookup import Absent, Finding, Found, Unclear
from domain.provider.outcome import Accepted, Outcome

FOUND_MAX = 100
"""Messages of one delivery that are looked at: there is one for each attempt that Postmark took."""
URL = "https://api.postmarkapp.com"
CODES: Mapping[int, ErrorKind] = {
    10: ErrorKind.ACCOUNT,  # no such server token
    100: ErrorKind.TEMPORARY,  # maintenance
    300: ErrorKind.REQUEST,  # something in it is invalid
    400: ErrorKind.ACCOUNT,  # the sender is unknown
    401: ErrorKind.ACCOUNT,  # the sender is not confirmed
    402: ErrorKind.REQUEST,
    403: ErrorKind.REQUEST,
    405: ErrorKind.ACCOUNT,  # no credits left
    406: ErrorKind.RECIPIENT,  # inactive: it bounced or complained before
    409: ErrorKind.REQUEST,
    410: ErrorKind.REQUEST,
    411: ErrorKind.REQUEST,
    412: ErrorKind.ACCOUNT,  # not approved yet
    413: ErrorKind.ACCOUNT,
}
"""https://postmarkapp.com/developer/api/overview#error-codes"""


class PostmarkSettings(EmailSettings, frozen=True, tag="postmark"):
    """E-mail by Postmark."""

    capabilities: ClassVar = Capabilities(
        channels=("email",),
        batch_max=500,
        receipts=True,
        lookup=True,
        lookup_after=timedelta(minutes=2),  # its index is late by seconds
        size_max=10_000_000,
    )

    token: Annotated[Secret | None, Meta(description="server API token")] = None
    stream: Annotated[str, Meta(description="message stream")] = "outbound"

    def gateway(self, context: ProviderContext) -> "PostmarkGateway":
        """See `ProviderSettings`."""
        return PostmarkGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.token is None:
            yield "token", "is not set: Postmark takes no message without one"


class PostmarkGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: PostmarkSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        token = settings.token.reveal() if settings.token else ""
        self._calls = HttpCalls(settings, headers={"X-Postmark-Server-Token": token})
        self._batches = MessageBatches(
            call=self._send, most=settings.capabilities.batch_max, at_a_time=settings.pool
        )

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call, with others; Accepted's reference is Postmark's MessageID."""
        return refused_unsent(message) or await self._batches.send(message)

    async def find(self, delivery: UUID, attempts: Collection[int]) -> Finding:
        """See `AskableGateway`.  Postmark is asked for our id in the message's metadata."""
        fields = {f"metadata_{CORRELATION}": str(delivery), "count": str(FOUND_MAX), "offset": "0"}
        url = with_query(f"{self._settings.url or URL}/messages/outbound", fields)
        try:
            answer = await self._calls.call("GET", url)
        except (Unsent, NoAnswer) as error:
            return Unclear(str(error))
        said = answer.json()
        messages = said.get("Messages") if isinstance(said, dict) else None
        if not (answer.successful and isinstance(messages, list)):
            return Unclear(f"{answer.status}, and no list of messages")
        for each in messages:
            metadata = each.get("Metadata") if isinstance(each, dict) else None
            if isinstance(metadata, dict) and is_of(metadata, delivery, attempts):
                return Found(str(each.get("MessageID")))
        return Absent()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    async def _send(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        body = msgspec.json.encode([self._document(message) for message in messages])
        try:
            answer = await self._calls.call(
                "POST",
                f"{self._settings.url or URL}/email/batch",
                headers=JSON,
                body=body,
            )
        except (Unsent, NoAnswer) as error:
            return [not_answered(error)] * len(messages)
        said = answer.json()
        if answer.successful and isinstance(said, list) and len(said) == len(messages):
            return [self._outcome(answer, each) for each in said]
        if answer.successful:
            return [no_reference(answer)] * len(messages)
        return [self._outcome(answer, said)] * len(messages)

    def _document(self, message: OutboundMessage) -> dict[str, Json]:
        parts = email_parts(message)
        attachments = [
            {"Name": each.name, "Content": each.content, "ContentType": each.type}
            for each in parts.attachments
        ]
        document = {
            "From": parts.sender or self._settings.sender,
            "To": recipient(message),
            "ReplyTo": parts.reply_to or self._settings.reply_to,
            "Subject": message.subject or "",
            "TextBody": message.body,
            "HtmlBody": message.html_body,
            "MessageStream": self._settings.stream,
            "Metadata": correlation(message),
            "Attachments": attachments or None,
        }
        if not (message.body or message.html_body):
            document["TextBody"] = NO_TEXT
        return present(document)

    def _outcome(self, answer: HttpAnswer, said: Json) -> Outcome:
        """What the answer says of one message, or of the whole call."""
        code = said.get("ErrorCode") if isinstance(said, dict) else None
        if answer.successful and code == 0:
            reference = said.get("MessageID")
            return Accepted(str(reference)) if reference else no_reference(answer)
        words = said.get("Message") if isinstance(said, dict) else None
        fault = CODES.get(code) if isinstance(code, int) else None
        if fault is None and answer.successful:
            fault = ErrorKind.REQUEST
        return error_outcome(answer, self._clock.now(), fault, code=code, words=words)
