"""How fast gateways carry messages over HTTP, to look-alikes in a process of their own."""

import asyncio
import itertools
import math
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import psutil
import uvloop

from adapters.providers.email.sendgrid import SendGridSettings
from adapters.providers.kit.settings import ProviderContext, ProviderGateway, ProviderSettings
from adapters.providers.push.fcm import FcmSettings
from adapters.providers.sms.twilio import TwilioSettings
from adapters.system import SystemClock, SystemDice, SystemIds
from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted
from tests.bench.world import Result, World
from tests.support.eventually import eventually
from tests.support.fcm import credentials
from tests.support.process import Child, posthorn_child

POOL = 32
SECONDS = 10
IDS = SystemIds()
_LISTENS = re.compile(r"(http://\S+:\d+)/fcm")


async def bench_gateway_http_single(world: World) -> Result:
    """One message a call, as Twilio's API has it."""

    def settings(url: str) -> ProviderSettings:
        account = {"account": "AC0123456789abcdef0123456789abcdef", "token": Secret("token")}
        return TwilioSettings(url=f"{url}/twilio", pool=POOL, sender="+15005550006", **account)

    def text(number: int) -> OutboundMessage:
        return _message("sms", f"+4477009{number % 100_000:05}")

    return await _measured(world, "gateway_http_single", ">= 2,000", settings, text, at_a_time=POOL)


async def bench_gateway_http_batch(world: World) -> Result:
    """A hundred messages a call, as SendGrid's API has it."""

    def settings(url: str) -> ProviderSettings:
        return SendGridSettings(url=f"{url}/sendgrid", pool=4, sender="shop@shop.test", key=Secret("SG.key"))

    def email(number: int) -> OutboundMessage:
        return _message("email", f"ada{number}@shop.test", subject="Your order")

    return await _measured(world, "gateway_http_batch", ">= 6,000", settings, email, at_a_time=400)


async def bench_gateway_fcm(world: World) -> Result:
    """One device a call, over few connections."""

    def settings(url: str) -> ProviderSettings:
        return FcmSettings(url=f"{url}/fcm", pool=POOL, credentials=credentials(f"{url}/fcm/token"))

    def push(number: int) -> OutboundMessage:
        return _message("push", f"device-{number}", subject="Your order", parts={"data": {"order": "7"}})

    return await _measured(world, "gateway_fcm", ">= 2,000", settings, push, at_a_time=POOL)


def _message(channel: str, address: str, **more: object) -> OutboundMessage:
    known = {"delivery": IDS.next(), "attempt": 1, "channel": channel, "type": "order.created"}
    return OutboundMessage(**known, address=address, body="Thank you for your order 4711.", **more)  # type: ignore[arg-type]


async def _measured(
    world: World,
    name: str,
    goal: str,
    settings: Callable[[str], ProviderSettings],
    message: Callable[[int], OutboundMessage],
    *,
    at_a_time: int,
) -> Result:
    """The rate of a gateway in a loop such as the product's, in a thread of its own."""
    async with _sandbox(world) as (child, url):
        context = ProviderContext(clock=SystemClock(), dice=SystemDice(), call_max=timedelta(seconds=30))
        ours, theirs = psutil.Process(), psutil.Process(child.pid)
        before = _cpu(ours), _cpu(theirs)

        def work() -> tuple[int, float]:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_carry(settings(url).gateway(context), message, at_a_time))

        done, took = await asyncio.to_thread(work)
        detail = {
            "messages": done,
            "at_a_time": at_a_time,
            "provider": "posthorn sandbox",
            "cpu_us_per_message": {
                "gateway": round((_cpu(ours) - before[0]) / done * 1e6),
                "provider": round((_cpu(theirs) - before[1]) / done * 1e6),
            },
        }
    return Result(name=name, value=round(done / took), unit="messages/s", goal=goal, detail=detail)


async def _carry(
    gateway: ProviderGateway, message: Callable[[int], OutboundMessage], at_a_time: int
) -> tuple[int, float]:
    """Send for a while; how many were accepted, and the seconds that it took after the first ones."""
    numbers = itertools.count()
    done = 0
    ends = math.inf

    async def one() -> None:
        nonlocal done
        while time.monotonic() < ends:
            outcome = await gateway.send(message(next(numbers)))
            if not isinstance(outcome, Accepted):
                raise RuntimeError(f"not accepted: {outcome}")
            done += 1

    await gateway.send(message(next(numbers)))  # connected, logged in
    started = time.monotonic()
    ends = started + SECONDS
    async with asyncio.TaskGroup() as group:
        for _ in range(at_a_time):
            group.create_task(one())
    took = time.monotonic() - started
    await gateway.aclose()
    return done, took


@asynccontextmanager
async def _sandbox(world: World) -> AsyncIterator[tuple[Child, str]]:
    """`posthorn sandbox`, and its URL."""
    child = posthorn_child(world.sandbox.folder("look-alikes"), "sandbox", "--port", "0")
    child.start()
    try:
        found = await eventually(lambda: _LISTENS.search(child.log_text()) or False, timeout=30)
        assert found
        yield child, found[1]
    finally:
        child.close()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
