"""What a `BrokerMarker` and a `KnownMarker` must do."""

from uuid import uuid4

import pytest

from application.recovery.ports import BrokerMarker, KnownMarker, Markers
from domain.kernel.errors import Conflict


class BrokerMarkerContract:
    """Subclasses have a fixture `marker`."""

    async def test_a_planted_mark_stands_and_no_other(self, marker: BrokerMarker) -> None:
        planted = uuid4()
        assert not await marker.stands(planted)
        await marker.plant(planted)
        assert await marker.stands(planted)
        assert not await marker.stands(uuid4())

    async def test_planting_again_is_harmless(self, marker: BrokerMarker) -> None:
        planted = uuid4()
        await marker.plant(planted)
        await marker.plant(planted)
        assert await marker.stands(planted)

    async def test_looking_does_not_wear_it_out(self, marker: BrokerMarker) -> None:
        planted = uuid4()
        await marker.plant(planted)
        assert [await marker.stands(planted) for _ in range(30)] == [True] * 30

    async def test_one_that_is_taken_away_stands_no_more(self, marker: BrokerMarker) -> None:
        planted, other = uuid4(), uuid4()
        await marker.plant(planted)
        await marker.plant(other)
        await marker.uproot(planted)
        await marker.uproot(planted)
        assert not await marker.stands(planted)
        assert await marker.stands(other)


class KnownMarkerContract:
    """Subclasses have a fixture `known`."""

    async def test_the_last_one_is_relied_on(self, known: KnownMarker) -> None:
        first, second, third = uuid4(), uuid4(), uuid4()
        assert await known.markers() == Markers(relied=None)
        await known.intend(first)
        await known.intend(first)
        assert await known.markers() == Markers(relied=None, others=(first,))
        await known.rely(first, [])
        assert await known.markers() == Markers(relied=first)
        for marker in (second, third):
            await known.intend(marker)
        assert await known.markers() == Markers(relied=first, others=(third, second))
        await known.rely(second, [first])
        assert await known.markers() == Markers(relied=second, others=(third,))
        await known.rely(third, [third])
        assert (await known.markers()).relied == third
        assert set((await known.markers()).others) == {second}

    async def test_nobody_relies_on_a_forgotten_one(self, known: KnownMarker) -> None:
        old, new = uuid4(), uuid4()
        for marker in (old, new):
            await known.intend(marker)
        await known.rely(new, [old])
        with pytest.raises(Conflict):
            await known.rely(old, [new])
        assert await known.markers() == Markers(relied=new)

    async def test_one_is_alone_at_a_time(self, known: KnownMarker) -> None:
        async with known.alone() as mine:
            assert mine
            async with known.alone() as other:
                assert not other
            async with known.alone() as other:
                assert not other
        async with known.alone() as mine:
            assert mine
