"""What a `Reader` must do."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.delivery.views import AttemptView, DeliveryView
from application.notification.ports import Filter, Reader
from application.notification.views import HistoryView, NotificationView
from application.user.ports import User
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Mode, NotificationClass, Priority
from domain.kernel.ids import delivery_id, millis_of, uuid7
from domain.notification.rollup import Counts, NotificationStatus
from domain.notification.routing import ChannelRoute, Routing
from tests.support.memory.rows import AttemptRow, DeliveryRow, HistoryRow, NotificationRow

MINUTE = timedelta(minutes=1)


@dataclass(kw_only=True)
class Rows:
    """What a test begins with."""

    users: Sequence[User] = ()
    notifications: Sequence[NotificationRow] = ()
    deliveries: Sequence[DeliveryRow] = ()
    attempts: Sequence[AttemptRow] = ()
    history: dict[UUID, list[HistoryRow]] = field(default_factory=dict)


Seed = Callable[[Rows], Awaitable[None]]


def notification(at: datetime, **changes: Any) -> NotificationRow:
    id_ = uuid7(round(at.timestamp() * 1000), uuid4().int)
    known: dict[str, Any] = {
        "id": id_,
        "mode": Mode.LIVE,
        "type": "order_created",
        "klass": NotificationClass.TRANSACTIONAL,
        "channel": "email",
        "priority": Priority.HIGH,
        "template_id": "order-created",
        "template_version": 3,
        "content": b"sealed",
        "metadata": {},
        "created_by": "shop",
        "created_at": at,
        "updated_at": at,
    }
    return NotificationRow(**(known | changes))


def delivery(parent: NotificationRow, user: UUID, **changes: Any) -> DeliveryRow:
    known: dict[str, Any] = {
        "id": delivery_id(parent.id, user, parent.channel),
        "notification_id": parent.id,
        "user_id": user,
        "slot": parent.channel,
        "channel": parent.channel,
        "priority": parent.priority,
        "content_key": b"wrapped",
        "created_at": parent.created_at,
        "updated_at": parent.created_at,
    }
    return DeliveryRow(**(known | changes))


def ids(found: Sequence[NotificationView] | Sequence[DeliveryView]) -> list[UUID]:
    return [one.id for one in found]


class ReaderContract:
    """Subclasses have fixtures `reader` and `seed`, which writes rows for it to read."""

    @pytest.fixture
    def now(self) -> datetime:
        """Of this month, to the millisecond: only near months have partitions."""
        return datetime.now(UTC).replace(microsecond=123_000)

    async def test_a_notification_on_several_channels_shows_them_and_is_found_by_each(
        self, reader: Reader, seed: Seed, now: datetime
    ) -> None:
        routes = (
            ChannelRoute(channel="push", template="shipped-push", version=2),
            ChannelRoute(channel="sms"),
        )
        two = notification(now, channel="push", category="orders", routing=Routing.FIRST, routes=routes)
        one = notification(now - MINUTE, channel="sms")
        await seed(Rows(notifications=[two, one]))

        found = {
            channel: ids(await reader.notifications(Filter(mode="live", channel=channel), None, 10))
            for channel in ("push", "sms", "email")
        }

        assert found == {"push": [two.id], "sms": [two.id, one.id], "email": []}
        shown = await reader.notification(two.id, "live")
        assert shown is not None
        assert (shown.routing, shown.routes, shown.category) == ("first", routes, "orders")
        alone = await reader.notification(one.id, "live")
        assert alone is not None
        assert (alone.routing, alone.routes, alone.category) == (None, (), None)

    async def test_a_notification_is_shown_whole(self, reader: Reader, seed: Seed, now: datetime) -> None:
        row = notification(
            now,
            klass=NotificationClass.OTP,
            metadata={"order": "A-1", "lines": [1, 2]},
            status=NotificationStatus.PROCESSING,
            counts={"open": 1, "sent": 2, "failed": 3},
            cancelled_at=now + MINUTE,
            updated_at=now + MINUTE,
            reason="nobody to tell",
        )
        await seed(Rows(notifications=[row]))

        expected = NotificationView(
            id=row.id,
            mode="live",
            type="order_created",
            klass="otp",
            channel="email",
            priority="high",
            status="processing",
            reason="nobody to tell",
            template_id="order-created",
            template_version=3,
            metadata={"order": "A-1", "lines": [1, 2]},
            created_by="shop",
            counts=Counts(open=1, sent=2, failed=3),
            created_at=now,
            updated_at=now + MINUTE,
            cancelled_at=now + MINUTE,
        )
        assert await reader.notification(row.id, "live") == expected
        assert await reader.notifications(Filter(mode="live"), None, 10) == [expected]

    async def test_a_key_of_one_mode_sees_nothing_of_the_other(
        self, reader: Reader, seed: Seed, now: datetime
    ) -> None:
        live, test = notification(now), notification(now, mode=Mode.TEST, metadata={}, created_by=None)
        await seed(Rows(notifications=[live, test]))

        assert await reader.notification(live.id, "test") is None
        assert await reader.notification(uuid7(millis_of(live.id), 0), "live") is None
        assert ids(await reader.notifications(Filter(mode="test"), None, 10)) == [test.id]

    async def test_lists_are_newest_first_and_go_on_behind_an_id(
        self, reader: Reader, seed: Seed, now: datetime
    ) -> None:
        rows = [notification(now - n * MINUTE) for n in range(5)]
        await seed(Rows(notifications=rows[::2] + rows[1::2]))
        newest_first = [row.id for row in rows]

        every = Filter(mode="live")
        assert ids(await reader.notifications(every, None, 3)) == newest_first[:3]
        assert ids(await reader.notifications(every, newest_first[2], 3)) == newest_first[3:]
        assert await reader.notifications(every, newest_first[-1], 3) == []

    async def test_every_condition_must_hold(self, reader: Reader, seed: Seed, now: datetime) -> None:
        row = notification(now, status=NotificationStatus.FAILED)
        others = [
            notification(now),
            replace(row, id=uuid7(millis_of(row.id), 1), type="order_shipped"),
            replace(row, id=uuid7(millis_of(row.id), 2), channel="sms"),
            replace(row, id=uuid7(millis_of(row.id), 3), created_by="operator"),
        ]
        await seed(Rows(notifications=[row, *others]))

        async def found(**wanted: Any) -> set[UUID]:
            return set(ids(await reader.notifications(Filter(mode="live", **wanted), None, 10)))

        everything = {row.id, *(other.id for other in others)}
        assert await found() == everything
        assert await found(statuses=("failed",)) == everything - {others[0].id}
        assert await found(statuses=("failed", "queued")) == everything
        assert await found(types=("order_created",)) == everything - {others[1].id}
        assert await found(types=("order_created", "order_shipped")) == everything
        assert await found(channel="email") == everything - {others[2].id}
        assert await found(created_by="shop") == everything - {others[3].id}
        wanted = {"statuses": ("failed",), "types": ("order_created",), "channel": "email"}
        assert await found(**wanted, created_by="shop") == {row.id}

    async def test_times_bound_the_list_to_the_millisecond(
        self, reader: Reader, seed: Seed, now: datetime
    ) -> None:
        millisecond = timedelta(milliseconds=1)
        before, at, after = (notification(now + n * millisecond) for n in (-1, 0, 1))
        await seed(Rows(notifications=[before, at, after]))

        async def found(**wanted: Any) -> list[UUID]:
            return ids(await reader.notifications(Filter(mode="live", **wanted), None, 10))

        assert await found(created_after=now) == [after.id, at.id]
        assert await found(created_before=now) == [before.id]
        assert await found(created_after=now, created_before=now + millisecond) == [at.id]

    @pytest.mark.parametrize(
        ("wanted", "matches"),
        [
            ({"order": "A-1"}, True),
            ({"order": "A-1", "count": 2}, True),
            ({"order": "A-2"}, False),
            ({"order": "A-1", "other": None}, False),
            ({"count": 2.0}, True),
            ({"one": True}, False),
            ({"one": 1}, True),
            ({"flag": True}, True),
            ({"nothing": None}, True),
            ({"nested": {"a": 1}}, False),
            ({"nested": {"b": [1, {}], "a": 1}}, True),
            ({"tags": ["x"]}, False),
            ({"tags": "x"}, False),
            ({"tags": ["x", "y"]}, True),
            ({"tags": ["y", "x"]}, False),
        ],
    )
    async def test_metadata_matches_by_whole_members(
        self, reader: Reader, seed: Seed, now: datetime, wanted: dict[str, Any], matches: bool
    ) -> None:
        metadata = {
            "order": "A-1",
            "count": 2,
            "one": 1,
            "flag": True,
            "nothing": None,
            "nested": {"a": 1, "b": [1, {}]},
            "tags": ["x", "y"],
        }
        row = notification(now, metadata=metadata)
        await seed(Rows(notifications=[row, notification(now)]))

        found = await reader.notifications(Filter(mode="live", metadata=wanted), None, 10)
        assert ids(found) == ([row.id] if matches else [])

    async def test_notifications_of_a_person(self, reader: Reader, seed: Seed, now: datetime) -> None:
        ada, bob = uuid4(), uuid4()
        rows = [notification(now - n * MINUTE) for n in range(4)]
        pairs = [(rows[0], ada), (rows[1], bob), (rows[2], ada), (rows[2], bob), (rows[3], ada)]
        await seed(Rows(notifications=rows, deliveries=[delivery(*pair) for pair in pairs]))
        hers = Filter(mode="live", user=ada)

        assert ids(await reader.notifications(hers, None, 10)) == [rows[0].id, rows[2].id, rows[3].id]
        assert ids(await reader.notifications(hers, rows[0].id, 1)) == [rows[2].id]
        lately = Filter(mode="live", user=ada, created_after=now - 2 * MINUTE, created_before=now)
        assert ids(await reader.notifications(lately, None, 10)) == [rows[2].id]
        assert await reader.notifications(Filter(mode="live", user=uuid4()), None, 10) == []

    async def test_a_delivery_is_shown_whole(self, reader: Reader, seed: Seed, now: datetime) -> None:
        ada = User(id=uuid4(), guest=False, data_key=b"key", profile=b"sealed")
        parent = notification(now)
        row = delivery(
            parent,
            ada.id,
            status=DeliveryStatus.UNKNOWN,
            reason="timed out",
            provider="smtp",
            not_before=now,
            held_at=now + MINUTE,
            updated_at=now + MINUTE,
        )
        open_attempt = AttemptRow(
            delivery_id=row.id, attempt=4, provider="smtp", worker=uuid4(), cleared_at=now, begun_at=now
        )
        settled = replace(
            open_attempt,
            attempt=1,
            settled_at=now + MINUTE,
            outcome="deferred",
            reference="<1@shop>",
            reason="421 try later",
            latency_ms=12.5,
        )
        await seed(
            Rows(users=[ada], notifications=[parent], deliveries=[row], attempts=[open_attempt, settled])
        )

        (shown,) = await reader.deliveries(parent.id, None, 10)

        assert shown == DeliveryView(
            id=row.id,
            notification=parent.id,
            user=ada.id,
            channel="email",
            status="unknown",
            reason="timed out",
            provider="smtp",
            attempts=[
                AttemptView(
                    number=1,
                    provider="smtp",
                    outcome="deferred",
                    reason="421 try later",
                    reference="<1@shop>",
                    begun_at=now,
                    cleared_at=now,
                    settled_at=now + MINUTE,
                    latency_ms=12.5,
                ),
                AttemptView(
                    number=4,
                    provider="smtp",
                    outcome="open",
                    reason=None,
                    reference=None,
                    begun_at=now,
                    cleared_at=now,
                    settled_at=None,
                    latency_ms=None,
                ),
            ],
            not_before=now,
            held_at=now + MINUTE,
            created_at=now,
            updated_at=now + MINUTE,
            data_key=b"key",
            profile=b"sealed",
        )

    async def test_deliveries_go_on_behind_an_id_and_by_status(
        self, reader: Reader, seed: Seed, now: datetime
    ) -> None:
        parent, other = notification(now), notification(now)
        rows = sorted((delivery(parent, uuid4()) for _ in range(5)), key=lambda row: row.id)
        rows[1].status = rows[4].status = DeliveryStatus.FAILED
        attempts = [
            AttemptRow(
                delivery_id=row.id, attempt=1, provider=f"p{n}", worker=uuid4(), cleared_at=now, begun_at=now
            )
            for n, row in enumerate(rows)
        ]
        everyone = [*rows[::-1], delivery(other, uuid4())]
        await seed(Rows(notifications=[parent, other], deliveries=everyone, attempts=attempts))
        in_order = [row.id for row in rows]

        first = await reader.deliveries(parent.id, None, 3)
        assert ids(first) == in_order[:3]
        assert [[a.provider for a in one.attempts] for one in first] == [["p0"], ["p1"], ["p2"]]
        assert ids(await reader.deliveries(parent.id, in_order[2], 3)) == in_order[3:]
        failed = await reader.deliveries(parent.id, None, 10, statuses=("failed", "bounced"))
        assert ids(failed) == [in_order[1], in_order[4]]
        assert first[0].data_key is None  # a user whom nobody knows is shown as an erased one
        assert await reader.deliveries(uuid7(millis_of(parent.id), 0), None, 10) == []

    async def test_history_is_every_move_in_order(self, reader: Reader, seed: Seed, now: datetime) -> None:
        parent, other = notification(now), notification(now)
        rows = sorted((delivery(parent, uuid4()) for _ in range(3)), key=lambda row: row.id)
        stranger = delivery(other, uuid4())
        moves = [
            HistoryRow(status=DeliveryStatus.QUEUED, at=now),
            HistoryRow(status=DeliveryStatus.FAILED, reason="refused", at=now + MINUTE),
        ]
        history = {row.id: moves for row in [*rows, stranger]}
        await seed(Rows(notifications=[parent, other], deliveries=[*rows, stranger], history=history))

        shown = await reader.history(parent.id, None, 10)

        assert shown[:2] == [
            HistoryView(delivery=rows[0].id, n=1, status="queued", reason=None, at=now),
            HistoryView(delivery=rows[0].id, n=2, status="failed", reason="refused", at=now + MINUTE),
        ]
        assert [(move.delivery, move.n) for move in shown] == [(row.id, n) for row in rows for n in (1, 2)]
        assert await reader.history(parent.id, None, 3) == shown[:3]
        assert await reader.history(parent.id, (rows[1].id, 1), 10) == shown[3:]
