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
