"""The REST entrance while the database is away: who asks it, who is promised, and what nobody is told."""

import asyncio
from collections.abc import Sequence

import pytest

from application.broker.ports import Outgoing, Published
from application.intake.command import INTAKE, unseal
from application.kernel import budget
from application.notification.submit import Submitted
from domain.kernel.channel import Mode, Priority
from domain.kernel.errors import BrokerUnavailable, Fault, Invalid, StoreUnavailable, Unavailable
from domain.notification.request import Content
from tests.support.eventually import eventually
from tests.unit.intake.promising import AWAY, VAULT, Desk, request


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_with_the_database_there_nothing_is_deferred(desk: Desk) -> None:
    submitted = await desk.submit(request())
    assert submitted == Submitted(submitted.id, replayed=False, degraded=False)
    assert submitted.id in desk.rows.notifications
    assert desk.published == []


async def test_without_it_the_whole_command_is_on_the_broker_before_the_answer(desk: Desk) -> None:
    desk.before = AWAY
    asked = request(
        mode=Mode.TEST,
        priority=Priority.CRITICAL,
        idempotency_key="k",
        metadata={"a": [1, 2.5, None]},
        traceparent="00-1-2-01",
    )
    submitted = await desk.submit(asked)
    assert submitted == Submitted(submitted.id, replayed=False, degraded=True)
    [message] = desk.published
    assert (message.id, message.queue) == (submitted.id, INTAKE)
    command = unseal(message.body, VAULT)
    assert (command.id, command.request, command.channel) == (submitted.id, asked, "email")
    assert command.key is not None
    assert len(command.fingerprint) == 16


async def test_nothing_of_the_command_can_be_read_on_the_broker(desk: Desk) -> None:
    desk.before = AWAY
    await desk.submit(request(idempotency_key="canary-key", metadata={"label": "canary"}))
    [message] = desk.published
    assert b"canary" not in message.body + str(message.headers).encode()


@pytest.mark.parametrize(
    "publish",
    [
        lambda messages: Published([], []),
        lambda messages: Published([], [message.id for message in messages]),
        lambda messages: (_ for _ in ()).throw(BrokerUnavailable("away too")),
    ],
    ids=["no confirm", "no queue", "away"],
)
async def test_what_the_broker_does_not_confirm_is_not_promised(desk: Desk, publish: object) -> None:
    desk.before, desk.publish = AWAY, publish
    with pytest.raises(Unavailable):
        await desk.submit(request())


async def test_a_commit_whose_answer_was_lost_is_promised_under_its_own_id(desk: Desk) -> None:
    desk.after = AWAY
    submitted = await desk.submit(request(idempotency_key="k"))
    assert submitted.degraded
    assert list(desk.rows.notifications) == [submitted.id], "it was committed"
    desk.after = None
    assert await desk.drained() == ["committed"]
    assert list(desk.rows.notifications) == [submitted.id]
    assert len(desk.rows.outbox) == 1


@pytest.mark.parametrize("refusal", [Invalid(Fault("", "bad", "bad")), LookupError("a bug")])
async def test_a_refusal_is_not_an_absence(desk: Desk, refusal: Exception) -> None:
    desk.before = refusal
    with pytest.raises(type(refusal)):
        await desk.submit(request())
    assert desk.published == []


async def test_what_is_too_large_for_the_broker_waits_for_the_database(desk: Desk) -> None:
    desk.before = AWAY
    large, small = request(content=Content(subject="s", body="x" * 4_000_000)), request()
    answers = await desk.submit.many([large, small])
    assert isinstance(answers[0], Unavailable)
    assert isinstance(answers[1], Submitted)
    assert [message.id for message in desk.published] == [answers[1].id]


async def test_a_batch_is_promised_with_one_publish(desk: Desk) -> None:
    batches: list[int] = []

    def publish(messages: Sequence[Outgoing]) -> Published:
        batches.append(len(messages))
        return desk.take(messages)

    desk.before, desk.publish = AWAY, publish
    answers = await desk.submit.many([request() for _ in range(20)])
    assert [answer.degraded for answer in answers] == [True] * 20
    assert batches == [20]


async def test_while_it_is_known_to_be_away_one_request_a_second_asks(desk: Desk) -> None:
    desk.before = AWAY
    await desk.submit(request())
    assert desk.asked == 1
    for _ in range(20):
        assert (await desk.submit(request())).degraded
    assert desk.asked == 1
    desk.clock.seconds += 1
    desk.hold = asyncio.Event()  # as when a connection does not come about
    probe = asyncio.create_task(desk.submit(request()))
    await eventually(lambda: desk.asked == 2)
    others = [await asyncio.wait_for(desk.submit(request()), 1) for _ in range(20)]
    assert all(other.degraded for other in others)
    desk.hold.set()
    assert (await probe).degraded
    assert desk.asked == 2


async def test_who_waits_in_vain_is_promised_when_the_time_of_the_request_is_up(desk: Desk) -> None:
    """The commit goes on: what it comes to is found under the id that was promised."""
    desk.hold = asyncio.Event()
    budget.begin(3)
    loop = asyncio.get_running_loop()
    began = loop.time()
    submitted = await desk.submit.many([request(idempotency_key=f"k-{n}") for n in range(5)])
    assert loop.time() - began == 3, "for all of them together"
    assert [each.degraded for each in submitted] == [True] * 5
    assert (await desk.submit(request())).degraded, "nothing is left of the time"
    assert loop.time() - began == 3
    desk.hold.set()
    await desk.submit.commit.drain()
    assert [each.id for each in submitted] == list(desk.rows.notifications)[:5]
    assert await desk.drained() == ["committed"] * 6
    assert len(desk.rows.notifications) == 6


async def test_the_commit_is_nobodys_request(desk: Desk) -> None:
    """Whoever comes first starts it for all: his budget is not theirs."""
    seen: list[bool] = []
    keys = desk.keys

    async def watched(users: object) -> object:
        seen.append(budget.limited())
        return await keys(users)

    desk.keys = watched
    budget.begin(3)
    await desk.submit(request())
    assert (seen, budget.limited()) == ([False], True)


async def test_a_silent_store_is_not_asked_and_nobody_waits(desk: Desk) -> None:
    desk.submit.outage.silent = lambda: "PostgreSQL: no answer"
    for _ in range(3):
        assert (await desk.submit(request())).degraded
        desk.clock.seconds += 5
    assert desk.asked == 0
    desk.submit.outage.silent = lambda: None
    assert not (await desk.submit(request())).degraded


async def test_when_it_is_back_everybody_asks_again(desk: Desk) -> None:
    desk.before = AWAY
    await desk.submit(request())
    desk.before = None
    assert (await desk.submit(request())).degraded
    desk.clock.seconds += 1
    assert not (await desk.submit(request())).degraded
    assert not (await desk.submit(request())).degraded


async def test_who_waits_behind_a_commit_that_fails_does_not_wait_for_its_own(desk: Desk) -> None:
    desk.before, desk.hold = StoreUnavailable("gone"), asyncio.Event()
    desk.submit.commit.rows_max = 2
    waiting = [asyncio.create_task(desk.submit(request())) for _ in range(20)]
    await eventually(lambda: desk.asked == 1 and desk.submit.commit._waiting_rows == 38)
    desk.hold.set()
    assert all([(await each).degraded for each in waiting])
    assert desk.asked == 1
    assert desk.submit.commit._waiting_rows == 0
