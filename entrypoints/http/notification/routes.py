"""Notifications: list, show, cancel."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta, field

from application.notification.ports import Filter
from domain.kernel.errors import Fault, Invalid, hold
from domain.notification.rollup import NotificationStatus
from entrypoints.http.kit.answers import Answer, ok
from entrypoints.http.kit.fields import Channel, Name, Text, Time
from entrypoints.http.kit.forbidden_values import value_faults
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.path_ids import known_uuid
from entrypoints.http.kit.query import NoQuery, fit, parameters, read_query
from entrypoints.http.kit.request import Req, call_of, services_of
from entrypoints.http.kit.time_range import DEMANDS, demand_range
from entrypoints.http.notification.views import CancelledOut, NotificationOut


@post(
    "/notifications/{notification_id:str}/cancel",
    opt=documented(
        tag="Notifications",
        access=Access.OWN,
        summary="Call a notification off",
        description="What has not begun is not sent. Calling off again is harmless.",
        query=NoQuery,
        returns={200: (CancelledOut, "How many deliveries it came in time for")},
        problems=("not-found",),
    ),
)
async def cancel_notification(request: Req, notification_id: FromPath[str]) -> Answer:
    """Cancel."""
    read_query(request, NoQuery)
    tally = await services_of(request).cancel(known_uuid(notification_id), call_of(request).mode)
    return ok(CancelledOut.of(tally))


_LABEL = "metadata."
_LITERAL = ":json"


class NotificationQuery(ListQuery, frozen=True, kw_only=True):
    """Which notifications; all that is given must hold."""

    status: Annotated[tuple[NotificationStatus, ...], Meta(description="several with commas")] = ()
    type: Annotated[tuple[Name, ...], Meta(description="several with commas")] = ()
    channel: Channel | None = None
    created_after: Time | None = None
    created_before: Time | None = None
    recipient: Annotated[Text, Meta(description="the shop's own user id")] | None = None
    created_by: Text | None = field(default=None, name="createdBy")


@get(
    "/notifications",
    opt=documented(
        tag="Notifications",
        access=Access.OWN,
        summary="List notifications, newest first",
        description=(
            "`metadata.<label>=<text>` finds those with exactly this text under a label; for numbers, "
            "booleans and null write JSON: `metadata.<label>:json=42`. A test key lists test notifications."
            "\n\nWith `status`, `channel` or `createdBy`, unless for a `recipient`, give " + DEMANDS + "."
        ),
        query=NotificationQuery,
        returns={200: (Page[NotificationOut], "A page")},
        answer_headers=("Link",),
    ),
)
async def list_notifications(request: Req) -> Answer:
    """Filter and page."""
    given = parameters(request)
    labels = {name: given.pop(name) for name in list(given) if name.startswith(_LABEL)}
    query = fit(given, NotificationQuery)
    demand_range(
        query.created_after,
        query.created_before,
        now=services_of(request).clock.now(),
        by={
            name: bool(value) and query.recipient is None
            for name, value in (
                ("status", query.status),
                ("channel", query.channel),
                ("createdBy", query.created_by),
            )
        },
    )
    wanted = Filter(
        mode=call_of(request).mode,
        statuses=query.status,
        types=query.type,
        channel=query.channel,
        created_after=query.created_after,
        created_before=query.created_before,
        created_by=query.created_by,
        metadata=dict(_label(name, text) for name, text in labels.items()),
    )
    rows = await services_of(request).list_notifications(
        wanted,
        recipient=query.recipient,
        before=position(request, query.cursor, UUID),
        limit=query.limit + 1,
    )
    return page(request, rows, query.limit, shown=NotificationOut.of, at=lambda row: row.id)


def _label(name: str, text: str) -> tuple[str, Any]:
    label = name[len(_LABEL) :]
    if not label.endswith(_LITERAL):
        return label, text
    try:
        value: str | int | float | bool | None = msgspec.json.decode(
            text, type=str | int | float | bool | None
        )
    except msgspec.DecodeError:
        raise Invalid(Fault(f"?{name}", "bad_value", "not a JSON text, number, boolean or null")) from None
    hold(Fault(f"?{name}", fault.code, fault.detail) for fault in value_faults(value))
    return label.removesuffix(_LITERAL), value


@get(
    "/notifications/{notification_id:str}",
    opt=documented(
        tag="Notifications",
        access=Access.OWN,
        summary="See how a notification stands",
        query=NoQuery,
        returns={200: (NotificationOut, "The notification, with its deliveries counted by status")},
        problems=("not-found",),
    ),
)
async def show_notification(request: Req, notification_id: FromPath[str]) -> Answer:
    """One notification."""
    read_query(request, NoQuery)
    found = await services_of(request).find_notification(known_uuid(notification_id), call_of(request).mode)
    return ok(NotificationOut.of(found))


ROUTES: list[ControllerRouterHandler] = [list_notifications, show_notification, cancel_notification]
