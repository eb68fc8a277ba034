"""What `Clearances` must do: the facts of the gate once more, for what is begun and ours."""

from uuid import uuid4

from application.channel.ports import Channel
from application.delivery.ports import ClearanceFacts
from domain.kernel.channel import Mode
from tests.contract.engine import Engine
from tests.contract.leasing import NOON, PAST, begin, lease
from tests.contract.settling import S, settle
from tests.support.accepting import pointers, user


async def stand(engine: Engine, *attempts: tuple[object, int]) -> dict[object, ClearanceFacts]:
    return {each.delivery: each for each in await engine.clearances().clear(attempts)}


class ClearContract:
    """Subclasses have a fixture `engine`."""

    async def test_what_is_begun_is_cleared_again_on_todays_facts(self, engine: Engine) -> None:
        taken = (await lease(engine, *pointers(await engine.given(3)))).taken
        await begin(engine, *taken)

        found = await stand(engine, *((one.id, one.attempt) for one in taken))

        assert found.keys() == {one.id for one in taken}
        for one in found.values():
            changed = (one.cancelled, one.suppressed, one.channel_paused, one.erased, not one.channel_enabled)
            assert not any(changed)
            [call] = await engine.attempts(one.delivery)
            assert (call.cleared_at, call.attempt) == (one.read_at, one.attempt)
            assert one.read_at > NOON

    async def test_what_has_changed_since_is_told(self, engine: Engine) -> None:
        ada, bob = sorted((user(email_index=b"ada"), user()), key=lambda each: each.id)
        new = await engine.given_for(ada, bob)
        taken = (await lease(engine, *pointers(new))).taken
        await begin(engine, *taken)
        attempts = [(one.id, one.attempt) for one in taken]
        of = {one.user: one.id for one in taken}
        named = ada if ada.email_index == b"ada" else bob

        await engine.suppress("email", b"ada", "complained")
        assert (await stand(engine, *attempts))[of[named.id]].suppressed == "complained"
        await engine.erase(named.id)
        assert (await stand(engine, *attempts))[of[named.id]].erased
        await engine.configure(Channel(channel="email", paused=True))
        assert all(one.channel_paused for one in (await stand(engine, *attempts)).values())
        await engine.configure(Channel(channel="email", enabled=False))
        assert not any(one.channel_enabled for one in (await stand(engine, *attempts)).values())
        await engine.cancelling().mark(new.id, Mode.LIVE)
        assert all(one.cancelled for one in (await stand(engine, *attempts)).values())

    async def test_what_is_not_begun_not_ours_or_over_is_not_cleared(self, engine: Engine) -> None:
        waiting, late, over, other = (await lease(engine, *pointers(await engine.given(4)))).taken
        await begin(engine, late, over, other)
        await engine.shift(late.id, "lease_until", PAST)
        await settle(engine, over, S.SENT, outcome="accepted")

        attempts = [(one.id, one.attempt) for one in (waiting, late, over)]
        assert await stand(engine, *attempts, (other.id, 7), (uuid4(), 1)) == {}
        assert [call.cleared_at for call in await engine.attempts(late.id)] == [NOON]

    async def test_nothing_to_clear_is_nothing(self, engine: Engine) -> None:
        assert await engine.clearances().clear([]) == []
