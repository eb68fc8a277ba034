"""What must hold of compacting a dead queue: what is needed stays, what is stale goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from application.broker.ports import Consumer, Publisher, QueueSizes
from application.dead_letter.compact_queue import Compacted, CompactQueue
from application.outbox.pointers import Pointer, encode
from domain.kernel.errors import NotFound
from tests.contract.broker import outgoing, take
from tests.contract.dead_letters import failed, letter
from tests.contract.engine import Engine
from tests.support.accepting import EMAIL, IDS, pointers
from tests.support.eventually import eventually


@dataclass(frozen=True, kw_only=True)
class Yard:
    """A store and a broker with the topology of channel `email`."""

    engine: Engine
    publisher: Publisher
    consumer: Consumer
    sizes: QueueSizes

    async def dead_letter(self, *bodies: bytes) -> None:
        """Messages in the dead queue."""
        published = await self.publisher.publish([outgoing(body, EMAIL.dead) for body in bodies])
        assert len(published.confirmed) == len(bodies)
        await self.holds(len(bodies))

    async def holds(self, count: int) -> None:
        """The broker counts so many."""

        async def right() -> bool:
            return await self.sizes.size(EMAIL.dead) == count

        await eventually(right)

    async def left(self, count: int) -> list[bytes]:
        """What is in the dead queue, sorted; given back."""
        await self.holds(count)
        subscription = await self.consumer.subscribe(EMAIL.dead, 100)
        found = await take(subscription, count)
        await subscription.close()
        await self.holds(count)
        return sorted(message.body for message in found)

    async def compact(self, window: int = 2_000, **how: Any) -> Compacted:
        compact = CompactQueue(
            consumer=self.consumer, sizes=self.sizes, dead_letters=self.engine.letter_reader(), window=window
        )
        tallies = [tally async for tally in compact(EMAIL.dead, **({"remove": True} | how))]
        assert [tally.seen for tally in tallies] == sorted(tally.seen for tally in tallies)
        return tallies[-1]


def one(*wanted: Pointer) -> bytes:
    return encode(wanted)


async def some(yard: Yard, count: int) -> list[bytes]:
    return [one(letter(await failed(yard.engine))) for _ in range(count)]


class CompactContract:
    """Subclasses have a fixture `yard`."""

    async def test_what_was_closed_goes_and_what_is_open_stays(self, yard: Yard) -> None:
        open_ = await some(yard, 3)
        closed = [await failed(yard.engine) for _ in range(4)]
        await yard.engine.letters().replay([letter(each) for each in closed[:2]], "ada")
        await yard.engine.letters().discard([letter(each) for each in closed[2:]], "ada", "x")
        await yard.dead_letter(*open_, *(one(letter(each)) for each in closed), one(Pointer(IDS.next(), 7)))

        done = await yard.compact()

        assert (done.messages, done.seen, done.stale, done.removed, done.kept) == (8, 8, 5, 5, 3)
        assert await yard.left(3) == sorted(open_)

    async def test_counting_changes_nothing(self, yard: Yard) -> None:
        bodies = [*await some(yard, 2), one(Pointer(IDS.next(), 1)), b"garbage"]
        await yard.dead_letter(*bodies)

        done = await yard.compact(remove=False, unreadable=True)

        assert (done.stale, done.kept, done.unreadable, done.removed) == (1, 2, 1, 0)
        assert await yard.left(4) == sorted(bodies)

    async def test_what_nobody_can_read_stays_unless_it_is_not_wanted(self, yard: Yard) -> None:
        await yard.dead_letter(b"garbage", b'{"v":9,"d":[]}')

        assert (await yard.compact()).removed == 0
        assert await yard.left(2) == [b"garbage", b'{"v":9,"d":[]}']
        assert (await yard.compact(unreadable=True)).removed == 2
        await yard.holds(0)

    async def test_a_message_goes_with_the_last_pointer_that_is_needed(self, yard: Yard) -> None:
        """Messages that were delivered too often are dead-lettered: their deliveries still need them."""
        waiting = pointers(await yard.engine.given(3))
        dead = letter(await failed(yard.engine))
        gone = await failed(yard.engine)
        await yard.engine.letters().discard([letter(gone)], "ada", "x")
        kept = [one(*waiting), one(letter(gone), dead)]
        await yard.dead_letter(*kept, one(letter(gone)), one(letter(gone), Pointer(waiting[0].delivery, 9)))

        assert (await yard.compact()).removed == 2
        assert await yard.left(2) == sorted(kept)

    async def test_more_than_one_window_of_messages_that_stay(self, yard: Yard) -> None:
        kept = await some(yard, 7)
        stale = [one(Pointer(IDS.next(), n)) for n in range(1, 8)]
        await yard.dead_letter(*_mixed(kept, stale))

        done = await yard.compact(window=3)

        assert (done.seen, done.kept, done.removed) == (14, 7, 7)
        assert await yard.left(7) == sorted(kept)

    async def test_an_empty_queue_and_one_that_is_not_there(self, yard: Yard) -> None:
        assert (await yard.compact()).messages == 0
        with pytest.raises(NotFound):
            await yard.sizes.size("deliver.fax.low.dlq")


def _mixed(one_kind: Sequence[bytes], other: Sequence[bytes]) -> list[bytes]:
    return [body for both in zip(one_kind, other, strict=True) for body in both]
