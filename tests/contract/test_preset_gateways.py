"""The presets: descriptions that are shipped, against the look-alikes of their services."""

from abc import abstractmethod
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from aiohttp import web

from adapters.providers.described.http.gateway import DescribedGateway
from adapters.system import SystemClock
from application.provider.ports import OutboundMessage
from application.provider.presets import ProviderPreset
from config.catalog import load_presets
from domain.provider.description import Limits, ProviderDescription
from domain.provider.description_checks import faults
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from entrypoints.simulator.chat.bots import slack_bot, telegram, whatsapp
from entrypoints.simulator.chat.hooks import discord, slack, teams
from entrypoints.simulator.kit import Simulator
from tests.contract.gateway import IDS, GatewayContract, message
from tests.contract.http_gateway import HttpGatewayContract, closing, simulated
from tests.contract.test_described_gateway import LOCAL, KnownSecrets
from tests.support.answering import Said, answering

PRESETS = {preset.name: preset for preset in load_presets()}


def of_preset(
    name: str, *, token: str = "12:token", url: str | None = None, **variables: str
) -> DescribedGateway:
    """The gateway of a preset, with a short time-out.

    Args:
        token: all its secrets.
        url: in place of its own.
    """
    preset = PRESETS[name].description
    changes: dict[str, Any] = {"limits": Limits(timeout_seconds=1, size_max=preset.limits.size_max)}
    if url is not None:
        changes["url"] = url
    changes["variables"] = {**preset.variables, **variables}
    return DescribedGateway(
        msgspec.structs.replace(preset, **changes),
        clock=SystemClock(),
        secrets=KnownSecrets(
            **{
                reference.removeprefix("env:"): token
                for reference in ("env:CHANNEL_SECRET_" + word for word in SECRETS)
            }
        ),
        networks=LOCAL,
    )


SECRETS = ("WHATSAPP", "TELEGRAM", "SLACK", "SLACK_BOT", "DISCORD", "TEAMS")


class Hooked:
    """The gateway, for addresses that become hooks of a look-alike."""

    def __init__(self, gateway: DescribedGateway, url: str) -> None:
        self._gateway = gateway
        self._url = url

    async def send(self, message: OutboundMessage) -> Outcome:
        address = f"{self._url}/{quote(message.address)}"
        return await self._gateway.send(msgspec.structs.replace(message, address=address))

    async def aclose(self) -> None:
        await self._gateway.aclose()


class PresetContract(GatewayContract):
    """Texts are as long as these services take them."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": None},
            {"subject": None},
            {"html_body": "<p>Thank you.</p>"},
            {"subject": "Ünïcödé 🎉 " * 20, "body": "Grüße, 谢谢 🎉\n" * 80},
            {"body": 'He said: "No."\\\t}}{{ message.address }}'},
            {"body": "x" * 2_000},
            {"attempt": 7},
        ],
    )
    async def test_every_shape_of_message_is_carried(
        self, gateway: DescribedGateway, changes: dict[str, Any]
    ) -> None:
        assert isinstance(await gateway.send(message(**changes)), Accepted)


class TestWhatsApp(PresetContract, HttpGatewayContract):
    def made(self, url: str, **_: Any) -> DescribedGateway:
        return of_preset("whatsapp", api=url, phone_id="1055")

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return whatsapp(simulator)

    async def test_a_template_goes_out_without_a_text(
        self, gateway: DescribedGateway, simulator: Simulator
    ) -> None:
        template = {"name": "shipped", "language": {"code": "de"}, "components": []}
        await gateway.send(message("+4930901820", parts={"type": "template", "template": template}))
        [got] = simulator.got
        assert got.document["template"] == template
        assert got.document["type"] == "template"
        assert "text" not in got.document

    async def test_a_wrong_token_is_the_accounts_fault(self, simulator: Simulator) -> None:
        async with (
            simulated(whatsapp(simulator)) as url,
            closing(of_preset("whatsapp", api=url, phone_id="1055", token="bad")) as gateway,
        ):
            assert isinstance(await gateway.send(message()), AccountFault)


class TestSlackBot(PresetContract, HttpGatewayContract):
    def made(self, url: str, **_: Any) -> DescribedGateway:
        return of_preset("slack_bot", api=url)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return slack_bot(simulator)

    async def test_our_id_travels_with_the_message(
        self, gateway: DescribedGateway, simulator: Simulator
    ) -> None:
        """It has no place for it: receipts it has none."""
        await gateway.send(message())
        assert "posthorn" not in str(simulator.got[0].document)

    async def test_a_call_begins_anew_after_a_throttle(self, gateway: DescribedGateway) -> None:
        outcome = await gateway.send(message("throttle@shop.test"))
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after


class TestTelegram(TestSlackBot):
    def made(self, url: str, **_: Any) -> DescribedGateway:
        return of_preset("telegram", api=url)

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return telegram(simulator)


class HookContract(PresetContract):
    """Whoever the message is for, it goes where the hook leads."""

    name: str
    path: str
    suffix = ""

    @abstractmethod
    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        """The look-alike's."""

    @pytest.fixture
    def simulator(self) -> Simulator:
        return Simulator(ids=IDS)

    @pytest.fixture
    async def gateway(self, simulator: Simulator) -> Any:
        async with simulated(self.routes(simulator)) as url:
            inner = of_preset(self.name, url="{{ message.address }}" + self.suffix)
            async with closing(Hooked(inner, f"{url}/{self.path}")) as gateway:
                yield gateway

    async def test_a_hook_that_is_gone_is_the_accounts_fault(self, gateway: DescribedGateway) -> None:
        assert isinstance(await gateway.send(message("gone")), AccountFault)

    async def test_the_url_is_a_secret(self, simulator: Simulator) -> None:
        async with simulated(self.routes(simulator)) as url:
            gateway = of_preset(self.name, token=f"{url}/{self.path}/hook")
            async with closing(gateway):
                assert isinstance(await gateway.send(message()), Accepted)
        assert [got.address for got in simulator.got] == ["hook"]


