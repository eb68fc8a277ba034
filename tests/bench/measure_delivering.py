"""How fast a worker works a lane off."""

import asyncio
import itertools
import time

import aiohttp

from tests.bench.world import Result, Shop, World, measures, order, percentile

USERS = 10_000
CAMPAIGNS = 300
SINGLES = 140_000
TEMPLATE = "order_confirmation_email"


async def bench_deliver_packed(world: World) -> Result:
    """A campaign: notifications with 1,000 recipients each, 100 pointers a message."""
    async with world.shop() as shop:
        names = await shop.users(USERS)
        await shop.start("api")
        async with aiohttp.ClientSession() as session:
            for n in range(CAMPAIGNS):
                chunk = names[n * 1000 % USERS :][:1000]
                await shop.post(session, "/api/notifications", _request(n, chunk))
        await shop.outbox_empty()
        return await _drain(shop, "deliver_packed", ">= 5,000", CAMPAIGNS * 1000)


async def bench_deliver_single(world: World) -> Result:
    """Notifications with one recipient each, one message each."""
    async with world.shop("[accepting]\npack_from = 100000\n") as shop:
        names = await shop.users(USERS)
        await shop.start("api")
        async with aiohttp.ClientSession() as session:
            for start in range(0, SINGLES, 500):
                batch = [_request(n, [names[n % USERS]]) for n in range(start, start + 500)]
                await shop.post(session, "/api/notifications/batch", {"notifications": batch})
        await shop.outbox_empty()
        return await _drain(shop, "deliver_single", ">= 1,300", SINGLES)


@measures("deliver_heavy_tail_share", "deliver_heavy_tail_single_share")
async def bench_deliver_heavy_tail(world: World) -> list[Result]:
    """What a worker delivers when one call in a hundred takes three seconds, as a share of when none does."""
    return [
        await _tailed(world, "deliver_heavy_tail_share", CAMPAIGNS * 500, 1000),
        await _tailed(world, "deliver_heavy_tail_single_share", SINGLES // 2, 1),
    ]


async def _tailed(world: World, name: str, deliveries: int, recipients: int) -> Result:
    async with world.shop("[accepting]\npack_from = 100000\n" if recipients == 1 else "") as shop:
        quick = await shop.users(USERS)
        slow = await shop.users(USERS // 100, name="slow-3000+")
        tailed = [slow[n // 100] if n % 100 == 50 else each for n, each in enumerate(quick)]
        await shop.start("api")
        found = []
        for names in (quick, tailed):
            before = int(await shop.value("SELECT coalesce(sum(sent), 0) FROM notifications"))
            async with aiohttp.ClientSession() as session:
                for start in range(0, deliveries, 1000):
                    chunk = names[start % USERS :][:1000]
                    groups = [chunk[at : at + recipients] for at in range(0, 1000, recipients)]
                    batch = [_request(before + start + n, each) for n, each in enumerate(groups)]
                    await shop.post(session, "/api/notifications/batch", {"notifications": batch})
            await shop.outbox_empty()
            found.append(await _drain(shop, name, ">= 0.9", before + deliveries, before))
        share = round(found[1].value / found[0].value, 3)
        detail = {"quick": found[0].value, "tailed": found[1].value, **found[1].detail}
        return Result(name=name, value=share, unit="of the rate", goal=">= 0.9", detail=detail)


def _request(number: int, names: list[str]) -> dict[str, object]:
    return {
        "notificationType": "order_confirmation",
        "channelType": "email",
        "priority": "medium",
        "templateId": TEMPLATE,
        "recipients": names,
        "data": order("bench", number),
    }


async def _drain(shop: Shop, name: str, goal: str, expected: int, done_before: int = 0) -> Result:
    """Start a worker on what waits and stop it; the rate between the first and the last tenth."""
    await shop.execute("VACUUM ANALYZE")
    worker = await shop.start("worker")
    before = shop.cpu(worker)
    seen: list[tuple[float, int]] = []
    while not seen or seen[-1][1] < expected:
        done = await shop.value("SELECT coalesce(sum(sent + failed), 0)::int FROM notifications")
        seen.append((time.monotonic(), done))
        await asyncio.sleep(0.5)
    share = [(at, (done - done_before) / (expected - done_before)) for at, done in seen]
    steady = [each for each, (_, part) in zip(seen, share, strict=True) if 0.05 <= part <= 0.97]
    rate = (steady[-1][1] - steady[0][1]) / (steady[-1][0] - steady[0][0])
    await shop.outbox_empty()
    steps = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(steady)]
    detail = {
        "deliveries": expected,
        "sent": await shop.value("SELECT sum(sent)::int FROM notifications"),
        "steady_s": round(steady[-1][0] - steady[0][0], 1),
        "rate_p10": round(percentile(steps, 0.1)),
        "rate_p90": round(percentile(steps, 0.9)),
        "outbox_at_end": 0,
        "cpu_us_per_delivery": shop.cpu_each(worker, before, expected - done_before),
    }
    await worker.terminate()
    return Result(name=name, value=round(rate), unit="deliveries/s", goal=goal, detail=detail)
