"""E-mail by Mailgun: `POST /v3/{domain}/messages`, https://documentation.mailgun.com/docs/mailgun/api-reference.

A message is a form; one with attachments is sent as multipart.  Our delivery and its attempt are variables
(`v:…`), which every webhook gives back.  An error is named by its words alone: `WORDS`.

Messages with the same content share a call, in which each recipient has variables of its own, and so an
e-mail of its own.  How long those may be is not published: messages that differ take a call each.  A call is
accepted or refused as a whole, and does not say whose address is wrong: what was refused together is sent
anew in halves.  Alone, a message has a Message-Id that is made of our delivery's id, the same on every
attempt: receivers can tell that two copies are one, and Mailgun's events can be asked for it.
"""

from base64 import b64decode
from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote, urlencode
from uuid import UUID

import aiohttp
import msgspec
from msgspec import Meta

from adapters.providers.kit.batches import WAIT_MAX, MessageBatches
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
from adapters.providers.kit.requests import FORM, basic_auth, correlation, is_of, present, with_query
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.channel.parts import Attachment
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.lookup import Absent, Finding, Found, Unclear
from domain.provider.outcome import Accepted, Deferred, Outcome, Refused

URLS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
AGAIN_AFTER = timedelta(seconds=1)
WAITING_MAX = 8
"""Messages in work for each connection, as with other providers whose batches have one content."""
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
        batch_max=1_000,
        receipts=True,
        lookup=True,
        lookup_after=timedelta(minutes=30),  # before that its list of events may have gaps
        size_max=25_000_000,
        regions=tuple(URLS),
    )

    domain: Annotated[str, Meta(description="sending domain")] = ""
    key: Annotated[Secret | None, Meta(description="API key, or sending key of the domain")] = None
    region: Annotated[Literal["us", "eu"], Meta(description="where the domain is")] = "us"

    @property
    def calls_max(self) -> int:
        """Most messages differ, and those that do take a call each."""
        return self.pool * WAITING_MAX

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
        self._batches = MessageBatches(
            call=self._send, most=settings.capabilities.batch_max, at_a_time=settings.pool, group=_content
        )

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call, with others; Accepted's reference is the Message-Id, without its angle brackets, and
        the message's place among several in one call (`…/2`), for they get one id together."""
        if (refusal := refused_unsent(message)) is not None:
            return refusal
        if message.alone:
            return (await self._call([message]))[0]
        return await self._batches.send(message)

    async def _send(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        """One call, or one for each message of a recipient who has several: variables go by address."""
        outcomes: dict[int, Outcome] = {}
        places = list(range(len(messages)))
        while places:
            first = {messages[place].address.lower(): place for place in reversed(places)}
            now = sorted(first.values())
            sent = await self._halved([messages[place] for place in now], self._clock.monotonic())
            outcomes.update(zip(now, sent, strict=True))
            places = [place for place in places if place not in outcomes]
        return [outcomes[place] for place in range(len(messages))]

    async def _halved(self, messages: Sequence[OutboundMessage], since: float) -> Sequence[Outcome]:
        outcomes = await self._call(messages)
        if len(messages) == 1 or not isinstance(outcomes[0], Refused):
            return outcomes
        if self._clock.monotonic() - since > WAIT_MAX:
            return [Deferred("one of several was refused", retry_after=AGAIN_AFTER)] * len(messages)
        half = len(messages) // 2
        return [
            *await self._halved(messages[:half], since),
            *await self._halved(messages[half:], since),
        ]

    async def _call(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        """The outcomes of one call; when it is refused, each is."""
        fields = [*self._fields(messages[0]).items(), *self._recipients(messages)]
        headers, body = FORM, urlencode(fields).encode()
        if attachments := email_parts(messages[0]).attachments:
            try:
                headers, body = await _multipart(fields, attachments)
            except ValueError:
                wrong = Refused("the content of an attachment is not base64", examined=False)
                return [wrong] * len(messages)
        try:
            answer = await self._calls.call("POST", f"{self._base}/messages", headers=headers, body=body)
        except (Unsent, NoAnswer) as error:
            return [not_answered(error)] * len(messages)
        outcome = self._outcome(answer)
        if len(messages) > 1 and isinstance(outcome, Accepted):
            return [Accepted(f"{outcome.reference}/{place}") for place in range(len(messages))]
        return [outcome] * len(messages)

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
            "subject": message.subject,
            "text": message.body if message.body or message.html_body else NO_TEXT,
            "html": message.html_body,
            "h:Reply-To": parts.reply_to or self._settings.reply_to,
        }
        return present(fields)

    def _recipients(self, messages: Sequence[OutboundMessage]) -> list[tuple[str, str]]:
        """What tells the messages of one call apart."""
        to = [("to", recipient(each)) for each in messages]
        ours = correlation(messages[0])
        if len(messages) == 1:
            own = [("h:Message-Id", f"<{self._message_id(messages[0].delivery)}>")]
            return [*to, *own, *((f"v:{name}", value) for name, value in ours.items())]
        variables = msgspec.json.encode({each.address: correlation(each) for each in messages}).decode()
        filled = [(f"v:{name}", f"%recipient.{name}%") for name in ours]
        return [*to, *filled, ("recipient-variables", variables)]

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


def _content(message: OutboundMessage) -> Hashable:
    """All that is the same for the messages of one call; where Mailgun would fill something in, none is."""
    parts = msgspec.json.encode(message.parts, order="sorted")
    content = message.subject, message.body, message.html_body
    filled_in = any(text and "%recipient" in text for text in content)
    return *content, parts, (message.delivery, message.attempt) if filled_in else None


async def _multipart(
    fields: Sequence[tuple[str, str]], attachments: Sequence[Attachment]
) -> tuple[dict[str, str], bytes]:
    """Header and body of a form with files.

    Raises:
        ValueError: the content of a file is not base64.
    """
    data = aiohttp.FormData(quote_fields=False)  # file names as they are: nobody would decode them
    for name, value in fields:
        data.add_field(name, value)
    for each in attachments:
        content = b64decode(each.content or "", validate=True)
        name = "".join(character for character in each.name if character.isprintable()) or "file"
        data.add_field("attachment", content, filename=name, content_type=each.type)
    payload = data()
    return {"Content-Type": payload.headers["Content-Type"]}, await payload.as_bytes()