class TestSlack(HookContract):
    name, path = "slack", "services"

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return slack(simulator)


class TestDiscord(HookContract):
    name, path, suffix = "discord", "webhooks", "?wait=true"

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return discord(simulator)


class TestTeams(HookContract):
    name, path = "teams", "workflows"

    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        return teams(simulator)

    async def test_a_card_of_ones_own_takes_the_place_of_ours(
        self, gateway: DescribedGateway, simulator: Simulator
    ) -> None:
        card = {"type": "AdaptiveCard", "version": "1.5", "body": []}
        await gateway.send(message(parts={"card": card}))
        [attachment] = simulator.got[0].document["attachments"]
        assert attachment["content"] == card


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_nothing_is_wrong_with_what_is_shipped(preset: ProviderPreset) -> None:
    assert list(faults(preset.description)) == []
    again = msgspec.json.decode(msgspec.json.encode(preset.description), type=ProviderDescription)
    assert again == preset.description


META = {
    131026: Refused,
    131030: Refused,
    131050: Refused,
    100: Refused,
    132001: Refused,
    0: AccountFault,
    190: AccountFault,
    200: AccountFault,
    299: AccountFault,
    131031: AccountFault,
    4: Deferred,
    130429: Deferred,
    131056: Deferred,
    131000: Deferred,
    131057: Deferred,
}
SLACK = {
    (200, "ok"): Accepted,
    (200, "<html>ok</html>"): Unknown,
    (400, "invalid_payload"): Refused,
    (400, "too_many_attachments"): Refused,
    (403, "action_prohibited"): AccountFault,
    (404, "no_service"): AccountFault,
    (410, "channel_is_archived"): AccountFault,
    (500, "rollup_error"): Deferred,
    (502, "Bad Gateway"): Unknown,
}
BOTS = {
    (400, "Bad Request: chat not found"): Refused,
    (400, "Bad Request: message is too long"): Refused,
    (403, "Forbidden: bot was blocked by the user"): Refused,
    (403, "Forbidden: user is deactivated"): Refused,
    (401, "Unauthorized"): AccountFault,
    (404, "Not Found"): AccountFault,
    (500, "Internal Server Error"): Deferred,
}
ERRORS: list[tuple[str, Said, type]] = [
    *(("whatsapp", Said(400, {"error": {"code": code}}), kind) for code, kind in META.items()),
    *(("whatsapp", Said(200, {"error": {"code": code}}), kind) for code, kind in META.items()),
    *(
        ("telegram", Said(s, {"ok": False, "error_code": s, "description": d}), k)
        for (s, d), k in BOTS.items()
    ),
    ("telegram", Said(429, {"ok": False, "parameters": {"retry_after": 7}}), Deferred),
    ("discord", Said(401, {"code": 50027}), AccountFault),
    ("discord", Said(404, {"code": 10015}), AccountFault),
    ("discord", Said(400, {"code": 50035}), Refused),
    ("discord", Said(429, {"retry_after": 0.64}), Deferred),
    ("discord", Said(204), Unknown),
    ("teams", Said(202), Accepted),
    ("teams", Said(401), AccountFault),
    ("teams", Said(413), Refused),
    ("teams", Said(502), Deferred),
    ("slack_bot", Said(200, {"ok": False, "error": "not_in_channel"}), AccountFault),
    ("slack_bot", Said(200, {"ok": False, "error": "channel_not_found"}), Refused),
    ("slack_bot", Said(200, {"ok": False, "error": "msg_too_long"}), Refused),
    ("slack_bot", Said(200, {"ok": False, "error": "fatal_error"}), Deferred),
    ("slack_bot", Said(200, {"ok": False, "error": "ratelimited"}), Deferred),
]


@pytest.mark.parametrize(("name", "said", "kind"), ERRORS)
async def test_what_each_service_says_is_what_it_means(name: str, said: Said, kind: type) -> None:
    async with answering(said) as service:
        secret = f"{service.url}/hook" if name in ("discord", "teams") else "token"
        gateway = of_preset(name, token=secret, **_api(name, service.url))
        async with closing(gateway):
            outcome = await gateway.send(message())
    assert isinstance(outcome, kind), outcome
    assert "ada" not in str(outcome)


@pytest.mark.parametrize(("said", "kind"), SLACK.items())
async def test_slack_says_it_in_words(said: tuple[int, str], kind: type) -> None:
    async def post(_: web.Request) -> web.Response:
        return web.Response(status=said[0], text=said[1])

    async with (
        simulated([web.post("/hook", post)]) as url,
        closing(of_preset("slack", token=f"{url}/hook")) as to,
    ):
        assert isinstance(await to.send(message()), kind)


def _api(name: str, url: str) -> dict[str, str]:
    return {"api": url} if "api" in PRESETS[name].description.variables else {}


async def test_a_token_in_the_path_is_in_no_reason() -> None:
    async with closing(of_preset("telegram", api="http://127.0.0.1:1", token="12:secret")) as gateway:
        outcome = await gateway.send(message())
    assert isinstance(outcome, Deferred)
    assert "secret" not in outcome.reason
