"""What a `Cancelling` must do."""

import asyncio
from uuid import uuid4

from application.delivery.ports import Settlement
from application.notification.ports import CancelTally
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Mode
from domain.notification.rollup import Counts, NotificationStatus
from tests.contract.engine import Engine
from tests.contract.leasing import begin, lease
from tests.contract.settling import called, settle
from tests.support.accepting import pointers


class CancellingContract:
    """Subclasses have a fixture `engine`."""

    async def test_what_nobody_holds_is_cancelled_in_chunks(self, engine: Engine) -> None:
        new, other = await engine.given(7), await engine.given(2)
        cancelling = engine.cancelling()

        assert await cancelling.mark(new.id, Mode.LIVE)
        assert [await cancelling.sweep(new.id, 3) for _ in range(4)] == [3, 3, 1, 0]

        assert await cancelling.tally(new.id) == CancelTally(cancelled=7, already_sent=0, in_flight=0)
        stand = await engine.stand(new.id)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.CANCELLED, Counts(cancelled=7))
        for delivery in new.deliveries:
            assert await engine.history(delivery.id) == [("queued", None), ("cancelled", None)]
        assert (await lease(engine, *pointers(new))).later == []
        untouched = await engine.stand(other.id)
        assert untouched is not None
        assert (untouched.counts, untouched.cancelled) == (Counts(open=2), False)

    async def test_what_is_sent_or_in_flight_is_told(self, engine: Engine) -> None:
        new = await engine.given(6)
        sent, held, flying = (await lease(engine, *pointers(new)[:3])).taken
        await begin(engine, sent, held, flying)
        await settle(engine, sent, DeliveryStatus.SENT, outcome="accepted")
        await settle(engine, held, DeliveryStatus.UNKNOWN, outcome="unknown")

        assert await engine.cancelling().mark(new.id, Mode.LIVE)
        assert await engine.cancelling().sweep(new.id, 100) == 3

        assert await engine.cancelling().tally(new.id) == CancelTally(
            cancelled=3, already_sent=1, in_flight=2
        )
        assert (await engine.delivery(flying.id)).status == DeliveryStatus.SENDING
        await engine.assert_counted(new.id)

    async def test_only_a_notification_of_this_mode_is_found(self, engine: Engine) -> None:
        new = await engine.given(mode=Mode.TEST)

        assert not await engine.cancelling().mark(new.id, Mode.LIVE)
        assert not await engine.cancelling().mark(uuid4(), Mode.TEST)
        assert await engine.cancelling().mark(new.id, Mode.TEST)
        assert await engine.cancelling().mark(new.id, Mode.TEST)

    async def test_what_has_ended_stays_as_it_ended(self, engine: Engine) -> None:
        taken = await called(engine)
        await settle(engine, taken, DeliveryStatus.FAILED, outcome="refused")

        assert await engine.cancelling().mark(taken.notification, Mode.LIVE)

        assert await engine.cancelling().sweep(taken.notification, 10) == 0
        stand = await engine.stand(taken.notification)
        assert stand is not None
        assert (stand.status, stand.cancelled) == (NotificationStatus.FAILED, False)

    async def test_a_sweep_and_workers_at_once_count_everything_once(self, engine: Engine) -> None:
        new = await engine.given(120)
        await engine.cancelling().mark(new.id, Mode.LIVE)

        async def work(part: int) -> None:
            taken = (await lease(engine, *pointers(new)[part::4])).taken
            ends = [
                Settlement(delivery=one.id, attempt=one.attempt, status=DeliveryStatus.CANCELLED)
                for one in taken
            ]
            await engine.deliveries().settle(ends)

        async def sweep() -> None:
            while await engine.cancelling().sweep(new.id, 10):
                pass

        await asyncio.gather(*(work(part) for part in range(4)), sweep(), sweep())

        stand = await engine.stand(new.id)
        assert stand is not None
        assert stand.counts == Counts(cancelled=120)
        assert [len(await engine.history(d.id)) for d in new.deliveries] == [2] * 120
