"""Templates close at hand."""

import asyncio
from datetime import UTC, datetime

import pytest

from application.template.cached import CachedTemplates
from domain.kernel.errors import StoreUnavailable
from domain.template.template import Template
from tests.support.eventually import eventually


class Templates:
    """Finds one template, when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.version = 1
        self.away = False
        self.hold: asyncio.Event | None = None

    async def find(self, template: str, version: int | None = None) -> Template:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise StoreUnavailable("away")
        return Template(id=template, version=version or self.version, name="T", channel="email")


class Clock:
    """Implements `Clock`; time passes when told."""

    seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


def made() -> tuple[CachedTemplates, Templates, Clock]:
    templates, clock = Templates(), Clock()
    return CachedTemplates(templates=templates, clock=clock), templates, clock  # type: ignore[arg-type]


async def test_what_is_kept_is_bounded_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.template.cached.KEPT_MAX", 20_000)
    cached, templates, clock = made()
    for n in range(500):
        assert await cached.active(f"t{n}")
        assert await cached.version(f"v{n}", 1)
        assert len(cached._kept) <= 20
    asked = templates.asked
    for _ in range(100):  # read again and again, one takes the room of one
        clock.seconds += 10
        assert await cached.active("t499")
        assert await cached.version("v499", 1)
    assert templates.asked == asked + 100


async def active(cached: CachedTemplates) -> int:
    found = await cached.active("t")
    assert found is not None
    return found.version


async def test_the_active_version_is_asked_for_again_after_a_moment() -> None:
    cached, templates, clock = made()
    assert await active(cached) == 1
    templates.version = 2
    assert await active(cached) == 1
    clock.seconds = 2
    assert await active(cached) == 2
    assert templates.asked == 2


async def test_what_this_process_changed_is_seen_at_once() -> None:
    cached, templates, _ = made()
    assert await active(cached) == 1
    templates.version = 2
    cached.forget("t")
    assert await active(cached) == 2


async def test_of_many_requests_at_once_one_asks_again() -> None:
    cached, templates, clock = made()
    assert await active(cached) == 1
    clock.seconds, templates.version, templates.hold = 3, 2, asyncio.Event()
    first = asyncio.create_task(active(cached))
    await eventually(lambda: templates.asked == 2)
    assert await asyncio.gather(*(active(cached) for _ in range(50))) == [1] * 50
    assert templates.asked == 2
    templates.hold.set()
    assert await first == 2
    assert await active(cached) == 2


async def test_a_version_is_asked_for_once() -> None:
    cached, templates, clock = made()
    for clock.seconds in (0, 1e6):
        assert await cached.version("t", 7) == Template(id="t", version=7, name="T", channel="email")
    assert templates.asked == 1


async def test_while_the_database_is_away_the_active_version_is_believed_for_a_minute() -> None:
    cached, templates, clock = made()
    assert await active(cached) == 1
    templates.away = True
    for clock.seconds in (2, 30, 59.9):
        assert await active(cached) == 1
    clock.seconds = 60
    with pytest.raises(StoreUnavailable):
        await active(cached)
    templates.away, templates.version = False, 2
    assert await active(cached) == 2


async def test_nobody_goes_on_with_what_is_too_old_while_another_asks() -> None:
    cached, templates, clock = made()
    assert await active(cached) == 1
    clock.seconds, templates.version, templates.hold = 60, 2, asyncio.Event()
    asking = [asyncio.create_task(active(cached)) for _ in range(5)]
    await eventually(lambda: templates.asked == 6)
    templates.hold.set()
    assert await asyncio.gather(*asking) == [2] * 5


async def test_a_template_nobody_has_asked_for_cannot_be_had_without_the_database() -> None:
    cached, templates, _ = made()
    templates.away = True
    with pytest.raises(StoreUnavailable):
        await active(cached)
