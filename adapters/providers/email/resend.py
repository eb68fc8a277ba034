"""E-mail by Resend: `POST /emails/batch`, https://resend.com/docs/api-reference/emails/send-batch-emails.

A batch is validated message by message (`x-batch-validation: permissive`): those that are wrong are named by
their place, the others are sent.  A batch carries no attachments, so a message that has some goes alone, by
`POST /emails`; so does one whose call may have to be repeated, for the key of a batch is that of all its
messages together.  What error names mean: `NAMES`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, ClassVar

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
from adapters.providers.kit.requests import JSON, client_reference, correlation, present
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.kernel.bounds import Count
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Outcome

URL = "https://api.resend.com"
BATCH, SINGLE = "/emails/batch", "/emails"
NAMES: Mapping[str, ErrorKind] = {
    "application_error": ErrorKind.TEMPORARY,
    "concurrent_idempotent_requests": ErrorKind.UNKNOWN,  # the same attempt is being sent by another call
    "daily_quota_exceeded": ErrorKind.ACCOUNT,
    "internal_server_error": ErrorKind.TEMPORARY,
    "invalid_access": ErrorKind.ACCOUNT,
    "invalid_api_key": ErrorKind.ACCOUNT,
    "invalid_from_address": ErrorKind.ACCOUNT,
    "invalid_idempotent_request": ErrorKind.UNKNOWN,  # the same attempt was sent, with other content
    "missing_api_key": ErrorKind.ACCOUNT,
    "monthly_quota_exceeded": ErrorKind.ACCOUNT,
    "not_found": ErrorKind.ACCOUNT,
    "rate_limit_exceeded": ErrorKind.THROTTLED,
    "restricted_api_key": ErrorKind.ACCOUNT,
    "security_error": ErrorKind.ACCOUNT,
}
"""https://resend.com/docs/api-reference/errors.  `validation_error` comes with many statuses: they decide."""


class ResendSettings(EmailSettings, frozen=True, tag="resend"):
    """E-mail by Resend."""

    capabilities: ClassVar = Capabilities(
        channels=("email",),
        batch_max=100,
        idempotency=timedelta(hours=24),
        receipts=True,
        size_max=40_000_000,
    )

    key: Annotated[Secret | None, Meta(description="API key, `re_…`")] = None
    pool: Annotated[
        Count,
        Meta(description="connections of one process, so calls at a time; Resend allows few calls a second"),
    ] = 2

    def gateway(self, context: ProviderContext) -> "ResendGateway":
        """See `ProviderSettings`."""
        return ResendGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.key is None:
            yield "key", "is not set: Resend takes no message without one"


class ResendGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: ResendSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        key = settings.key.reveal() if settings.key else ""
        self._calls = HttpCalls(settings, headers={**JSON, "Authorization": f"Bearer {key}"})
        self._batches = MessageBatches(
            call=self._send_batch, most=settings.capabilities.batch_max, at_a_time=settings.pool
        )

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call, with others; Accepted's reference is Resend's id of the message."""
        if (refusal := refused_unsent(message)) is not None:
            return refusal
        if message.alone or email_parts(message).attachments:
            return await self._send_alone(message)
        return await self._batches.send(message)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    async def _send_batch(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        documents = [self._document(message) for message in messages]
        try:
            answer = await self._call(BATCH, messages, documents)
        except (Unsent, NoAnswer) as error:
            return [not_answered(error)] * len(messages)
        said = answer.json()
        if not answer.successful:
            return [self._failed(answer, said)] * len(messages)
        return self._results(answer, said, len(messages))

    async def _send_alone(self, message: OutboundMessage) -> Outcome:
        try:
            answer = await self._call(SINGLE, [message], self._document(message))
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        said = answer.json()
        return _accepted(answer, said) if answer.successful else self._failed(answer, said)

    async def _call(self, path: str, messages: Sequence[OutboundMessage], body: Json) -> HttpAnswer:
        headers = {"Idempotency-Key": _key(messages)}
        if path == BATCH:
            headers["x-batch-validation"] = "permissive"
        url = f"{self._settings.url or URL}{path}"
        return await self._calls.call("POST", url, headers=headers, body=msgspec.json.encode(body))

    def _document(self, message: OutboundMessage) -> dict[str, Json]:
        parts = email_parts(message)
        attachments = [
            {"filename": each.name, "content": each.content, "content_type": each.type}
            for each in parts.attachments
        ]
        return present(
            {
                "from": parts.sender or self._settings.sender,
                "to": [recipient(message)],
                "reply_to": parts.reply_to or self._settings.reply_to,
                "subject": message.subject or NO_TEXT,
                "text": message.body if message.body or message.html_body else NO_TEXT,
                "html": message.html_body,
                "tags": [{"name": name, "value": value} for name, value in correlation(message).items()],
                "attachments": attachments or None,
            }
        )

    def _results(self, answer: HttpAnswer, said: Json, count: int) -> Sequence[Outcome]:
        """What a batch says of its messages: ids of those that are sent, in order; errors of the others."""
        ids, errors = _listed(said, "data"), _listed(said, "errors")
        wrong = {each.get("index"): self._wrong(answer, each.get("message")) for each in errors}
        sent = iter(ids)
        if len(ids) + len(wrong) != count or not set(wrong) <= set(range(count)):
            return [wrong.get(place) or no_reference(answer) for place in range(count)]
        return [wrong.get(place) or _accepted(answer, next(sent)) for place in range(count)]

    def _wrong(self, answer: HttpAnswer, words: Json) -> Outcome:
        """The outcome of a message that a batch has left out; the sender is the same for all."""
        kind = ErrorKind.ACCOUNT if "`from`" in str(words) else ErrorKind.REQUEST
        return error_outcome(answer, self._clock.now(), kind, words=words)

    def _failed(self, answer: HttpAnswer, said: Json) -> Outcome:
        known = said if isinstance(said, dict) else {}
        name, words = known.get("name"), known.get("message")
        kind = NAMES.get(name) if isinstance(name, str) else None
        if kind is None and answer.status in {400, 422} and _ours(words):
            kind = ErrorKind.ACCOUNT
        return error_outcome(answer, self._clock.now(), kind, code=name if kind else None, words=words)


def _key(messages: Sequence[OutboundMessage]) -> str:
    """The same for the same attempts in the same order, whoever calls and whenever."""
    return sha256("\n".join(map(client_reference, messages)).encode()).hexdigest()


def _accepted(answer: HttpAnswer, said: Json) -> Outcome:
    reference = said.get("id") if isinstance(said, dict) else None
    return Accepted(str(reference)) if reference else no_reference(answer)


def _listed(said: Json, name: str) -> list[dict[str, Json]]:
    """A list of objects within the answer; empty when it is none."""
    listed = said.get(name) if isinstance(said, dict) else None
    known = listed if isinstance(listed, list) else []
    return known if all(isinstance(each, dict) for each in known) else []


def _ours(words: Json) -> bool:
    """Whether an error is about the sender or the key: a `validation_error` says so in its words alone."""
    said = str(words)
    return "`from`" in said or "API key" in said
