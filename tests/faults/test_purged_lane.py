"""Messages that are gone though the broker is whole: purged by mistake, or given up by the broker itself."""

from urllib.parse import quote

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.load import Requests
from tests.support.shop import Shop

LANE = "deliver.email.high"


async def test_a_purged_lane_is_seen_and_filled_again(shop: Shop, killable_rabbitmq: RabbitServer) -> None:
    """By hand at once, by itself within a minute; here by hand for what stood there, then by itself."""
    names = await shop.users(10)
    api = await shop.start("api", env={"POSTHORN_ALERTS__WAITING_MAX": "1s"})
    load = Requests(shop, names, recipients=4)
    queue = f"/queues/{quote(shop.broker.name, safe='')}/{LANE}"

    async def purged(deliveries: int) -> None:
        async def there() -> bool:
            return await shop.value("SELECT count(*) FROM outbox") == 0

        await load.run(deliveries // 4)
        await eventually(there, timeout=20)
        killable_rabbitmq.api("DELETE", f"{queue}/contents")

    await purged(200)
    assert "Issued 200 pointers and 0 dead letters" in await shop.command(
        "recover", "--yes", "--lane", "email.high"
    )
    worker = await shop.start("worker")
    await shop.at_rest(200)
    assert await shop.sent() == len(shop.calls()) == 200

    assert await worker.terminate() == 0  # what it holds would not be purged
    await purged(200)
    await eventually(lambda: "lane.stalled" in api.log_text(), timeout=60)
    figures = (await shop.call("GET", "/metrics")).body
    assert f'posthorn_lane_oldest_age_seconds{{lane="{LANE}"}}' in figures
    await shop.again(worker, "worker")
    await shop.at_rest(400, timeout=60)
    assert await shop.violations(load.ids) == []
    assert await shop.sent() == len(shop.calls()) == 400
    lines = [line for role in shop.children for line in role.log_lines()]
    assert any(line["event"] == "deliveries.issued_again" for line in lines)
    [stalled, *_] = [line for line in api.log_lines() if line["event"] == "lane.stalled"]
    assert stalled["lane"] == LANE
