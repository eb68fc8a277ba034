"""Processes that live on without being of any use: what they own is carried out by others."""

import asyncio
import signal
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.ground_truth import Death
from tests.support.load import Requests
from tests.support.process import Child
from tests.support.shop import Shop

OWNED = "SELECT count(*) FROM outbox WHERE owner = $1"
ADOPTED_MAX = 40
"""Seconds: ten without a heartbeat, some for the leases of the frozen, and a busy machine."""


async def test_an_api_and_a_worker_frozen_for_ever(shop: Shop, killable_rabbitmq: RabbitServer) -> None:
    """Their connections stay open, as under SIGSTOP, a debugger or a cgroup's freezer; nobody wakes them."""
    names = await shop.users(100, name="defer-2+")
    api, worker = await asyncio.gather(shop.start("api"), shop.start("worker"))
    load = Requests(shop, names, recipients=4)
    await load.run(50)
    await shop.called(100)
    killable_rabbitmq.permit(shop.broker.name, write=False)  # from now on what they commit stays theirs
    for child in (api, worker):
        await shop.cut_off(child)
    ids = [await shop.process(child) for child in (api, worker)]
    await eventually(lambda: shop.value(OWNED, ids[1]), timeout=20)
    await load.run(50)
    for child in (api, worker):  # they are back, and it is these connections that stay open
        await eventually(lambda child=child: asyncio.to_thread(killable_rabbitmq.connections_of, child.pid))
    for child, id_ in zip((api, worker), ids, strict=True):
        child.signal(signal.SIGSTOP)
        shop.deaths.append(Death(id_, datetime.now(UTC)))
        assert await shop.value(OWNED, id_), "it owns nothing: nothing is tested"
    killable_rabbitmq.permit(shop.broker.name)
    other = await shop.start("worker")
    await shop.cut_off(worker)  # as the broker does after thirty seconds without its heartbeats
    await shop.at_rest(400, timeout=ADOPTED_MAX)
    assert _logged(other, "outbox.adopted")
    assert await shop.violations(load.ids) == []
    sent, calls = await shop.sent(), len(shop.calls())
    assert sent == 400

    for child in (api, worker):
        child.signal(signal.SIGCONT)
    await eventually(lambda: _logged(worker, "settle.overtaken") or shop.calls()[calls:] == [], timeout=10)
    for child in (worker, api):
        assert await child.terminate() == 0
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == sent


async def test_an_api_cut_off_from_the_broker_alone(shop: Shop, killable_rabbitmq: RabbitServer) -> None:
    """It lives, accepts, and its heart beats: what it cannot publish is published by another."""
    names = await shop.users(10)
    mute = _may_not_publish(killable_rabbitmq, shop)
    api, worker = await asyncio.gather(
        shop.start("api", env={"POSTHORN_AMQP__URL": mute}), shop.start("worker")
    )
    load = Requests(shop, names, recipients=2)
    await load.run(50)
    await shop.at_rest(100, timeout=ADOPTED_MAX)
    assert _logged(worker, "outbox.adopted")
    assert len(_logged(api, "relay.waits")) == 1

    again = datetime.now(UTC)
    await load.run(10)
    await shop.at_rest(120, timeout=10)  # it has given up by now: nobody waits for that any more
    assert (datetime.now(UTC) - again).total_seconds() < 10
    assert (await shop.readiness("api")).status == 200
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == len(shop.calls()) == 120


def _may_not_publish(server: RabbitServer, shop: Shop) -> str:
    """A user of its own: its URL."""
    server.api("PUT", "/users/mute", {"password": "mute", "tags": ""})
    rights = {"configure": ".*", "write": "^$", "read": ".*"}
    server.api("PUT", f"/permissions/{quote(shop.broker.name, safe='')}/mute", rights)
    url = urlsplit(shop.broker.amqp_url)
    return url._replace(netloc=f"mute:mute@{url.hostname}:{url.port}").geturl()


def _logged(child: Child, event: str) -> list[object]:
    return [line for line in child.log_lines() if line["event"] == event]
