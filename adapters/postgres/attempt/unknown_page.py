"""The list of calls whose outcome nobody knows, newest first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, literal, select, tuple_

from adapters.postgres.core.operation_tables import unknown_attempts
from adapters.postgres.core.tables import notification_deliveries, notifications
from application.attempt.ports import UnknownFilter
from domain.kernel.moments import clamped

_U, _D, _N = unknown_attempts.c, notification_deliveries.c, notifications.c
_ORDER = (_U.created_at, _U.delivery_id, _U.attempt)

# The newest unresolved attempt of a delivery that stands as unknown is the one it rests on.
_HELD = and_(_D.status == "unknown", _U.resolved_at.is_(None))

_ROWS = (
    select(
        _U.delivery_id.label("delivery"),
        _U.notification_id.label("notification"),
        *(_U[name] for name in ("attempt", "channel", "provider", "reason", "created_at")),
        *(_U[name] for name in ("resolved_at", "resolved_by", "resolution")),
        _N.type,
        _N.klass.label("klass"),
        _D.status,
        _HELD.label("held"),
    )
    .join_from(unknown_attempts, notification_deliveries, _D.id == _U.delivery_id)
    .join(notifications, _N.id == _U.notification_id)
    .order_by(*(column.desc() for column in _ORDER))
)


def page(
    wanted: UnknownFilter, before: tuple[datetime, UUID, int] | None
) -> Select[Any]:  # the columns differ
    """Those that a filter chooses, behind `before`."""
    query = _ROWS.where(_U.mode == wanted.mode)
    if wanted.held is not None:
        query = query.where(_HELD if wanted.held else ~_HELD)
    if wanted.held or wanted.resolved is False:
        query = query.where(_U.resolved_at.is_(None))
    elif wanted.resolved:
        query = query.where(_U.resolved_at.is_not(None))
    named = {"channel": wanted.channel, "provider": wanted.provider, "notification_id": wanted.notification}
    query = query.where(*(_U[name] == value for name, value in named.items() if value is not None))
    if wanted.created_after is not None:
        query = query.where(_U.created_at >= clamped(wanted.created_after))
    if wanted.created_before is not None:
        query = query.where(_U.created_at < clamped(wanted.created_before))
    return query if before is None else query.where(tuple_(*_ORDER) < tuple_(*map(literal, before)))
