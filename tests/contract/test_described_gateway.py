"""The generic HTTP gateway: a description of a service that there is nowhere but here."""

import asyncio
import ipaddress
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from aiohttp import web

from adapters.providers.described.http.gateway import DescribedGateway
from adapters.system import SystemClock
from domain.kernel.errors import SecretUnavailable
from domain.kernel.secret import Secret
from domain.provider.description import ProviderDescription
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from entrypoints.simulator.kit import Behaviour, Got, Simulator, answer, json_of, routes
from tests.contract.gateway import message
from tests.contract.http_gateway import HttpGatewayContract, closing, simulated
from tests.support.answering import Said, answering

LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)
PIGEON: dict[str, Any] = {
    "url": "{{ variables.api }}/messages",
    "auth": {"kind": "bearer", "secret": "env:PIGEON"},
    "body": {
        "kind": "json",
        "document": {
            "to": "{{ message.address }}",
            "subject": "{{ message.subject }}",
            "text": "{{ message.body | default('') }}",
            "template": "{{ message.parts.template }}",
            "meta": {"id": "{{ message.delivery }}", "attempt": "{{ message.attempt }}"},
        },
    },
    "results": [
        {
            "means": "refused",
            "status": ["400"],
            "tests": [{"at": "/error/code", "equals": "no_such_address"}],
        },
        {"means": "unsubscribed", "tests": [{"at": "/error/code", "equals": "stopped"}]},
        {"means": "account", "status": ["200-299"], "tests": [{"at": "/error/code", "between": [200, 299]}]},
        {"means": "retry", "status": ["400"], "tests": [{"contains": "try LATER"}]},
        {"means": "throttled", "tests": [{"header": "X-Slow", "exists": True}]},
    ],
    "reference": {"at": "/ids/0"},
    "code": "/error/code",
    "words": "/error/words",
    "retryAfter": {"at": "/error/wait", "unit": "milliseconds"},
    "limits": {"timeoutSeconds": 1, "connections": 50},
}


class KnownSecrets:
    """Implements `Secrets`."""

    def __init__(self, **known: str) -> None:
        self.known = {f"env:{name}": value for name, value in known.items()}

    async def get(self, reference: str) -> Secret:
        if reference not in self.known:
            raise SecretUnavailable(f"{reference}: there is no such variable")
        return Secret(self.known[reference])


def described(api: str, /, **changes: Any) -> ProviderDescription:
    known = PIGEON | {"variables": {"api": api}} | changes
    return msgspec.convert(known, ProviderDescription)


def made(
    api: str, /, *, secrets: KnownSecrets | None = None, networks: Any = LOCAL, **changes: Any
) -> DescribedGateway:
    return DescribedGateway(
        described(api, **changes),
        clock=SystemClock(),
        secrets=secrets or KnownSecrets(PIGEON="coo"),
        networks=networks,
    )


def pigeon(simulator: Simulator) -> list[web.RouteDef]:
    async def send(request: web.Request) -> web.Response:
        document = await json_of(request)
        meta = document["meta"]
        got = Got(
            address=document["to"], delivery=UUID(meta["id"]), attempt=meta["attempt"], document=document
        )
        [behaviour] = await simulator.take([got])
        match behaviour:
            case Behaviour.REFUSE:
                return answer({"error": {"code": "no_such_address", "words": document["to"]}}, 400)
            case Behaviour.DEFER:
                return answer({"error": {"code": "busy"}}, 503)
            case Behaviour.THROTTLE:
                return answer({"error": {"code": "slow"}}, 429, {"Retry-After": "1"})
            case _:
                return answer({"ids": [simulator.reference()]}, 202)

    return routes(("POST", "/messages", send))


class TestDescribed(HttpGatewayContract):
    kind = "http"

    def made(self, url: str, **changes: Any) -> DescribedGateway:
        return made(url, **changes)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return pigeon(simulator)

    async def test_a_value_keeps_its_type_and_one_that_is_missing_leaves_its_member_out(
        self, gateway: DescribedGateway, simulator: Simulator
    ) -> None:
        parts = {"template": {"name": "hello", "rows": [1, 2.5, None]}}
        await gateway.send(message(parts=parts, subject=None))
        [got] = simulator.got
        assert got.document["template"] == parts["template"]
        assert "subject" not in got.document


async def outcome_of(said: Said, **changes: Any) -> Outcome:
    async with answering(said) as service, closing(made(service.url, **changes)) as gateway:
        return await gateway.send(message())


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (Said(400, {"error": {"code": "no_such_address"}}), Refused, "400 no_such_address"),
        (Said(403, {"error": {"code": "stopped"}}), Refused, "unsubscribed: 403 stopped"),
        (Said(200, {"error": {"code": 250}}), AccountFault, "200 250"),
        (Said(200, {"error": {"code": 300}}), Unknown, "no id"),
        (Said(400, "please try later"), Deferred, "400"),
        (Said(400, {"error": {"code": "ada@shop.test"}}), Refused, "400"),
        (Said(400, {"error": {"words": "mailbox of ada unavailable"}}), Refused, "400 mailbox of"),
    ],
)
async def test_rules_say_what_an_answer_means(said: Said, kind: type, reason: str) -> None:
    outcome = await outcome_of(said)
    assert isinstance(outcome, kind)
    assert reason in outcome.reason  # type: ignore[attr-defined]  # all of these have one
    assert "ada" not in outcome.reason  # type: ignore[attr-defined]


