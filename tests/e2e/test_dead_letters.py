"""Dead letters and unknown outcomes as an operator meets them: told of, looked at, sent again, put aside."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.receiver import SECRET, Receiver, receiving
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOML = """
[providers.sandbox]
kind = "sandbox"
timeout = "200ms"

[engine]
call_max = "1s"
lease = "11s"

[policies.marketing]
on_unknown = "hold"

[relay]
sweep = "1s"

[alerts]
networks = ["127.0.0.0/8"]
url = "{url}"
secret = "{secret}"
every = "1s"
"""
MANY = 1_000
"""Two chunks of a job."""


class Operated(NamedTuple):
    """A shop, and where its operators are told."""

    shop: Shop
    receiver: Receiver


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def operated(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Operated]:
    async with receiving() as receiver:
        toml = TOML.format(url=f"{receiver.url}alerts", secret=SECRET)
        async with opened_shop(sandbox, postgres_server, rabbitmq_server, toml=toml) as shop:
            await asyncio.gather(shop.start("api"), shop.start("worker"))
            yield Operated(shop, receiver)


async def send(shop: Shop, *addresses: str, **changes: Any) -> UUID:
    """A notification to these addresses."""
    body = {
        "notificationType": "operated",
        "channelType": "email",
        "recipients": [{"email": address} for address in addresses],
        "subject": "Hello",
        "body": "World",
    }
    return (await shop.call("POST", "/api/notifications", body | changes)).id


async def refused(shop: Shop, count: int, name: str, **changes: Any) -> UUID:
    """A notification that nobody got, but would the second time."""
    id_ = await send(shop, *(f"refuse-1+{name}{n}@example.com" for n in range(count)), **changes)
    await shop.status(id_, "failed", timeout=60)
    return id_


async def groups(shop: Shop, notification: UUID) -> Sequence[Any]:
    answer = await shop.call("GET", f"/api/dead-letters/groups?notification={notification}")
    assert answer.status == 200, answer
    return list(answer.body["items"])


async def followed(shop: Shop, location: str) -> list[Any]:
    """How a job stood each time somebody looked, to its end."""
    seen: list[Any] = []

    async def finished() -> bool:
        seen.append((await shop.call("GET", location)).body)
        return bool(seen[-1]["finishedAt"])

    await eventually(finished, timeout=60, interval=0.02)
    return seen


async def test_a_group_is_sent_again_as_a_job(operated: Operated) -> None:
    shop = operated.shop
    notification = await refused(shop, MANY, "job", priority="high")
    [group] = await groups(shop, notification)
    assert (group["count"], group["channelType"], group["provider"]) == (MANY, "email", "sandbox")
    assert group["reason"] == "the sandbox was told to refuse"

    counted = await shop.call("POST", "/api/dead-letters:replay?dry_run=true", {"group": group["group"]})
    begun = await shop.call("POST", "/api/dead-letters:replay", {"group": group["group"]})

    assert counted.body == {"count": MANY}
    assert begun.status == 202, begun
    seen = await followed(shop, begun.headers["Location"])
    done = [job["done"] for job in seen]
    assert done == sorted(done)
    last = seen[-1]
    assert (last["status"], last["total"], last["done"], last["skipped"]) == ("completed", MANY, MANY, 0)
    assert last["actor"] == "key:tests"
    stands = await shop.status(notification, "completed", timeout=60)
    assert stands["counts"]["sent"] == MANY
    calls = Counter(line.outcome for line in shop.calls())
    assert calls == {"refused": MANY, "accepted": MANY}
    moves = (await shop.listed(notification, "history"))[:7]
    assert [move["status"] for move in moves] == [
        *("queued", "sending", "failed", "queued", "sending", "sent"),
        "queued",
    ]
    assert (moves[3]["reason"], moves[3]["actor"]) == ("replayed", "key:tests")
    assert await shop.violations([notification]) == []
    closed = await shop.call("GET", f"/api/dead-letters?notification={notification}&status=replayed&limit=1")
    assert closed.body["items"][0]["closedBy"] == "key:tests"


async def test_operators_are_told_within_seconds_once_for_a_group(operated: Operated) -> None:
    shop, receiver = operated
    unalerted = "SELECT count(*) FROM dead_letter_queue WHERE closed_at IS NULL AND alerted_at IS NULL"
    await eventually(lambda: _is(shop.value(unalerted), 0))
    before = len(receiver.events)
    receiver.answers = [500, 307]
    notification = await refused(shop, 20, "alert", channelType="sms", recipients=_phones(20))
    [group] = await groups(shop, notification)

    def posted() -> list[Any]:
        events = [got for got in receiver.events[before:] if got.event["data"]["group"] == group["group"]]
        assert len(events) >= 3
        return events

    events = await eventually(posted, timeout=60)
    assert len(events) == 3, "two that were not taken, and no event for each letter"
    assert all(got.is_signed() for got in events)
    assert events[1].id == events[2].id, "the same event, sent again"
    assert {got.path for got in events} == {"/alerts"}
    data = events[-1].event["data"]
    assert data["count"] == 20
    assert (data["channelType"], data["mode"], data["provider"]) == ("sms", "live", "sandbox")
    lines = [line for child in shop.children for line in child.log_lines()]
    said = [line for line in lines if line["event"] == "dead_letters.appeared"]
    assert 20 in {line["count"] for line in said if line["group"] == group["group"]}
    undelivered = {line["reason"] for line in lines if line["event"] == "alert.undelivered"}
    assert undelivered == {"answered 500", "answered 307"}
    await eventually(lambda: _is(shop.value(unalerted), 0))


def _phones(count: int) -> list[dict[str, str]]:
    return [{"phone": f"+4917612{n:03d}999101"} for n in range(count)]


async def _is(asked: Any, expected: int) -> bool:
    return int(await asked) == expected


async def test_from_the_command_line(operated: Operated) -> None:
    shop = operated.shop
    again, aside = await asyncio.gather(refused(shop, 3, "again"), send(shop, "refuse+aside@example.com"))
    await shop.status(aside, "failed")

    found = await _dlq(shop, "ls", "--notification", str(again))
    assert [(group["count"], group["channelType"]) for group in found] == [(3, "email")]
    dead_letters = await _dlq(shop, "ls", "--letters", "--notification", str(again))
    ids = [dead_letter["deliveryId"] for dead_letter in dead_letters]
    assert len(ids) == 3
    shown = await _dlq(shop, "show", ids[0])
    assert [dead_letter["status"] for dead_letter in shown["deadLetters"]] == ["open"]
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["refused"]
    assert [move["status"] for move in shown["history"]] == ["queued", "sending", "failed"]

    assert await _dlq(shop, "replay", *ids[:2], "--dry-run") == {"count": 2}
    assert "Sent 1 again." in await shop.command("dlq", "replay", ids[0], "--yes")
    group = ("--group", found[0]["group"], "--since", "1h", "--notification", str(again))
    job = await _dlq(shop, "replay", *group, "--yes")
    assert (job["status"], job["total"], job["done"]) == ("completed", 2, 2)
    assert job["actor"].startswith("cli")
    await shop.status(again, "completed")

    [dead_letter] = await _dlq(shop, "ls", "--letters", "--notification", str(aside))
    printed = await shop.command("dlq", "discard", dead_letter["deliveryId"], "--reason", "a typo", "--yes")
    assert "Put 1 aside." in printed
    shown = await _dlq(shop, "show", dead_letter["deliveryId"])
    assert [(each["status"], each["note"]) for each in shown["deadLetters"]] == [("discarded", "a typo")]
    assert "None." in await shop.command("dlq", "ls", "--notification", str(aside))
    assert "a typo" in await shop.command("dlq", "show", dead_letter["deliveryId"])


async def test_a_question_nobody_answers_changes_nothing(operated: Operated) -> None:
    shop = operated.shop
    notification = await refused(shop, 1, "question")
    child = shop.child("dlq", "replay", "--notification", str(notification))
    child.start()
    assert await child.wait(timeout=60) == 2
    asked = "posthorn: Send 1 dead letter again? Say --yes to go on without being asked"
    assert child.log_text().startswith(asked)
    shop.children.remove(child)
    assert len(await _dlq(shop, "ls", "--letters", "--notification", str(notification))) == 1


async def test_the_dead_queues_are_compacted(operated: Operated) -> None:
    shop = operated.shop
    queue = "deliver.email.low.dlq"
    gone = await refused(shop, 5, "gone", priority="low")
    stays = await refused(shop, 2, "stays", priority="low")
    [job] = [await _dlq(shop, "discard", "--notification", str(gone), "--reason", "x", "--yes")]
    assert job["done"] == 5
    await eventually(lambda: _depth(shop, queue, 7), timeout=30)

    [counted] = await _dlq(shop, "compact", queue, "--dry-run")
    assert (counted["stale"], counted["kept"], counted["removed"]) == (5, 2, 0)
    await eventually(lambda: _depth(shop, queue, 7), timeout=30)
    [done] = await _dlq(shop, "compact", queue, "--yes")

    assert (done["messages"], done["kept"], done["removed"]) == (7, 2, 5)
    await eventually(lambda: _depth(shop, queue, 2), timeout=30)
    everywhere = await _dlq(shop, "compact", "--yes")
    assert len(everywhere) == 25, "five channels, four priorities and one for tests"
    open_ = await shop.value("SELECT count(*) FROM dead_letter_queue WHERE closed_at IS NULL")
    assert sum(each["kept"] for each in everywhere) == open_
    answer = await shop.call("POST", "/api/dead-letters:replay", {"notificationId": str(stays)})
    assert (await followed(shop, answer.headers["Location"]))[-1]["done"] == 2
    await shop.status(stays, "completed")


async def test_calls_without_an_answer_are_held_and_resolved(operated: Operated) -> None:
    shop = operated.shop
    names = ("sent", "failed", "resend")
    ids = [await send(shop, f"silent-1+{name}@example.com", **{"class": "marketing"}) for name in names]
    attempts = await eventually(lambda: _held(shop, ids), timeout=30)
    await _figure(shop, "worker", "posthorn_held_deliveries", 3)
    await _figure(shop, "worker", 'posthorn_unknown_outcomes_total{channel="email",provider="sandbox"}', 3)

    for name, attempt in zip(names, attempts, strict=True):
        answer = await shop.call("POST", f"/api/attempts/{attempt['id']}:resolve", {"resolution": name})
        assert (answer.status, answer.body["resolvedBy"]) == (200, "key:tests")
    again = await shop.call("POST", f"/api/attempts/{attempts[0]['id']}:resolve", {"resolution": "resend"})

    assert again.status == 409
    for id_, status in zip(ids, ("completed", "failed", "completed"), strict=True):
        await shop.status(id_, status)
    outcomes = [
        [line.outcome for line in shop.calls() if str(line.delivery) == attempt["deliveryId"]]
        for attempt in attempts
    ]
    assert outcomes == [["unknown"], ["unknown"], ["unknown", "accepted"]]
    resolved = await shop.call("GET", f"/api/attempts?state=unknown&notification={ids[2]}")
    [attempt] = resolved.body["items"]
    assert (attempt["held"], attempt["resolution"], attempt["resolvedBy"]) == (False, "resend", "key:tests")
    await _figure(shop, "worker", "posthorn_held_deliveries", 0)


async def _held(shop: Shop, notifications: Sequence[UUID]) -> list[Any]:
    """The attempts that these rest on, in their order."""
    found = (await shop.call("GET", "/api/attempts?state=unknown&held=true")).body["items"]
    by_notification = {UUID(each["notificationId"]): each for each in found}
    assert by_notification.keys() >= set(notifications)
    return [by_notification[id_] for id_ in notifications]


async def _figure(shop: Shop, role: str, name: str, value: float) -> None:
    """Wait until a process shows it; some are read every ten seconds."""

    async def shown() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{shop.urls[role]}/metrics") as answer:
            text = await answer.text()
        [line] = [line for line in text.splitlines() if line.startswith(name + " ")]
        assert float(line.rpartition(" ")[2]) == value

    await eventually(shown, timeout=30, interval=0.5)


async def _dlq(shop: Shop, *arguments: str) -> Any:
    return msgspec.json.decode(await shop.command("dlq", *arguments, "--json"))


async def _depth(shop: Shop, queue: str, expected: int) -> bool:
    assert shop.rabbitmq
    return await asyncio.to_thread(shop.rabbitmq.depth, shop.broker.name, queue) == expected
