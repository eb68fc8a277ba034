"""From a description and a message to the request: every value in the encoding of its place."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape as escape_xml

import msgspec

from adapters.providers.kit.requests import FORM, JSON, basic_auth, client_reference, with_query
from application.provider.ports import OutboundMessage
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.description import (
    BasicAuth,
    BearerAuth,
    FormFields,
    HeaderAuth,
    JsonDocument,
    NoAuth,
    ProviderDescription,
    QueryAuth,
    XmlText,
)
from domain.provider.description_checks import whole_url
from domain.provider.placeholders import (
    Budget,
    Place,
    PlacedText,
    TooMuchPlaced,
    as_text,
    filled,
    parsed,
    place,
    value_of,
)

URL_MAX, HEADER_MAX = 4_000, 4_000
"""Characters."""
AUTH = "auth"
"""The name under which the secret of `auth` is given."""
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_NO_XML = {code: None for code in range(32) if chr(code) not in "\t\n\r"} | {0xFFFE: None, 0xFFFF: None}
"""Characters that XML cannot have."""
_OMITTED = msgspec.UNSET


class Unplaceable(Exception):
    """The message cannot be sent so; the text says why, and nothing of the message."""


class PlacedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request, ready to go."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class RequestTemplate:
    """A description, read once."""

    def __init__(self, described: ProviderDescription) -> None:
        """
        Raises:
            ValueError: a text cannot be read; a description that was checked has none.
        """
        self._described = described
        self._url = parsed(described.url)
        self.url_is_given = whole_url(self._url)
        self._headers = {name: parsed(text) for name, text in described.headers.items()}
        self._body = described.body
        if isinstance(self._body, FormFields):
            self._fields = {name: parsed(text) for name, text in self._body.fields.items()}
        elif isinstance(self._body, XmlText):
            self._xml = parsed(self._body.text)
        else:
            self._document = _read(self._body.document)

    def request(self, message: OutboundMessage, secrets: Mapping[str, Secret]) -> PlacedRequest:
        """The request of one message.

        Args:
            secrets: by name; that of `auth` under `AUTH`.

        Raises:
            Unplaceable: it is too long, or a value does not go where it should.
        """
        values = {
            "message": _values(message),
            "variables": self._described.variables,
            "secrets": {name: secret.reveal() for name, secret in secrets.items()},
        }
        try:
            url, headers = self._placed_url(values), self._placed_headers(values, message)
            content, kind = self._placed_body(values)
        except TooMuchPlaced:
            raise Unplaceable("longer than its description allows") from None
        if len(content) > self._described.limits.size_max:
            raise Unplaceable(f"more than {self._described.limits.size_max} bytes")
        url, headers = self._authenticated(url, {**kind, **headers}, secrets.get(AUTH, Secret("")))
        _check_headers(headers)
        return PlacedRequest(method=self._described.method, url=url, headers=headers, body=content)

    def _placed_url(self, values: Mapping[str, Json]) -> str:
        budget = Budget(URL_MAX)
        if self.url_is_given:
            url = filled(self._url, values, budget)
        else:
            first = self._url[0]
            beginning: PlacedText = (first,) if isinstance(first, Place) else ()
            url = filled(beginning, values, budget) + filled(
                self._url[len(beginning) :], values, budget, partial(quote, safe="")
            )
        if not url.isascii() or any(each <= " " or each in '\\"<>\x7f' for each in url):
            raise Unplaceable("its URL has characters that no URL has")
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
            raise Unplaceable("its URL is none of https")
        if any(step in (".", "..") for step in parts.path.replace("%2e", ".").replace("%2E", ".").split("/")):
            raise Unplaceable("its URL leads elsewhere")
        return url

    def _placed_headers(self, values: Mapping[str, Json], message: OutboundMessage) -> dict[str, str]:
        budget = Budget(HEADER_MAX)
        headers = {name: filled(text, values, budget) for name, text in self._headers.items()}
        if self._described.idempotency_header is not None:
            headers[self._described.idempotency_header] = str(message.delivery)
        return headers

    def _placed_body(self, values: Mapping[str, Json]) -> tuple[bytes, dict[str, str]]:
        budget = Budget(self._described.limits.size_max)
        match self._body:
            case FormFields():
                fields = {name: filled(text, values, budget) for name, text in self._fields.items()}
                return urlencode({name: text for name, text in fields.items() if text}).encode(), FORM
            case XmlText():
                text = filled(self._xml, values, budget, _escaped_xml)
                return text.encode(errors="replace"), _XML
            case JsonDocument():
                document = _placed(self._document, values, budget)
                if document is _OMITTED:
                    raise Unplaceable("its description leaves nothing of it")
                return msgspec.json.encode(document), JSON

    def _authenticated(self, url: str, headers: dict[str, str], secret: Secret) -> tuple[str, dict[str, str]]:
        match self._described.auth:
            case NoAuth():
                return url, headers
            case BearerAuth():
                return url, headers | {"Authorization": f"Bearer {secret.reveal()}"}
            case BasicAuth(user=user):
                return url, headers | basic_auth(user, secret)
            case HeaderAuth(name=name, prefix=prefix):
                return url, headers | {name: prefix + secret.reveal()}
            case QueryAuth(name=name):
                return with_query(url, {name: secret.reveal()}), headers


def _values(message: OutboundMessage) -> dict[str, Json]:
    return {
        "delivery": str(message.delivery),
        "attempt": message.attempt,
        "reference": client_reference(message),
        "channel": message.channel,
        "type": message.type,
        "address": message.address,
        "name": message.name,
        "subject": message.subject,
        "body": message.body,
        "html": message.html_body,
        "parts": message.parts,
    }


def _read(node: Json) -> Json:
    """The document with its texts read."""
    if isinstance(node, dict):
        return {
            name: place(member) if name in ("$when", "$unless") else _read(member)
            for name, member in node.items()
        }
    if isinstance(node, list):
        return [_read(each) for each in node]
    return parsed(node) if isinstance(node, str) else node


def _placed(node: Json, values: Mapping[str, Json], budget: Budget) -> Json:
    """The document with its values; `_OMITTED` where nothing is to stand."""
    if isinstance(node, tuple):
        return _text(node, values, budget)
    if isinstance(node, list):
        return [got for each in node if (got := _placed(each, values, budget)) is not _OMITTED]
    if isinstance(node, dict):
        if "$when" in node and not value_of(node["$when"], values):
            return _OMITTED
        if "$unless" in node and value_of(node["$unless"], values):
            return _OMITTED
        members = {name: _placed(each, values, budget) for name, each in node.items() if name[:1] != "$"}
        return {name: got for name, got in members.items() if got is not _OMITTED}
    return node


def _text(text: PlacedText, values: Mapping[str, Json], budget: Budget) -> Json:
    if len(text) == 1 and isinstance(text[0], Place):
        value = value_of(text[0], values)
        if value is None:
            return _OMITTED
        budget.spend(len(as_text(value)))
        return value
    return filled(text, values, budget)


def _escaped_xml(value: str) -> str:
    return escape_xml(value.translate(_NO_XML), {'"': "&quot;", "'": "&apos;"})


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if any(not " " <= each <= "~" for each in value):
            raise Unplaceable(f"its header {name} has characters that no header has")
