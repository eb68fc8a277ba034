"""Where a request goes while the registered types cannot be read."""

from asyncio import Event
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from adapters.system import SystemClock
from application.kernel.versioned import Versioned
from application.notification.choose_routes import ChooseRoutes
from application.notification_type.known_types import KnownTypes
from application.template.cached import CachedTemplates
from domain.kernel.channel import CHANNELS, Priority
from domain.kernel.errors import StoreUnavailable
from domain.notification.request import Content, Recipient, Request
from domain.notification_type.notification_type import NotificationType
from tests.support.memory.catalog import MemoryNotificationTypes
from tests.support.memory.rows import MemoryRows
from tests.support.memory.templates import MemoryTemplates

KIND = NotificationType(id="order_shipped", channels=("sms",), priority=Priority.HIGH)
ASKED = Request(
    type="order_shipped", content=Content(body="On its way"), recipients=(Recipient(user_id="1"),)
)


@dataclass(frozen=True, kw_only=True)
class FadingTypes(MemoryNotificationTypes):
    """A store that may be away."""

    away: Event = field(default_factory=Event)

    async def page(self, after: str, limit: int) -> list[Versioned[NotificationType]]:
        if self.away.is_set():
            raise StoreUnavailable("away")
        return await MemoryNotificationTypes.page(self, after, limit)


@pytest.fixture
def types() -> FadingTypes:
    return FadingTypes(rows=MemoryRows(SystemClock()))


def choosing(types: FadingTypes) -> ChooseRoutes:
    clock = SystemClock()
    return ChooseRoutes(
        templates=CachedTemplates(templates=MemoryTemplates(rows=types.rows), clock=clock),
        channels=CHANNELS,
        types=KnownTypes(types=types, clock=clock, fresh=timedelta()),
    )


async def test_who_says_where_it_goes_needs_no_type(types: FadingTypes) -> None:
    types.away.set()
    choose = choosing(types)

    chosen = await choose(Request(type=ASKED.type, channel="sms", content=ASKED.content))

    assert ([route.channel for route in chosen.routes], chosen.faults) == (["sms"], [])


async def test_who_does_not_say_it_must_come_again(types: FadingTypes) -> None:
    types.away.set()
    choose = choosing(types)

    with pytest.raises(StoreUnavailable):
        await choose(ASKED)


async def test_what_was_read_last_counts(types: FadingTypes) -> None:
    await types.put(KIND, expected=0)
    choose = choosing(types)
    await choose(ASKED)
    types.away.set()

    chosen = await choose(ASKED)

    assert [route.channel for route in chosen.routes] == ["sms"]
    assert chosen.request.urgency is Priority.HIGH
