"""Numbers of JSON are what their digits say."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.vault import LocalVault
from application.broker.ports import Received
from application.intake.command import Command, seal, unseal
from application.privacy.sealing import open_content, seal_content
from domain.kernel.errors import Undecodable
from domain.kernel.number import exact, number
from domain.notification.request import Content, Request
from entrypoints.amqp.cloudevents import decode
from entrypoints.http.kit.json_body import JsonBody
from entrypoints.http.notification.bodies import NotificationIn

FINE = "1234567890123456.785"
"""Has more digits than a double."""
NOTIFICATION = UUID(int=1)
decoder = msgspec.json.Decoder(float_hook=number)


@pytest.mark.parametrize(
    "digits", ["99.99", "4514.275", "0.1", "-0.5", "1e300", "1E5", "1.10", "100.0", "5e-324"]
)
def test_what_a_double_says_as_well_is_one(digits: str) -> None:
    read = number(digits)
    assert type(read) is float
    assert read == float(digits)
    assert exact(read) == Decimal(digits)


@pytest.mark.parametrize("digits", [FINE, "-0.12345678901234567890", "9007199254740993.0"])
def test_what_it_cannot_say_is_a_decimal(digits: str) -> None:
    assert number(digits) == Decimal(digits)


@given(st.decimals(-(10**20), 10**20, places=6))
def test_no_digit_is_lost(value: Decimal) -> None:
    assert exact(decoder.decode(f"{value:f}")) == value


@pytest.mark.parametrize("digits", ["1e400", "-1e400", "1e999999999", "1" * 400 + ".0"])
def test_what_is_beyond_a_double_is_refused(digits: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decoder.decode(digits)


def test_a_number_as_long_as_a_book_is_the_nearest_double() -> None:
    assert number("0." + "3" * 100_000) == 1 / 3


def test_digits_outlast_sealing() -> None:
    content = Content(data={"total": Decimal(FINE), "each": [4514.275]})
    key = LocalVault.from_master(b"m" * 32).create()
    opened = open_content(key, NOTIFICATION, seal_content(key, NOTIFICATION, content))
    assert opened == content
    assert type(opened.data["total"]) is Decimal


def test_digits_outlast_a_promise() -> None:
    request = Request(type="t", content=Content(data={"total": Decimal(FINE)}), metadata={"n": Decimal(FINE)})
    command = Command(
        id=NOTIFICATION, request=request, channel="email", template_version=1, key=None, fingerprint=b""
    )
    vault = LocalVault.from_master(b"m" * 32)
    assert unseal(seal(command, vault), vault).request == request


def test_digits_of_a_rest_body_are_kept() -> None:
    body = f'{{"notificationType": "t", "data": {{"total": {FINE}, "deep": [{{"total": {FINE}}}]}}}}'
    data = JsonBody(NotificationIn).decode(body.encode()).data
    assert data["total"] == data["deep"][0]["total"] == Decimal(FINE)


@pytest.mark.parametrize(
    "envelope", ["%s", '{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": %s}']
)
def test_digits_of_an_event_are_kept(envelope: str) -> None:
    assert _event(envelope % f'{{"total": {FINE}}}') == {"total": Decimal(FINE)}
    with pytest.raises(Undecodable, match="out of range"):
        _event(envelope % '{"total": 1e400}')


def _event(body: str) -> Any:
    return decode(Received(tag=1, body=body.encode(), routing_key="t")).data
