"""Text messages by Amazon SNS: `Publish` to a phone number,
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html.

SNS has no field that comes back, and no webhook: what became of a message stands in CloudWatch Logs alone.
It also accepts what it will not send, to numbers that have opted out or beyond the account's spending limit.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar
from xml.etree import ElementTree

from msgspec import Meta

from adapters.providers.kit.aws import AwsCalls
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
from adapters.providers.kit.requests import FORM, form
from adapters.providers.kit.settings import ProviderContext
from adapters.providers.kit.sigv4 import ERRORS, Credentials, KeyId, Region, SecretKey, SessionToken, Signer
from adapters.providers.kit.sms import SmsSettings, text_of
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Outcome, Refused

CODES: Mapping[str, ErrorKind] = {
    **ERRORS,
    "InternalError": ErrorKind.TEMPORARY,
    "InvalidParameter": ErrorKind.REQUEST,  # the number, as a rule
    "ParameterValueInvalid": ErrorKind.REQUEST,
    "ValidationError": ErrorKind.REQUEST,
    "ValidationException": ErrorKind.REQUEST,
}


class SmsType(StrEnum):
    """What SNS prefers: that a message arrives, or that it is cheap."""

    TRANSACTIONAL = "Transactional"
    PROMOTIONAL = "Promotional"


class SnsSettings(SmsSettings, frozen=True, tag="sns"):
    """Text messages by Amazon SNS."""

    capabilities: ClassVar = Capabilities(channels=("sms",), regions=("any of AWS",))

    region: Region = "eu-central-1"
    key_id: KeyId = ""
    secret: SecretKey = None
    session: SessionToken = None
    sms_type: Annotated[SmsType, Meta(description="what SNS prefers: arrival or price")] = (
        SmsType.TRANSACTIONAL
    )

    @property
    def credentials(self) -> Credentials:
        """The access key; it may do `sns:Publish`."""
        return Credentials(self.key_id, self.secret, self.session)

    def gateway(self, context: ProviderContext) -> "SnsGateway":
        """See `ProviderSettings`."""
        return SnsGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        yield from self.credentials.faults()
        if self.callback is not None:
            yield "callback", "is set, and SNS reports to no URL: leave it out"


class SnsGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: SnsSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        self._url = (settings.url or f"https://sns.{settings.region}.amazonaws.com").rstrip("/") + "/"
        signer = Signer(settings.credentials, settings.region, "sns")
        calls = HttpCalls(settings, headers={"Accept": "*/*"})  # it answers in XML
        self._calls = AwsCalls(calls=calls, signer=signer, clock=clock)

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the MessageId of SNS."""
        text = text_of(message)
        if isinstance(text, Refused):
            return text
        body = form(self._fields(message, text))
        try:
            answer = await self._calls.post(self._url, FORM["Content-Type"], body)
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def _fields(self, message: OutboundMessage, text: str) -> dict[str, str | None]:
        attributes = {"AWS.SNS.SMS.SMSType": self._settings.sms_type.value}
        if sender := self._settings.sender:
            number = sender.startswith("+")
            attributes["AWS.MM.SMS.OriginationNumber" if number else "AWS.SNS.SMS.SenderID"] = sender
        fields: dict[str, str | None] = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": message.address,
            "Message": text,
        }
        for place, (name, value) in enumerate(attributes.items(), start=1):
            entry = f"MessageAttributes.entry.{place}"
            fields |= {
                f"{entry}.Name": name,
                f"{entry}.Value.DataType": "String",
                f"{entry}.Value.StringValue": value,
            }
        return fields

    def _outcome(self, answer: HttpAnswer) -> Outcome:
        said = _texts(answer.body)
        if answer.successful:
            reference = said.get("MessageId")
            return Accepted(reference) if reference else no_reference(answer)
        code = said.get("Code")
        fault = CODES.get(code) if code else None
        return error_outcome(answer, self._clock.now(), fault, code=code, words=said.get("Message"))


def _texts(body: bytes) -> Mapping[str, str]:
    """The text of each element of an XML document, by name without namespace; empty when it is none."""
    try:
        document = ElementTree.fromstring(body)
    except (ElementTree.ParseError, LookupError, ValueError):
        return {}
    return {each.tag.rpartition("}")[2]: (each.text or "").strip() for each in document.iter()}
