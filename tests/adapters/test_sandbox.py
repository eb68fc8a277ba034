"""The sandbox: what addresses tell it, its chances, its ledger, and the registry that always has one."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from adapters.providers.email.smtp.connections import SmtpTls
from adapters.providers.email.smtp.gateway import SmtpSettings
from adapters.providers.kit.ledger import Ledger
from adapters.providers.kit.settings import ProviderContext, ProviderSettings
from adapters.providers.registry import ProviderGateways
from adapters.providers.sandbox import SandboxGateway, SandboxSettings
from adapters.system import SystemClock, SystemDice
from application.provider.ports import Gateways
from config.gateways import build
from config.settings import EngineSettings, Settings
from domain.kernel.errors import Misconfigured
from domain.provider.instruction import Behaviour, Instruction, instruction_in
from domain.provider.outcome import Accepted, Deferred, Refused, Unknown
from tests.contract.gateway import message
from tests.support.sandbox import PROJECT

ACCEPT, REFUSE, DEFER = Behaviour.ACCEPT, Behaviour.REFUSE, Behaviour.DEFER
THROTTLE, SILENT = Behaviour.THROTTLE, Behaviour.SILENT
CALL_MAX = timedelta(seconds=30)


class Rolls:
    """Dice that were rolled before."""

    def __init__(self, rolls: Iterable[float]) -> None:
        self._rolls = iter(rolls)

    def chance(self) -> float:
        return next(self._rolls)


def sandbox(
    ledger: Path | None = None,
    rolls: Iterable[float] = (),
    call_max: timedelta = CALL_MAX,
    timeout: timedelta = timedelta(milliseconds=20),
    **settings: Any,
) -> SandboxGateway:
    context = ProviderContext(
        call_max=call_max,
        clock=SystemClock(),
        dice=Rolls(rolls),
        ledger=None if ledger is None else Ledger(ledger),
    )
    return SandboxGateway(SandboxSettings(timeout=timeout, **settings), context)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("address", "instruction"),
    [
        ("refuse@shop.test", Instruction(REFUSE)),
        ("defer@shop.test", Instruction(DEFER)),
        ("defer-2@shop.test", Instruction(DEFER, attempts=2)),
        ("defer-2+basket7@shop.test", Instruction(DEFER, attempts=2)),
        ("throttle@shop.test", Instruction(THROTTLE)),
        ("throttle-3@shop.test", Instruction(THROTTLE, attempts=3)),
        ("silent@shop.test", Instruction(SILENT)),
        ("silent-1@shop.test", Instruction(SILENT, attempts=1)),
        ("slow@shop.test", Instruction(ACCEPT, latency=timedelta(seconds=1))),
        ("slow-25@shop.test", Instruction(ACCEPT, latency=timedelta(milliseconds=25))),
        ("refuse", Instruction(REFUSE)),
        ("+4930999100", Instruction(REFUSE)),
        ("+4930999200", Instruction(DEFER)),
        ("+4930999202", Instruction(DEFER, attempts=2)),
        ("+4930999300", Instruction(THROTTLE)),
        ("+4930999499", Instruction(SILENT, attempts=99)),
        ("ada@shop.test", None),
        ("refused@shop.test", None),
        ("please-refuse@shop.test", None),
        ("defer-x@shop.test", None),
        ("ada@refuse", None),
        ("+4930999000", None),
        ("+4930999500", None),
        ("+49309991001", None),
        ("", None),
    ],
)
def test_what_addresses_mean(address: str, instruction: Instruction | None) -> None:
    assert instruction_in(address) == instruction


async def test_first_attempts_go_wrong_and_later_ones_right() -> None:
    gateway = sandbox()
    kinds = [type(await gateway.send(message("defer-2@shop.test", attempt=n))) for n in (1, 2, 3, 4)]
    assert kinds == [Deferred, Deferred, Accepted, Accepted]
    kinds = [type(await gateway.send(message("silent-1@shop.test", attempt=n))) for n in (1, 2)]
    assert kinds == [Unknown, Accepted]


async def test_no_address_makes_a_call_longer_than_its_bound() -> None:
    gateway = sandbox(call_max=timedelta(milliseconds=30))
    async with asyncio.timeout(5):
        for address in ("slow-99999@shop.test", "slow@shop.test"):
            assert isinstance(await gateway.send(message(address)), Accepted)
    hour = timedelta(hours=1)
    gateway = sandbox(timeout=hour, latency=hour, call_max=timedelta(milliseconds=30))
    async with asyncio.timeout(5):
        assert isinstance(await gateway.send(message("silent@shop.test")), Unknown)
        assert isinstance(await gateway.send(message("ada@shop.test")), Accepted)


def test_every_sandbox_knows_the_bound_of_calls() -> None:
    """The one that is always there, too, when others are configured."""
    settings = Settings(
        engine=EngineSettings(call_max=timedelta(seconds=7)), providers={"mailer": SmtpSettings()}
    )
    for each in (settings, structs.replace(settings, providers={"sandbox": SandboxSettings()})):
        gateway = build(each, SystemClock(), SystemDice()).named("sandbox")
        assert isinstance(gateway, SandboxGateway)
        assert gateway._context.call_max == timedelta(seconds=7)


async def test_throttling_names_a_wait_and_deferring_does_not() -> None:
    gateway = sandbox()
    throttled = await gateway.send(message("throttle@shop.test"))
    deferred = await gateway.send(message("defer@shop.test"))
    assert isinstance(throttled, Deferred)
    assert isinstance(deferred, Deferred)
    assert (throttled.retry_after, deferred.retry_after) == (timedelta(seconds=1), None)


async def test_references_name_delivery_and_attempt() -> None:
    sent = message(attempt=3)
    assert await sandbox().send(sent) == Accepted(f"sandbox-{sent.delivery}-3")


async def test_slow_calls_take_their_time() -> None:
    began = time.monotonic()
    await sandbox().send(message("slow-60@shop.test"))
    assert time.monotonic() - began >= 0.06


async def test_chances_are_for_addresses_that_say_nothing() -> None:
    gateway = sandbox(rolls=(0.05, 0.15, 0.25, 0.31), refuse=0.1, defer=0.1, silent=0.1)
    kinds = [type(await gateway.send(message())) for _ in range(4)]
    assert kinds == [Refused, Deferred, Unknown, Accepted]
    assert isinstance(await gateway.send(message("slow-1@shop.test")), Accepted)


async def test_each_call_is_a_line_in_the_ledger_before_its_outcome_is_known(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    gateway = sandbox(ledger)
    for number, address in enumerate(("ada@a.b", "refuse@a.b", "defer@a.b", "throttle@a.b", "silent@a.b"), 1):
        sent = message(address, attempt=number)
        await gateway.send(sent)
        line = lines(ledger)[-1]
        assert (line["delivery"], line["attempt"]) == (str(sent.delivery), number)
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
    outcomes = [line["outcome"] for line in lines(ledger)]
    assert outcomes == ["accepted", "refused", "deferred", "deferred", "unknown"]
    assert "a.b" not in ledger.read_text()


async def test_a_call_cut_off_before_its_middle_has_sent_nothing(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    gateway = sandbox(ledger)
    call = asyncio.create_task(gateway.send(message("slow-60000@shop.test")))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert lines(ledger) == []


def test_a_line_outlives_kill_9_in_the_next_instruction(tmp_path: Path) -> None:
    program = """
