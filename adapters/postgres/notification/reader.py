"""Notifications and what became of them, read flat.

Ids carry their milliseconds, and a delivery's those of its notification: a bound on the id chooses the
partitions, and in them the primary key is the order of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.core.database import Database
from adapters.postgres.core.metadata import Id
from adapters.postgres.core.statement import compiled, json_value
from adapters.postgres.core.tables import (
    delivery_attempts,
    delivery_status_history,
    notification_deliveries,
    notifications,
    users,
)
from adapters.postgres.delivery.device_results import PUSH, device_results
from application.delivery.views import AttemptView, DeliveryView
from application.notification.ports import Filter
from application.notification.views import HistoryView, NotificationView
from domain.kernel.channel import Priority
from domain.kernel.ids import millis_of
from domain.kernel.moments import EARLIEST, clamped
from domain.kernel.number import read_json
from domain.notification.rollup import Counts
from domain.notification.routing import ChannelRoute

_routes = msgspec.json.Decoder(tuple[ChannelRoute, ...]).decode
_N, _D, _A, _H = (
    t.c for t in (notifications, notification_deliveries, delivery_attempts, delivery_status_history)
)

_NOTIFICATION = select(
    *(_N[field].label(field) for field in NotificationView.__struct_fields__ if field != "counts"),
    *(_N[bucket] for bucket in Counts.__struct_fields__),
)
_DELIVERY = select(
    _D.id,
    _D.notification_id.label("notification"),
    _D.user_id.label("user"),
    *(_D[field] for field in ("channel", "status", "reason", "provider")),
    *(_D[field] for field in ("not_before", "held_at", "created_at", "updated_at")),
    users.c.data_key,
    users.c.profile,
).join_from(notification_deliveries, users, _D.user_id == users.c.id, isouter=True)
_ATTEMPT = select(
    _A.delivery_id,
    _A.attempt.label("number"),
    *(_A[field] for field in AttemptView.__struct_fields__ if field != "number"),
)
_HISTORY = select(_H.delivery_id.label("delivery"), _H.n, _H.status, _H.reason, _H.actor, _H.at).join_from(
    notification_deliveries, delivery_status_history, _D.id == _H.delivery_id
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresReader:
    """Implements `Reader`."""

    database: Database

    async def notification(self, notification: UUID, mode: str) -> NotificationView | None:
        found = await self._rows(_NOTIFICATION.where(_N.id == notification, _N.mode == mode))
        return _notification(found[0]) if found else None

    async def notifications(self, wanted: Filter, before: UUID | None, limit: int) -> list[NotificationView]:
        return [_notification(row) for row in await self._rows(_page(wanted, before, limit))]

    async def deliveries(
        self, notification: UUID, after: UUID | None, limit: int, *, statuses: tuple[str, ...] = ()
    ) -> list[DeliveryView]:
        query = _DELIVERY.where(_D.notification_id == notification, _same_time(_D.id, notification))
        if after is not None:
            query = query.where(_D.id > after)
        if statuses:
            query = query.where(_D.status.in_(statuses))
        found = await self._rows(query.order_by(_D.id).limit(limit))
        attempts = await self._attempts([row["id"] for row in found])
        results = await device_results(self.database, [row["id"] for row in found if row["channel"] == PUSH])
        return [
            DeliveryView(**row, attempts=attempts[row["id"]], devices=results.get(row["id"], []))
            for row in found
        ]

    async def history(
        self, notification: UUID, after: tuple[UUID, int] | None, limit: int
    ) -> list[HistoryView]:
        query = _HISTORY.where(
            _D.notification_id == notification,
            _same_time(_D.id, notification),
            _same_time(_H.delivery_id, notification),
        )
        if after is not None:
            query = query.where(tuple_(_H.delivery_id, _H.n) > tuple_(*map(literal, after)))
        rows = await self._rows(query.order_by(_H.delivery_id, _H.n).limit(limit))
        return [HistoryView(**row) for row in rows]

    async def _attempts(self, deliveries: Sequence[UUID]) -> dict[UUID, list[AttemptView]]:
        attempts: dict[UUID, list[AttemptView]] = {delivery: [] for delivery in deliveries}
        if deliveries:
            query = _ATTEMPT.where(_A.delivery_id == any_(literal(deliveries, ARRAY(Id)))).order_by(
                _A.delivery_id, _A.attempt
            )
            for row in await self._rows(query):
                fields = dict(row)
                attempts[fields.pop("delivery_id")].append(AttemptView(**fields))
        return attempts

    async def _rows(self, query: Select[Any]) -> list[asyncpg.Record]:  # the columns differ
        return await self.database.fetch_list(*compiled(query))


def _page(wanted: Filter, before: UUID | None, limit: int) -> Select[Any]:  # the columns differ
    """The newest first, found by an index however old they are and however few of all the newest.

    Of each type its own page is read, from the index alone where nothing else is asked for; the pages meet in
    one.  What is one user's is read whole, and each looked up by its id.
    """
    conditions = _conditions(wanted, before)
    if wanted.types:
        given = func.unnest(literal(sorted(set(wanted.types)), ARRAY(Text)))
        types = given.table_valued("type", name="types").render_derived()
        of_each = (
            select(_N.id).where(*conditions, _N.type == types.c.type).order_by(_N.id.desc()).limit(limit)
        )
        pages = of_each.lateral("pages")
        newest = select(pages.c.id).join_from(types, pages, true()).order_by(pages.c.id.desc()).limit(limit)
        return _looked_up(newest.subquery("newest"), [], limit)
    if wanted.user is not None:
        theirs = select(_D.notification_id.label("id")).where(_D.user_id == wanted.user).distinct()
        theirs = theirs.where(*_between(_D.id, wanted))
        if before is not None:
            theirs = theirs.where(_D.id < _floor(millis_of(before) + 1))
        return _looked_up(theirs.subquery("theirs"), conditions, limit)
    return _NOTIFICATION.where(*conditions).order_by(_N.id.desc()).limit(limit)


def _looked_up(
    ids: FromClause, conditions: Sequence[ColumnElement[bool]], limit: int
) -> Select[Any]:  # the columns differ
    """Each by its key: OFFSET keeps the planner from walking through the table instead."""
    row = _NOTIFICATION.where(_N.id == ids.c.id, *conditions).offset(0).lateral("row")
    return select(row).join_from(ids, row, true()).order_by(row.c.id.desc()).limit(limit)


def _conditions(wanted: Filter, before: UUID | None) -> list[ColumnElement[bool]]:
    conditions = [_N.mode == wanted.mode, *_between(_N.id, wanted)]
    if before is not None:
        conditions.append(_N.id < before)
    if wanted.statuses:
        conditions.append(_N.status.in_(wanted.statuses))
    if wanted.channel is not None:
        among = _N.routes.contains(json_value([{"channel": wanted.channel}]))
        conditions.append(or_(_N.channel == wanted.channel, among))
    if wanted.created_by is not None:
        conditions.append(_N.created_by == wanted.created_by)
    if wanted.metadata:
        conditions += _labelled(wanted.metadata)
    return conditions


def _between(key: ColumnElement[UUID], wanted: Filter) -> list[ColumnElement[bool]]:
    bounds = []
    if wanted.created_after is not None:
        bounds.append(key >= _floor(_millis(wanted.created_after)))
    if wanted.created_before is not None:
        bounds.append(key < _floor(_millis(wanted.created_before)))
    return bounds


def _labelled(wanted: dict[str, object]) -> list[ColumnElement[bool]]:
    """Containment finds by the index, but a part of a member is not the member: each is compared too."""
    return [_N.metadata.contains(json_value(wanted))] + [
        _N.metadata[name] == json_value(value) for name, value in wanted.items()
    ]


def _same_time(delivery: ColumnElement[UUID], notification: UUID) -> ColumnElement[bool]:
    millis = millis_of(notification)
    return and_(delivery >= _floor(millis), delivery < _floor(millis + 1))


def _floor(millis: int) -> UUID:
    return UUID(int=millis << 80)


def _millis(time: datetime) -> int:
    return (clamped(time) - EARLIEST) // timedelta(milliseconds=1)


def _notification(row: asyncpg.Record) -> NotificationView:
    fields = dict(row)
    counts = Counts(**{bucket: fields.pop(bucket) for bucket in Counts.__struct_fields__})
    fields["priority"] = Priority(fields["priority"]).label
    fields["routes"] = _routes(fields["routes"]) if fields["routes"] is not None else ()
    fields["metadata"] = read_json(fields["metadata"]) if fields["metadata"] is not None else {}
    return NotificationView(**fields, counts=counts)
