"""What must hold of telling operators of dead letters: each group, at least once, not letter by letter."""

import asyncio
from datetime import timedelta

from application.alert.ports import Appeared
from domain.kernel.channel import Lane, Mode, Priority
from tests.contract.dead_letters import failed, letter
from tests.contract.engine import Engine

NONE = timedelta()
LONG = timedelta(hours=1)


async def claim(engine: Engine, *, quiet: timedelta = NONE, span: timedelta = LONG) -> Appeared | None:
    return await engine.alerts().claim(quiet=quiet, span=span)


async def claim_all(engine: Engine) -> list[Appeared]:
    found = []
    while (one := await claim(engine)) is not None:
        found.append(one)
    return found


class AlertsContract:
    """Subclasses have a fixture `engine`."""

    async def test_without_dead_letters_there_is_nothing_to_tell(self, engine: Engine) -> None:
        await engine.given()
        assert await claim(engine) is None

    async def test_a_group_is_told_of_once(self, engine: Engine) -> None:
        for user in ("ada", "bob", "eve"):
            last = await failed(engine, f"550 <{user}@example.com>: no such user")

        appeared = await claim(engine)

        assert appeared is not None
        [dead] = await engine.dead_letters(last.id)
        assert (appeared.channel, appeared.provider, appeared.mode) == ("email", "smtp", "live")
        assert (appeared.fingerprint, appeared.count) == (dead.fingerprint, 3)
        assert appeared.first_at < appeared.last_at == dead.created_at
        assert await claim(engine) is None, "somebody is telling of it"
        await engine.alerts().record_alerted(appeared)
        assert await claim(engine) is None

    async def test_each_group_and_each_mode_by_itself_the_oldest_first(self, engine: Engine) -> None:
        await failed(engine, "554 blocked", lane=Lane("sms", Priority.LOW))
        await failed(engine, "550 gone")
        await failed(engine, "550 gone", mode=Mode.TEST)
        await failed(engine, "550 gone")

        found = await claim_all(engine)

        assert [(one.channel, one.mode, one.count) for one in found] == [
            ("sms", "live", 1),
            ("email", "live", 2),
            ("email", "test", 1),
        ]

    async def test_what_was_not_told_in_time_is_told_by_somebody_else(self, engine: Engine) -> None:
        await failed(engine)
        first = await claim(engine, span=NONE)
        assert first is not None
        await failed(engine)

        second = await claim(engine)

        assert second is not None
        assert (first.count, second.count) == (1, 2)
        assert second.fingerprint == first.fingerprint

    async def test_what_nobody_took_is_told_again_after_a_pause_and_after_what_is_new(
        self, engine: Engine
    ) -> None:
        for reason in ("554 old", "550 older than it was"):
            await failed(engine, reason)
        first = await claim(engine)
        assert first is not None
        await engine.alerts().postpone(first, LONG)
        second = await claim(engine)
        assert second is not None
        assert await claim(engine) is None

        await engine.alerts().postpone(first, NONE)
        await failed(engine, "551 new")
        fresh, again = await claim(engine), await claim(engine)

        assert fresh is not None
        assert again is not None
        assert fresh.fingerprint not in (first.fingerprint, second.fingerprint)
        assert again == first

    async def test_what_died_since_is_told_of_again_after_a_while(self, engine: Engine) -> None:
        await failed(engine)
        appeared = await claim(engine)
        assert appeared is not None
        await failed(engine)
        await engine.alerts().record_alerted(appeared)
        await failed(engine, "554 another group")

        other = await claim(engine, quiet=LONG)

        assert other is not None
        assert other.fingerprint != appeared.fingerprint
        assert await claim(engine, quiet=LONG) is None, "the first group was told of so recently"
        again = await claim(engine, quiet=NONE)
        assert again is not None
        assert (again.fingerprint, again.count) == (appeared.fingerprint, 1)

    async def test_what_is_closed_before_anybody_was_told_is_no_news(self, engine: Engine) -> None:
        one, other = await failed(engine), await failed(engine, "554 another group")
        await engine.letters().discard([letter(one)], "ada", "x")
        await engine.letters().replay([letter(other)], "ada")
        assert await claim(engine) is None

    async def test_of_many_who_look_at_once_one_tells(self, engine: Engine) -> None:
        for _ in range(3):
            await failed(engine)
        found = await asyncio.gather(*(claim(engine) for _ in range(8)))
        assert [one.count for one in found if one is not None] == [3]
