"""What a `BrokerMarker` and a `KnownMarker` must do."""

from uuid import uuid4

import pytest

from application.recovery.ports import BrokerMarker, KnownMarker, Markers
from domain.kernel.errors import Conflict


class BrokerMarkerContract:
    """Subclasses have a fixture `marker`."""

    async def test_a_planted_mark_stands_and_no_other(self, marker: BrokerMarker) -> None:
        planted = uuid4()
        assert not await marker.exists(planted)
        await marker.place(planted)
        assert await marker.exists(planted)
        assert not await marker.exists(uuid4())

    async def test_planting_again_is_harmless(self, marker: BrokerMarker) -> None:
        planted = uuid4()
        await marker.place(planted)
        await marker.place(planted)
        assert await marker.exists(planted)

    async def test_looking_does_not_wear_it_out(self, marker: BrokerMarker) -> None:
        planted = uuid4()
        await marker.place(planted)
        assert [await marker.exists(planted) for _ in range(30)] == [True] * 30

    async def test_one_that_is_taken_away_stands_no_more(self, marker: BrokerMarker) -> None:
        planted, other = uuid4(), uuid4()
        await marker.place(planted)
        await marker.place(other)
        await marker.remove(planted)
        await marker.remove(planted)
        assert not await marker.exists(planted)
        assert await marker.exists(other)


class KnownMarkerContract:
    """Subclasses have a fixture `known`."""

    async def test_the_last_one_is_relied_on(self, known: KnownMarker) -> None:
        first, second, third = uuid4(), uuid4(), uuid4()
        assert await known.markers() == Markers(current=None)
        await known.register(first)
        await known.register(first)
        assert await known.markers() == Markers(current=None, others=(first,))
        await known.set_current(first, [])
        assert await known.markers() == Markers(current=first)
        for marker in (second, third):
            await known.register(marker)
        assert await known.markers() == Markers(current=first, others=(third, second))
        await known.set_current(second, [first])
        assert await known.markers() == Markers(current=second, others=(third,))
        await known.set_current(third, [third])
        assert (await known.markers()).current == third
        assert set((await known.markers()).others) == {second}

    async def test_nobody_relies_on_a_forgotten_one(self, known: KnownMarker) -> None:
        old, new = uuid4(), uuid4()
        for marker in (old, new):
            await known.register(marker)
        await known.set_current(new, [old])
        with pytest.raises(Conflict):
            await known.set_current(old, [new])
        assert await known.markers() == Markers(current=new)

    async def test_one_is_alone_at_a_time(self, known: KnownMarker) -> None:
        async with known.alone() as mine:
            assert mine
            async with known.alone() as other:
                assert not other
            async with known.alone() as other:
                assert not other
        async with known.alone() as mine:
            assert mine