import asyncio, os, signal, sys
from pathlib import Path
from adapters.system import SystemClock, SystemDice
from config.gateways import build
from config.settings import SandboxLedger, Settings
from tests.contract.gateway import message
gateways = build(Settings(sandbox=SandboxLedger(ledger=Path(sys.argv[1]))), SystemClock(), SystemDice())
async def run():
    for number in range(1, 1001):
        await gateways.named("sandbox").send(message(attempt=number))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(run())
"""
    ledger = tmp_path / "ledger.jsonl"
    run = subprocess.run([sys.executable, "-c", program, ledger], cwd=PROJECT, timeout=60, check=False)
    assert run.returncode == -signal.SIGKILL
    assert [line["attempt"] for line in lines(ledger)] == list(range(1, 1001))


async def test_several_gateways_append_to_one_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    gateways = [sandbox(ledger, latency=timedelta(milliseconds=1)) for _ in range(4)]
    await asyncio.gather(*(gateways[n % 4].send(message(attempt=n)) for n in range(400)))
    assert Counter(line["attempt"] for line in lines(ledger)) == Counter(range(400))


async def test_a_ledger_that_takes_nothing_more_sends_nothing() -> None:
    outcome = await sandbox(Path("/dev/full")).send(message())
    assert isinstance(outcome, Deferred)
    assert "ledger" in outcome.reason


def gateways(ledger: Path | None = None, **providers: ProviderSettings) -> ProviderGateways:
    return ProviderGateways(
        providers, clock=SystemClock(), dice=SystemDice(), call_max=CALL_MAX, ledger=ledger
    )


async def test_the_registry_knows_what_was_configured_and_always_the_sandbox(tmp_path: Path) -> None:
    smtp = SmtpSettings(host="localhost", port=25, sender="shop@shop.test", tls=SmtpTls.NONE)
    registry = gateways(
        tmp_path / "ledger.jsonl", mail=smtp, slow=SandboxSettings(latency=timedelta(seconds=9))
    )
    port: Gateways = registry
    assert port.named("mail") is not None
    assert port.named("slow") is not port.named("sandbox")
    assert port.named("pigeon") is None
    always = port.named("sandbox")
    assert always is not None
    assert isinstance(await always.send(message()), Accepted)
    await registry.aclose()
    assert len(lines(tmp_path / "ledger.jsonl")) == 1


@pytest.mark.parametrize(
    ("providers", "says"),
    [
        (
            {"sandbox": SmtpSettings(host="h", port=25, sender="shop@shop.test")},
            "'sandbox' sends nothing: give the one of kind smtp another name",
        ),
        ({"mail": SmtpSettings(host="h", port=25, sender="The Shop")}, "no sender"),
        ({"mail": SmtpSettings(host="h", port=25, sender="a@b\r\nBcc: c@d")}, "no sender"),
        ({"mail": SmtpSettings(host="h", port=25, sender="a@b.c", reply_to="nobody")}, "no sender"),
        ({"mail": SmtpSettings(host="h", port=25, sender="a@b.c", ca=Path("/nowhere.pem"))}, "nowhere.pem"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(providers: dict[str, ProviderSettings], says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        gateways(**providers)


def test_a_ledger_that_cannot_be_opened_is_a_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="ledger"):
        gateways(tmp_path / "nowhere" / "ledger.jsonl")


def test_times_in_the_ledger_are_utc(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.line(datetime(2026, 3, 1, 12, tzinfo=UTC).isoformat(), message().delivery, 1, "accepted")
    ledger.close()
    assert lines(path)[0]["time"] == "2026-03-01T12:00:00+00:00"
