"""Messages that share a call, where not all of them can."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.providers.kit.batches import MessageBatches
from application.provider.ports import OutboundMessage
from domain.provider.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from tests.contract.gateway import message
from tests.support.gathering import together


async def _calls(subjects: str, *, most: int) -> list[str]:
    """The subjects of each call, made one at a time."""
    calls: list[str] = []

    async def call(messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        calls.append("".join(each.subject or "" for each in messages))
        return [Accepted(str(each.delivery)) for each in messages]

    batches = MessageBatches(call=call, most=most, at_a_time=1, group=lambda each: each.subject)
    sent = [message(subject=each) for each in subjects]
    outcomes = await asyncio.gather(*(batches.send(each) for each in sent))
    assert outcomes == [Accepted(str(each.delivery)) for each in sent]
    return calls


async def test_only_messages_of_a_group_share_a_call() -> None:
    assert await _calls("abacab", most=10) == ["aaa", "bb", "c"]


async def test_groups_take_turns() -> None:
    assert await _calls("aaaabbc", most=2) == ["aa", "bb", "c", "aa"]


async def test_a_call_carries_so_many_bytes_attachments_among_them() -> None:
    calls: list[int] = []

    async def call(messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        calls.append(len(messages))
        return [Accepted(str(each.delivery)) for each in messages]

    batches = MessageBatches(call=call, most=10, at_a_time=1, bytes_max=1_000)
    file = {"name": "a.txt", "type": "text/plain", "content": "a" * 600}
    sent = [
        *(message(body="a" * 400) for _ in range(3)),
        *(message(parts={"attachments": [file]}) for _ in range(2)),
    ]
    await asyncio.gather(*(batches.send(each) for each in sent))
    assert calls == [2, 1, 1, 1]


PARTLY: list[Outcome] = [Accepted("1"), Refused("bounced"), Deferred("busy"), Unknown("?"), Accepted("5")]


async def _partly(messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
    return PARTLY[: len(messages)]


async def _each_gets_its_own(batches: MessageBatches) -> None:
    assert await together(batches, [message() for _ in PARTLY]) == PARTLY


async def test_what_becomes_of_one_message_is_not_said_of_its_neighbours() -> None:
    await _each_gets_its_own(MessageBatches(call=_partly, most=10, at_a_time=1))


class _MarksNeighbours(MessageBatches):
    """A mistake: one outcome is taken for that of all messages of the call."""

    async def _send(self, batch: list[Any]) -> None:
        outcomes = await self.call([each for each, _, _ in batch])
        first = next((each for each in outcomes if not isinstance(each, Accepted)), outcomes[0])
        for _, done, _ in batch:
            done.set_result(first)


async def test_a_batch_whose_partial_failure_marks_its_neighbours_is_found() -> None:
    with pytest.raises(AssertionError):
        await _each_gets_its_own(_MarksNeighbours(call=_partly, most=10, at_a_time=1))
