"""E-mail by Mailgun: `POST /v3/{domain}/messages`, https://documentation.mailgun.com/docs/mailgun/api-reference.

A message is a form; one with attachments is sent as multipart.  Its Message-Id is made of our delivery's
id, the same on every attempt: receivers can tell that two copies are one, and Mailgun's events can be asked
for it.  Our delivery and its attempt are variables (`v:…`), which every webhook gives back.  An error is
named by its words alone: `WORDS`.
"""

from base64 import b64decode
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote
from uuid import UUID

import aiohttp
from msgspec import Meta

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
from adapters.providers.kit.requests import FORM, basic_auth, correlation, form, is_of, present, with_query
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.channel.parts import Attachment
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.lookup import Absent, Finding, Found, Unclear
from domain.provider.outcome import Accepted, Outcome, Refused

URLS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
EVENTS_MAX = 300
"""Events that are looked at: of one message there are a few."""
WORDS: Sequence[tuple[str, ErrorKind]] = (
    ("limit exceeded", ErrorKind.THROTTLED),
    ("to parameter is not a valid address", ErrorKind.RECIPIENT),
    ("from parameter", ErrorKind.ACCOUNT),
    ("sandbox", ErrorKind.UNREACHABLE),  # a sandbox domain sends to authorised recipients only
    ("not allowed to send", ErrorKind.ACCOUNT),
    ("disabled", ErrorKind.ACCOUNT),
)
"""Parts of the words of errors with status 400 or 403, without quotation marks and in small letters; the
first that fits counts."""


class MailgunSettings(EmailSettings, frozen=True, tag="mailgun"):
    """E-mail by Mailgun."""

    capabilities: ClassVar = Capabilities(
        channels=("email",),
        receipts=True,
        lookup=True,
        lookup_after=timedelta(minutes=30),  # before that its list of events may have gaps
        size_max=25_000_000,
    )

    domain: Annotated[str, Meta(description="sending domain")] = ""
    key: Annotated[Secret | None, Meta(description="API key, or sending key of the domain")] = None
    region: Annotated[Literal["us", "eu"], Meta(description="where the domain is")] = "us"

    def gateway(self, context: ProviderContext) -> "MailgunGateway":
        """See `ProviderSettings`."""
        return MailgunGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if not self.domain:
            yield "domain", "is not set: Mailgun's URLs name the sending domain"
        if self.key is None:
            yield "key", "is not set: Mailgun takes no message without one"


class MailgunGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: MailgunSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        domain = quote(settings.domain, safe="")
        self._base = f"{settings.url or URLS[settings.region]}/v3/{domain}"
        self._calls = HttpCalls(settings, headers=basic_auth("api", settings.key))

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the Message-Id, without its angle brackets."""
        if (refusal := refused_unsent(message)) is not None:
            return refusal
        fields = self._fields(message)
        attachments = email_parts(message).attachments
        headers, body = FORM, form(fields)
        if attachments:
            try:
                headers, body = await _multipart(fields, attachments)
            except ValueError:
                return Refused("the content of an attachment is not base64", examined=False)
        try:
            answer = await self._calls.call("POST", f"{self._base}/messages", headers=headers, body=body)
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer)

    async def find(self, delivery: UUID, attempts: Collection[int]) -> Finding:
        """See `AskableGateway`.  Mailgun is asked for the events of our Message-Id."""
        fields = {"message-id": self._message_id(delivery), "limit": str(EVENTS_MAX)}
        try:
            answer = await self._calls.call("GET", with_query(f"{self._base}/events", fields))
        except (Unsent, NoAnswer) as error:
            return Unclear(str(error))
        said = answer.json()
        items = said.get("items") if isinstance(said, dict) else None
        if not (answer.successful and isinstance(items, list)):
            return Unclear(f"{answer.status}, and no list of events")
        for each in items:
            variables = each.get("user-variables") if isinstance(each, dict) else None
            if not isinstance(variables, dict) or each.get("event") == "rejected":
                continue
            if is_of(variables, delivery, attempts):
                return Found(self._message_id(delivery))
        return Absent()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def _fields(self, message: OutboundMessage) -> dict[str, str]:
        parts = email_parts(message)
        fields = {
            "from": parts.sender or self._settings.sender,
            "to": recipient(message),
            "subject": message.subject,
            "text": message.body if message.body or message.html_body else NO_TEXT,
            "html": message.html_body,
            "h:Reply-To": parts.reply_to or self._settings.reply_to,
            "h:Message-Id": f"<{self._message_id(message.delivery)}>",
        }
        return present({**fields, **{f"v:{name}": value for name, value in correlation(message).items()}})

    def _message_id(self, delivery: UUID) -> str:
        return f"{delivery}@{self._settings.domain}"

    def _outcome(self, answer: HttpAnswer) -> Outcome:
        said = answer.json()
        known = said if isinstance(said, dict) else {}
        if answer.successful:
            reference = str(known.get("id") or "").strip("<>")
            return Accepted(reference) if reference else no_reference(answer)
        words = str(known.get("message") or "")
        plain = words.lower().replace("'", "")
        kind = None
        if answer.status in {400, 403}:
            kind = next((kind for part, kind in WORDS if part in plain), None)
        return error_outcome(answer, self._clock.now(), kind, words=words)


async def _multipart(
    fields: dict[str, str], attachments: Sequence[Attachment]
) -> tuple[dict[str, str], bytes]:
    """Header and body of a form with files.

    Raises:
        ValueError: the content of a file is not base64.
    """
    data = aiohttp.FormData(quote_fields=False)  # file names as they are: nobody would decode them
    for name, value in fields.items():
        data.add_field(name, value)
    for each in attachments:
        content = b64decode(each.content or "", validate=True)
        name = "".join(character for character in each.name if character.isprintable()) or "file"
        data.add_field("attachment", content, filename=name, content_type=each.type)
    payload = data()
    return {"Content-Type": payload.headers["Content-Type"]}, await payload.as_bytes()
