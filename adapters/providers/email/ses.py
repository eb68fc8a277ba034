"""E-mail by Amazon SES, API v2: `SendEmail` and `SendBulkEmail`,
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html.

A bulk call answers for each message by itself.  Its template is nothing but names, filled for each with its
texts, which SES puts in as they are.  Attachments and Reply-To belong to a whole call.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import timedelta
from email.utils import parseaddr
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from adapters.providers.kit.aws import AwsCalls
from adapters.providers.kit.batches import MessageBatches
from adapters.providers.kit.email import (
    NO_TEXT,
    EmailSettings,
    ascii_mailbox,
    email_parts,
    refused_unsent,
)
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
from adapters.providers.kit.requests import correlation, present
from adapters.providers.kit.settings import ProviderContext
from adapters.providers.kit.sigv4 import ERRORS, Credentials, KeyId, Region, SecretKey, SessionToken, Signer
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.kernel.json_values import Json
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Outcome, Refused

BULK_CHARACTERS = 200_000
"""Of the texts of a bulk call, which may have 1 MB as JSON.  Each takes at most four bytes there."""
DATA_MAX = 262_144
"""Characters of what fills the template for one message, as JSON."""
QUOTA_WAIT = timedelta(hours=1)
"""The daily quota counts the last 24 hours, so it grows again by and by."""
NAMES: Mapping[str, ErrorKind] = {
    **ERRORS,
    "AccountSuspendedException": ErrorKind.ACCOUNT,
    "LimitExceededException": ErrorKind.ACCOUNT,
    "MailFromDomainNotVerifiedException": ErrorKind.ACCOUNT,
    "NotFoundException": ErrorKind.ACCOUNT,  # the configuration set
    "SendingPausedException": ErrorKind.ACCOUNT,
    "TooManyRequestsException": ErrorKind.THROTTLED,
    # of the entries of a bulk call
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": ErrorKind.THROTTLED,
    "ACCOUNT_SENDING_PAUSED": ErrorKind.ACCOUNT,
    "ACCOUNT_SUSPENDED": ErrorKind.ACCOUNT,
    "ACCOUNT_THROTTLED": ErrorKind.THROTTLED,
    "CONFIGURATION_SET_NOT_FOUND": ErrorKind.ACCOUNT,
    "CONFIGURATION_SET_SENDING_PAUSED": ErrorKind.ACCOUNT,
    "FAILED": ErrorKind.TEMPORARY,
    "INVALID_PARAMETER": ErrorKind.REQUEST,
    "INVALID_SENDING_POOL_NAME": ErrorKind.ACCOUNT,
    "MAIL_FROM_DOMAIN_NOT_VERIFIED": ErrorKind.ACCOUNT,
    "MESSAGE_REJECTED": ErrorKind.REQUEST,
    "TEMPLATE_NOT_FOUND": ErrorKind.ACCOUNT,
    "TRANSIENT_FAILURE": ErrorKind.TEMPORARY,
}


class SesSettings(EmailSettings, frozen=True, tag="ses"):
    """E-mail by Amazon SES (API v2)."""

    capabilities: ClassVar = Capabilities(
        channels=("email",), batch_max=50, receipts=True, size_max=40_000_000, regions=("any of AWS",)
    )

    region: Region = "eu-central-1"
    key_id: KeyId = ""
    secret: SecretKey = None
    session: SessionToken = None
    configuration_set: Annotated[
        str | None,
        Meta(description="configuration set, whose events report what became of messages"),
    ] = None

    @property
    def credentials(self) -> Credentials:
        """The access key; it may do `ses:SendEmail` and `ses:SendBulkEmail`."""
        return Credentials(self.key_id, self.secret, self.session)

    def gateway(self, context: ProviderContext) -> "SesGateway":
        """See `ProviderSettings`."""
        return SesGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        return self.credentials.faults()


class SesGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: SesSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        self._url = settings.url or f"https://email.{settings.region}.amazonaws.com"
        signer = Signer(settings.credentials, settings.region, "ses")
        self._calls = AwsCalls(calls=HttpCalls(settings), signer=signer, clock=clock)
        self._batches = MessageBatches(
            call=self._send,
            most=settings.capabilities.batch_max,
            at_a_time=settings.pool,
            bytes_max=BULK_CHARACTERS,
            group=self._shared,
        )

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call, perhaps with others; Accepted's reference is SES's MessageId."""
        if ascii_mailbox(message.name, message.address) is None:
            return Refused("not an address in ASCII, and SES takes no other", examined=False)
        return refused_unsent(message) or await self._batches.send(message)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    async def _send(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        single = len(messages) == 1
        path = "outbound-emails" if single else "outbound-bulk-emails"
        body = msgspec.json.encode(self._single(messages[0]) if single else self._bulk(messages))
        url = f"{self._url}/v2/email/{path}"
        try:
            answer = await self._calls.post(url, "application/json", body)
        except (Unsent, NoAnswer) as error:
            return [not_answered(error)] * len(messages)
        said = answer.json()
        said = said if isinstance(said, dict) else {}
        if not answer.successful:
            words = said.get("message") or said.get("Message") or ""
            return [self._failed(answer, _name(answer, said), str(words))] * len(messages)
        entries = [said] if single else said.get("BulkEmailEntryResults")
        if not isinstance(entries, list) or len(entries) != len(messages):
            return [no_reference(answer)] * len(messages)
        return [self._outcome(answer, each if isinstance(each, dict) else {}) for each in entries]

    def _outcome(self, answer: HttpAnswer, said: Mapping[str, Json]) -> Outcome:
        """What a success says of one message; only entries of a bulk call have a `Status`."""
        status, reference = said.get("Status", "SUCCESS"), said.get("MessageId")
        if status == "SUCCESS":
            return Accepted(reference) if reference and isinstance(reference, str) else no_reference(answer)
        return self._failed(answer, str(status), str(said.get("Error", "")), ErrorKind.TEMPORARY)

    def _failed(
        self, answer: HttpAnswer, name: str, words: str, otherwise: ErrorKind | None = None
    ) -> Outcome:
        kind = NAMES.get(name, otherwise)
        if name == "MessageRejected" and "not verified" in words:
            kind = ErrorKind.UNREACHABLE  # the sender; or the recipient, while the account is in the sandbox
        wait = QUOTA_WAIT if "quota" in f"{name} {words}".lower() else None
        return error_outcome(
            answer, self._clock.now(), kind, code=name or None, words=words, retry_after=wait
        )

    def _single(self, message: OutboundMessage) -> dict[str, Json]:
        files = [
            {"FileName": each.name, "ContentType": each.type, "RawContent": each.content}
            for each in email_parts(message).attachments
        ]
        body = {part: _content(text) for part, text in _texts(message).items()}
        subject = _content(message.subject or "")
        simple = present({"Subject": subject, "Body": body, "Attachments": files or None})
        return {
            **self._common(message),
            "Destination": {"ToAddresses": [ascii_mailbox(message.name, message.address)]},
            "Content": {"Simple": simple},
            "EmailTags": _tags(message),
        }

    def _bulk(self, messages: Sequence[OutboundMessage]) -> dict[str, Json]:
        names = {part: f"{{{{{part}}}}}" for part in ("Subject", *_texts(messages[0]))}
        nothing = msgspec.json.encode(dict.fromkeys(names, "")).decode()
        return {
            **self._common(messages[0]),
            "DefaultContent": {"Template": {"TemplateContent": names, "TemplateData": nothing}},
            "BulkEmailEntries": [
                {
                    "Destination": {"ToAddresses": [ascii_mailbox(each.name, each.address)]},
                    "ReplacementTags": _tags(each),
                    "ReplacementEmailContent": {
                        "ReplacementTemplate": {"ReplacementTemplateData": _template_data(each)}
                    },
                }
                for each in messages
            ],
        }

    def _common(self, message: OutboundMessage) -> dict[str, Json]:
        sender, reply_to = self._mailboxes(message)
        return present(
            {
                "FromEmailAddress": _written(sender),
                "ReplyToAddresses": [_written(reply_to)] if reply_to else None,
                "ConfigurationSetName": self._settings.configuration_set,
            }
        )

    def _mailboxes(self, message: OutboundMessage) -> tuple[str, str | None]:
        parts = email_parts(message)
        return parts.sender or self._settings.sender, parts.reply_to or self._settings.reply_to

    def _shared(self, message: OutboundMessage) -> Hashable:
        """What messages of one bulk call have in common."""
        if email_parts(message).attachments or len(_template_data(message)) > DATA_MAX:
            return message.delivery
        return tuple(_texts(message)), self._mailboxes(message)


def _texts(message: OutboundMessage) -> dict[str, str]:
    texts = {"Text": message.body, "Html": message.html_body}
    return {part: text for part, text in texts.items() if text} or {"Text": NO_TEXT}


def _template_data(message: OutboundMessage) -> str:
    return msgspec.json.encode({"Subject": message.subject or "", **_texts(message)}).decode()


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _tags(message: OutboundMessage) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in correlation(message).items()]


def _written(header: str) -> str:
    """A From or Reply-To address as SES takes it."""
    return ascii_mailbox(*parseaddr(header)) or header


def _name(answer: HttpAnswer, said: Mapping[str, Json]) -> str:
    """The error's name, from the header (before a colon) or the body (after a #)."""
    name = answer.headers.get("X-Amzn-ErrorType") or said.get("__type") or said.get("code") or ""
    return str(name).partition(":")[0].rpartition("#")[2]
