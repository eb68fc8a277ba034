"""Notifications: list, show, cancel."""

from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler
from msgspec import Meta, field

from application.notification.ports import Filter
from domain.kernel.errors import Fault, Invalid, hold
from domain.kernel.json_values import Json, value_faults
from domain.notification.rollup import NotificationStatus
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.fields import Channel, Name, Text, Time
from entrypoints.http.kit.openapi.declared import LINK, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.path_ids import UuidInPath, known_uuid
from entrypoints.http.kit.query import parameters
from entrypoints.http.kit.time_range import DEMANDS, demand_range
from entrypoints.http.notification.views import CancelledOut, NotificationOut

_LABEL = "metadata."
_LITERAL = ":json"


class NotificationQuery(ListQuery, frozen=True, kw_only=True):
    """Which notifications; all that is given must hold."""

    OPEN_PREFIX: ClassVar[str | None] = _LABEL

    status: Annotated[tuple[NotificationStatus, ...], Meta(description="several with commas")] = ()
    type: Annotated[tuple[Name, ...], Meta(description="several with commas")] = ()
    channel: Channel | None = None
    created_after: Time | None = None
    created_before: Time | None = None
    recipient: Annotated[Text, Meta(description="the shop's own user id")] | None = None
    created_by: Text | None = field(default=None, name="createdBy")


@get(
    "/notifications",
    summary="List notifications, newest first",
    description=(
        "`metadata.<label>=<text>` finds those with exactly this text under a label; for numbers, "
        "booleans and null write JSON: `metadata.<label>:json=42`. A test key lists test notifications."
        "\n\nWith `status`, `channel` or `createdBy`, unless for a `recipient`, give " + DEMANDS + "."
    ),
    response_description="A page",
    response_headers=[LINK],
)
async def list_notifications(
    request: ApiRequest,
    params: NamedDependency[NotificationQuery],
) -> Response[Page[NotificationOut]]:
    """One page of those that match all filters."""
    pager = Pager(request)
    demand_range(
        params.created_after,
        params.created_before,
        now=request.services.clock.now(),
        by={
            name: bool(value) and params.recipient is None
            for name, value in (
                ("status", params.status),
                ("channel", params.channel),
                ("createdBy", params.created_by),
            )
        },
    )
    wanted = Filter(
        mode=request.mode,
        statuses=params.status,
        types=params.type,
        channel=params.channel,
        created_after=params.created_after,
        created_before=params.created_before,
        created_by=params.created_by,
        metadata=dict(
            _label(name, text) for name, text in parameters(request).items() if name.startswith(_LABEL)
        ),
    )
    rows = await request.services.list_notifications(
        wanted,
        recipient=params.recipient,
        before=pager.position(params.cursor, UUID),
        limit=params.limit + 1,
    )
    return pager.page(rows, params.limit, shown=NotificationOut.of, at=lambda row: row.id)


def _label(name: str, text: str) -> tuple[str, Json]:
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
    summary="See how a notification stands",
    response_description="The notification, with its deliveries counted by status",
    opt=declare(problems=("not-found",)),
)
async def show_notification(request: ApiRequest, notification_id: UuidInPath) -> NotificationOut:
    """The notification with its deliveries counted by state."""
    return NotificationOut.of(
        await request.services.find_notification(known_uuid(notification_id), request.mode)
    )


@post(
    "/notifications/{notification_id:str}/cancel",
    status_code=200,
    summary="Call a notification off",
    description="What has not begun is not sent. Calling off again is harmless.",
    response_description="How many deliveries it came in time for",
    opt=declare(problems=("not-found",)),
)
async def cancel_notification(request: ApiRequest, notification_id: UuidInPath) -> CancelledOut:
    """Cancel what has not begun."""
    return CancelledOut.of(await request.services.cancel(known_uuid(notification_id), request.mode))


ROUTES: list[ControllerRouterHandler] = [list_notifications, show_notification, cancel_notification]
