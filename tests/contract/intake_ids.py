"""What a `IntakeIds` must do."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.intake.ports import FailedNotification, IntakeIds
from application.notification.ports import Created, Filter, Reader
from domain.kernel.channel import Lane, Mode, NotificationClass, Priority
from domain.kernel.errors import Invalid
from domain.kernel.ids import time_of
from domain.notification.rollup import Counts
from tests.contract.engine import Engine
from tests.support.accepting import IDS, notification, pack, user


def failed(**changes: Any) -> FailedNotification:
    known: dict[str, Any] = {
        "id": IDS.next(),
        "mode": Mode.LIVE,
        "type": "order_created",
        "klass": NotificationClass.OTP,
        "lane": Lane("email", Priority.HIGH),
        "template_id": "order-created",
        "template_version": 3,
        "metadata": b'{"order": "A-1"}',
        "created_by": "shop",
        "traceparent": None,
        "reason": "/templateId: no active template 'order-created'",
    }
    return FailedNotification(**(known | changes))


class IntakeIdsContract:
    """Subclasses have fixtures `intake_ids`, and `reader` and `engine` over the same rows."""

    async def test_an_alias_leads_to_its_winner(self, intake_ids: IntakeIds) -> None:
        aliases = {uuid4(): uuid4() for _ in range(3)}
        await intake_ids.alias(aliases)

        assert {alias: await intake_ids.winner(alias) for alias in aliases} == aliases
        assert await intake_ids.winner(uuid4()) is None

    async def test_an_alias_stays_what_it_is(self, intake_ids: IntakeIds) -> None:
        alias, winner, new = uuid4(), uuid4(), uuid4()
        await intake_ids.alias({alias: winner})
        await intake_ids.alias({alias: uuid4(), new: winner})

        assert await intake_ids.winner(alias) == await intake_ids.winner(new) == winner

    async def test_a_failure_is_shown_with_its_reason(
        self, intake_ids: IntakeIds, reader: Reader, engine: Engine
    ) -> None:
        one, other = failed(), failed(metadata=None, created_by=None, template_id=None, template_version=None)
        await intake_ids.fail([other, one])

        shown = await reader.notification(one.id, "live")
        assert shown is not None
        assert (shown.status, shown.reason, shown.counts) == ("failed", one.reason, Counts())
        assert (shown.type, shown.klass, shown.channel, shown.priority) == (
            *("order_created", "otp"),
            *("email", "high"),
        )
        assert (shown.template_id, shown.template_version) == ("order-created", 3)
        assert (shown.metadata, shown.created_by) == ({"order": "A-1"}, "shop")
        assert shown.created_at == time_of(one.id)
        assert await reader.notification(one.id, "test") is None
        found = await reader.notifications(Filter(mode="live", statuses=("failed",)), None, 10)
        assert {each.id for each in found} == {one.id, other.id}
        assert await reader.deliveries(one.id, None, 10) == []
        await engine.assert_counted(one.id)

    async def test_failing_again_changes_nothing(self, intake_ids: IntakeIds, reader: Reader) -> None:
        one = failed()
        await intake_ids.fail([one])
        await intake_ids.fail([failed(id=one.id, reason="another")])

        shown = await reader.notification(one.id, "live")
        assert shown is not None
        assert shown.reason == one.reason

    async def test_what_stands_is_not_failed(
        self, intake_ids: IntakeIds, reader: Reader, engine: Engine
    ) -> None:
        new = await engine.given()
        await intake_ids.fail([failed(id=new.id)])

        shown = await reader.notification(new.id, "live")
        assert shown is not None
        assert (shown.status, shown.reason, shown.counts) == ("queued", None, Counts(open=1))

    async def test_what_failed_is_not_accepted_afterwards(
        self, intake_ids: IntakeIds, engine: Engine
    ) -> None:
        one, ada = failed(), user()
        await intake_ids.fail([one])
        new = notification(ada, id=one.id)

        committed = await engine.acceptance().accept([new], [ada], pack)

        assert committed.results == [Created(one.id)]
        assert committed.messages == []
        await engine.assert_counted(one.id)

    @pytest.mark.parametrize("change", [{"type": "a\0b"}, {"reason": "\ud83d"}, {"metadata": b"{"}])
    async def test_a_value_nobody_can_store_fails_none_of_them(
        self, intake_ids: IntakeIds, reader: Reader, change: dict[str, Any]
    ) -> None:
        good, bad = failed(), failed(**change)
        with pytest.raises(Invalid):
            await intake_ids.fail([good, bad])

        assert await reader.notification(good.id, "live") is None
        assert await stored(reader) == []


async def stored(reader: Reader) -> list[UUID]:
    return [each.id for each in await reader.notifications(Filter(mode="live"), None, 10)]
