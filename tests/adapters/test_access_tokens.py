"""The access tokens that FCM is called with: one for all calls, in time, and nothing goes out without one."""

import asyncio
from datetime import timedelta

import jwt
import pytest

from adapters.providers.push.fcm import TOKEN_URL
from domain.provider.outcome import Accepted, AccountFault, Deferred
from tests.contract.gateway import message
from tests.support.answering import Said
from tests.support.clock import HandClock
from tests.support.fcm import ANOTHER, TAKEN, TOKEN, fcm, key, refused
from tests.support.gathering import together


async def test_it_is_asked_for_with_a_signed_assertion() -> None:
    async with fcm(TAKEN) as (gateway, _, google):
        await gateway.send(message())
    form = dict(each.split("=") for each in google.asked[0].body.decode().split("&"))
    assert form["grant_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
    claims = jwt.decode(
        form["assertion"],
        key().public_key(),
        ["RS256"],
        audience=TOKEN_URL,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == "posthorn@shop-1234.iam.gserviceaccount.com"
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(form["assertion"])["kid"] == "1f2e3d"


async def test_many_calls_share_one() -> None:
    async with fcm(TAKEN) as (gateway, _, google):
        outcomes = await together(gateway, [message() for _ in range(50)])
    assert {type(outcome) for outcome in outcomes} == {Accepted}
    assert len(google.asked) == 1


async def test_it_is_renewed_five_minutes_before_it_expires() -> None:
    clock = HandClock()
    async with fcm(TAKEN, tokens=(TOKEN, ANOTHER), clock=clock) as (gateway, there, google):
        await gateway.send(message())
        clock.go_on(3298)
        await gateway.send(message())
        assert len(google.asked) == 1
        clock.go_on(2)
        await gateway.send(message())
    assert [asked.headers["Authorization"] for asked in there.asked] == [
        "Bearer ya29.one",
        "Bearer ya29.one",
        "Bearer ya29.two",
    ]


async def test_one_that_is_refused_is_replaced() -> None:
    clock = HandClock()
    unauthenticated = refused(401, "UNAUTHENTICATED")
    async with fcm(TAKEN, unauthenticated, TAKEN, tokens=(TOKEN, ANOTHER), clock=clock) as (
        gateway,
        there,
        _,
    ):
        await gateway.send(message())
        clock.go_on(120)
        outcome = await gateway.send(message())
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after == timedelta()
        assert isinstance(await gateway.send(message()), Accepted)
    assert there.asked[-1].headers["Authorization"] == "Bearer ya29.two"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Said(400, {"error": "invalid_grant"}), AccountFault),
        (Said(401, {"error": "invalid_client"}), AccountFault),
        (Said(429), Deferred),
        (Said(500), Deferred),
        (Said(502), Deferred),
        (Said(200), Deferred),
        (Said(200, {"access_token": "", "expires_in": "soon"}), Deferred),
    ],
)
async def test_without_one_nothing_is_sent(answer: Said, kind: type) -> None:
    async with fcm(TAKEN, tokens=(answer, TOKEN)) as (gateway, there, _):
        outcome = await gateway.send(message())
        assert isinstance(outcome, kind)
        assert isinstance(outcome, AccountFault) or not outcome.examined
        assert not there.asked
        assert isinstance(await gateway.send(message()), Accepted)


async def test_who_gives_up_waiting_takes_it_from_nobody() -> None:
    async with fcm(TAKEN) as (gateway, _, google):
        first, second = (asyncio.create_task(gateway.send(message())) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert isinstance(await second, Accepted)
    assert len(google.asked) == 1
