"""What `Renewals` must do: who calls keeps what is its own, and nothing else."""

from datetime import timedelta

from application.outbox.pointers import Pointer
from tests.contract.engine import Engine
from tests.contract.leasing import PAST, begin, lease, leased
from tests.contract.settling import S, settle

LONG = timedelta(minutes=5)


class RenewContract:
    """Subclasses have a fixture `engine`."""

    async def test_a_renewed_lease_lasts_from_now_on(self, engine: Engine) -> None:
        new = await engine.given(2)
        first, second = (await lease(engine, *(Pointer(d.id, 1) for d in new.deliveries))).taken
        await begin(engine, first, second)
        before = await engine.delivery(second.id)
        kept = await engine.renewals().renew({first.id: first.attempt}, lease=LONG)
        assert kept == {first.id}
        renewed, other = await engine.delivery(first.id), await engine.delivery(second.id)
        assert renewed.lease_until is not None
        assert before.lease_until is not None
        assert renewed.lease_until > before.lease_until + timedelta(minutes=4)
        assert (renewed.status, renewed.attempt) == (S.SENDING, first.attempt)
        assert other.lease_until == before.lease_until

    async def test_nobody_takes_over_what_is_renewed(self, engine: Engine) -> None:
        """Its lease had ended, as while the store was away, and nobody had come."""
        taken = await leased(engine, await engine.given())
        await begin(engine, taken)
        await engine.shift(taken.id, "lease_until", PAST)
        assert await engine.renewals().renew({taken.id: taken.attempt}, lease=LONG)
        again = await lease(engine, Pointer(taken.id, taken.seq))
        assert again.taken == []
        assert [later.pointer.delivery for later in again.later] == [taken.id]

    async def test_who_was_overtaken_renews_nothing(self, engine: Engine) -> None:
        taken = await leased(engine, await engine.given())
        await begin(engine, taken)
        await engine.shift(taken.id, "lease_until", PAST)
        [thief] = (await lease(engine, Pointer(taken.id, taken.seq))).taken
        before = await engine.delivery(taken.id)
        assert await engine.renewals().renew({taken.id: taken.attempt}, lease=LONG) == frozenset()
        assert (await engine.delivery(taken.id)).lease_until == before.lease_until
        assert thief.attempt == taken.attempt + 1

    async def test_only_calls_are_renewed(self, engine: Engine) -> None:
        """A lease without a call, and one whose call was settled, are not."""
        waiting = await leased(engine, await engine.given())
        done = await leased(engine, await engine.given())
        await begin(engine, done)
        await settle(engine, done, S.SENT, outcome="accepted")
        calls = {waiting.id: waiting.attempt, done.id: done.attempt}
        assert await engine.renewals().renew(calls, lease=LONG) == frozenset()
        assert (await engine.delivery(done.id)).lease_until is None
