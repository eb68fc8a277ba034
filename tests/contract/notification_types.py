"""What `NotificationTypes` must do."""

from typing import Any

import pytest

from application.notification_type.ports import NotificationTypes
from domain.kernel.channel import NotificationClass, Priority
from domain.kernel.errors import Conflict
from domain.notification.routing import Routing
from domain.notification_type.notification_type import NotificationType


def kind(**changes: Any) -> NotificationType:
    return NotificationType(**({"id": "order_shipped", "channels": ("push", "sms")} | changes))


class NotificationTypesContract:
    """Subclasses have a fixture `types`: none."""

    async def test_a_type_is_read_back_whole(self, types: NotificationTypes) -> None:
        full = kind(
            klass=NotificationClass.OTP,
            category="orders",
            priority=Priority.CRITICAL,
            routing=Routing.FIRST,
            templates={"push": "shipped_push", "sms": "shipped_sms"},
        )

        saved = await types.put(full, expected=None)

        assert (saved.value, saved.version) == (full, 1)
        assert await types.get("order_shipped") == saved
        assert await types.get("other") is None

    async def test_expected_is_the_version_that_the_caller_has_seen(self, types: NotificationTypes) -> None:
        with pytest.raises(Conflict):
            await types.put(kind(), expected=1)
        assert (await types.put(kind(), expected=0)).version == 1
        with pytest.raises(Conflict):
            await types.put(kind(), expected=0)
        assert (await types.put(kind(category="orders"), expected=1)).version == 2
        known = await types.get("order_shipped")
        assert known is not None
        assert known.value == kind(category="orders")

    async def test_deleting(self, types: NotificationTypes) -> None:
        assert await types.delete("order_shipped", expected=None) is False
        assert await types.delete("order_shipped", expected=1) is False
        await types.put(kind(), expected=None)
        with pytest.raises(Conflict):
            await types.delete("order_shipped", expected=2)
        assert await types.delete("order_shipped", expected=1) is True
        assert await types.get("order_shipped") is None

    async def test_pages_are_in_id_order_behind_a_type(self, types: NotificationTypes) -> None:
        for name in ("b", "a", "B", "a-b"):
            await types.put(kind(id=name), expected=None)

        assert [one.value.id for one in await types.page("", 3)] == ["B", "a", "a-b"]
        assert [one.value.id for one in await types.page("a-b", 3)] == ["b"]