async def test_it_says_when_to_come_again_in_its_body() -> None:
    outcome = await outcome_of(Said(429, {"error": {"wait": 1500}}))
    assert isinstance(outcome, Deferred)
    assert outcome.retry_after == timedelta(seconds=1.5)


async def test_without_an_id_of_its_own_ours_stands_for_it() -> None:
    outcome = await outcome_of(Said(200, "ok"), reference=None)
    assert isinstance(outcome, Accepted)
    assert outcome.reference.endswith(":1")


async def test_a_secret_that_is_not_there_is_the_accounts_fault_and_names_no_value() -> None:
    async with answering(Said(200)) as service, closing(made(service.url, secrets=KnownSecrets())) as gateway:
        outcome = await gateway.send(message())
        assert service.asked == []
    assert isinstance(outcome, AccountFault)
    assert "env:PIGEON: there is no such variable" in outcome.reason


async def test_a_description_of_the_api_leads_into_no_inner_network() -> None:
    async with answering(Said(202, {"ids": ["1"]})) as service:
        async with closing(made(service.url, networks=())) as gateway:
            outcome = await gateway.send(message())
        assert service.asked == []
    assert isinstance(outcome, Refused)
    assert "without TLS" in outcome.reason or "public" in outcome.reason


async def test_an_address_that_is_a_url_leads_into_no_inner_network_whoever_has_described_it() -> None:
    async with answering(Said(200)) as service:
        url = f"{service.url}/hook"
        given = made(service.url, url="{{ message.address }}", networks=None)
        async with closing(given) as gateway:
            refused = await gateway.send(message(url))
            assert service.asked == []
        allowed = made(service.url, url="{{ message.address }}", reference=None)
        async with closing(allowed) as gateway:
            accepted = await gateway.send(message(url))
        assert len(service.asked) == 1
    assert isinstance(refused, Refused)
    assert isinstance(accepted, Accepted)


@pytest.mark.parametrize(
    "address", ["ftp://x.test/", "https://", "https://user@x.test/", "javascript:1", "https://x.test/ a", "x"]
)
async def test_an_address_that_is_no_url_is_refused(address: str) -> None:
    async with closing(made("https://x.test", url="{{ message.address }}")) as gateway:
        outcome = await gateway.send(message(address))
    assert isinstance(outcome, Refused)
    assert not outcome.examined


@pytest.mark.parametrize("address", ["..", ".", "../../admin", "a/b", "a?b=c", "a#b", "%2e%2e", "\r\nX: 1"])
async def test_a_value_stays_in_its_place_within_the_path(address: str) -> None:
    async with answering(Said(200)) as service:
        url = "{{ variables.api }}/users/{{ message.address }}/messages"
        async with closing(made(service.url, url=url, reference=None)) as gateway:
            outcome = await gateway.send(message(address))
        paths = [asked.path for asked in service.asked]
    if isinstance(outcome, Accepted):
        [path] = paths
        assert path.startswith("/users/")
        assert path.endswith("/messages")
        assert path.count("/") == 3
        assert "?" not in path
    else:
        assert paths == []


@pytest.mark.parametrize("subject", ["a\r\nX-Evil: 1", "a\x00", "Grüße"])
async def test_no_value_becomes_another_header(subject: str) -> None:
    async with answering(Said(200)) as service:
        headers = {"X-Subject": "{{ message.subject }}"}
        async with closing(made(service.url, headers=headers)) as gateway:
            outcome = await gateway.send(message(subject=subject))
        assert service.asked == []
    assert isinstance(outcome, Refused)
    assert subject not in outcome.reason


async def test_what_grows_too_large_is_not_called() -> None:
    document = {str(n): "{{ message.body }}" for n in range(400)}
    async with answering(Said(200)) as service:
        gateway = made(service.url, body={"kind": "json", "document": document})
        async with closing(gateway):
            outcome = await gateway.send(message(body="x" * 100_000))
        assert service.asked == []
    assert isinstance(outcome, Refused)


async def test_another_description_lets_calls_under_way_end() -> None:
    came, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        came.set()
        await goes_on.wait()
        return answer({"ids": ["1"]})

    async with simulated(routes(("POST", "/messages", slow))) as url:
        gateway = made(url)
        call = asyncio.create_task(gateway.send(message()))
        await came.wait()
        gateway.retire()
        goes_on.set()
        assert await call == Accepted("1")
