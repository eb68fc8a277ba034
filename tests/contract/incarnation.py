"""What a `BrokerMarker` and a `KnownMarker` must do."""

from uuid import uuid4

from application.ports.incarnation import BrokerMarker, KnownMarker


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


class KnownMarkerContract:
    """Subclasses have a fixture `known`."""

    async def test_the_last_one_is_relied_on(self, known: KnownMarker) -> None:
        first, second = uuid4(), uuid4()
        assert await known.marker() is None
        for marker in (first, second, second, first):
            await known.replace(marker)
            assert await known.marker() == marker

    async def test_one_is_alone_at_a_time(self, known: KnownMarker) -> None:
        async with known.alone() as mine:
            assert mine
            async with known.alone() as other:
                assert not other
            async with known.alone() as other:
                assert not other
        async with known.alone() as mine:
            assert mine
