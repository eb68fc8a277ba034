"""Registered notification types: list, show, create or replace, delete."""

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.kernel.versioned import Versioned
from domain.kernel.errors import NotFound
from domain.notification_type.notification_type import NotificationType
from entrypoints.http.access import live_key
from entrypoints.http.kit.answers import JsonResponse, created, no_content
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import ETAG, LINK, LOCATION, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.path_ids import known_id
from entrypoints.http.kit.preconditions import Conditions, etag
from entrypoints.http.notification_type.bodies import NOTIFICATION_TYPE, NotificationTypeIn
from entrypoints.http.notification_type.views import NotificationTypeOut
from entrypoints.http.services import HttpServices

_BODY_MAX = 16 * 1024


@get(
    "/notification-types",
    summary="List registered notification types",
    response_description="A page, in the order of their ids",
    response_headers=[LINK],
)
async def list_notification_types(
    request: ApiRequest, params: NamedDependency[ListQuery]
) -> Response[Page[NotificationTypeOut]]:
    """In the order of their ids."""
    pager = Pager(request)
    after = pager.position(params.cursor, str) or ""
    rows = await request.services.notification_types.page(after, params.limit + 1)
    return pager.page(rows, params.limit, shown=NotificationTypeOut.of, at=lambda row: row.value.id)


@get(
    "/notification-types/{type_id:str}",
    summary="Read a registered notification type",
    response_description="The type",
    response_headers=[ETAG],
    opt=declare(problems=("not-found",)),
)
async def show_notification_type(
    request: ApiRequest, type_id: FromPath[str]
) -> Response[NotificationTypeOut]:
    """The type with its ETag."""
    found = await _found(request.services, type_id)
    return JsonResponse(NotificationTypeOut.of(found), headers=etag(found.version))


@put(
    "/notification-types/{type_id:str}",
    request_max_body_size=_BODY_MAX,
    summary="Register a notification type, or replace it",
    description=(
        "A request that names it in `notificationType` gets from it what it does not say itself: class, "
        "priority, category, channels, routing, and the template of each channel. Requests follow within "
        "seconds; what was accepted before stays as it is."
    ),
    response_description="Replaced",
    responses={201: ResponseSpec(NotificationTypeOut, description="Created")},
    response_headers=[LOCATION, ETAG],
    guards=[live_key],
    opt=declare(
        problems=("not-found", "conflict", "precondition-failed", "precondition-required"),
        examples=NOTIFICATION_TYPE,
    ),
)
async def save_notification_type(
    request: ApiRequest, type_id: FromPath[str], data: JSONBody[NotificationTypeIn], preconditions: Conditions
) -> Response[NotificationTypeOut]:
    """201 when the type is new, 200 when it was there and `If-Match` quotes its version."""
    known = await request.services.notification_types.get(known_id(type_id))
    preconditions.check(known and known.version)
    saved = await request.services.save_notification_type(
        data.notification_type(type_id), expected=known.version if known else 0
    )
    shown, tag = NotificationTypeOut.of(saved), etag(saved.version)
    return (
        JsonResponse(shown, headers=tag)
        if known
        else created(shown, f"/api/notification-types/{type_id}", tag)
    )


@delete(
    "/notification-types/{type_id:str}",
    summary="Delete a registered notification type",
    response_description="Deleted",
    guards=[live_key],
    opt=declare(problems=("not-found", "precondition-failed", "precondition-required")),
)
async def delete_notification_type(
    request: ApiRequest, type_id: FromPath[str], preconditions: Conditions
) -> Response[None]:
    """204; `If-Match` must quote the version that is deleted."""
    known = await _found(request.services, type_id)
    preconditions.check(known.version)
    await request.services.delete_notification_type(type_id, expected=known.version)
    return no_content()


async def _found(services: HttpServices, kind: str) -> Versioned[NotificationType]:
    found = await services.notification_types.get(known_id(kind))
    if found is None:
        raise NotFound(f"no notification type '{kind}'")
    return found


ROUTES: list[ControllerRouterHandler] = [
    list_notification_types,
    show_notification_type,
    save_notification_type,
    delete_notification_type,
]
