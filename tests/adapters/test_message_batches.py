"""Messages that share a call, where not all of them can."""

import asyncio
from collections.abc import Sequence

from adapters.providers.kit.batches import MessageBatches
from application.provider.ports import OutboundMessage
from domain.provider.outcome import Accepted, Outcome
from tests.contract.gateway import message


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
