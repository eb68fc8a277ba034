"""Triggers: list, show, create or replace, delete."""

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.kernel.versioned import Versioned
from domain.kernel.errors import Invalid, NotFound
from domain.trigger.trigger import Trigger
from entrypoints.http.access import live_key
from entrypoints.http.kit.answers import JsonResponse, created, no_content
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.fields import renamed
from entrypoints.http.kit.openapi.declared import ETAG, LINK, LOCATION, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.path_ids import known_id
from entrypoints.http.kit.preconditions import Conditions, etag
from entrypoints.http.services import HttpServices
from entrypoints.http.trigger.bodies import TRIGGER, TRIGGER_NAMES, TriggerIn
from entrypoints.http.trigger.views import TriggerOut

_BODY_MAX = 16 * 1024


@get(
    "/triggers",
    summary="List triggers",
    response_description="A page, in the order of their ids",
    response_headers=[LINK],
)
async def list_triggers(
    request: ApiRequest, params: NamedDependency[ListQuery]
) -> Response[Page[TriggerOut]]:
    """In the order of their ids."""
    pager = Pager(request)
    after = pager.position(params.cursor, str) or ""
    rows = await request.services.triggers.page(after, params.limit + 1)
    return pager.page(rows, params.limit, shown=TriggerOut.of, at=lambda row: row.value.id)


@get(
    "/triggers/{trigger_id:str}",
    summary="Read a trigger",
    response_description="The trigger",
    response_headers=[ETAG],
    opt=declare(problems=("not-found",)),
)
async def show_trigger(request: ApiRequest, trigger_id: FromPath[str]) -> Response[TriggerOut]:
    """The trigger with its ETag."""
    found = await _found(request.services, trigger_id)
    return JsonResponse(TriggerOut.of(found), headers=etag(found.version))


@put(
    "/triggers/{trigger_id:str}",
    request_max_body_size=_BODY_MAX,
    summary="Create or replace a trigger",
    description="Paths such as `data.orderId` lead into the event; its template must exist.",
    response_description="Replaced",
    responses={201: ResponseSpec(TriggerOut, description="Created")},
    response_headers=[LOCATION, ETAG],
    guards=[live_key],
    opt=declare(
        problems=("not-found", "conflict", "precondition-failed", "precondition-required"),
        examples=TRIGGER,
    ),
)
async def save_trigger(
    request: ApiRequest, trigger_id: FromPath[str], data: JSONBody[TriggerIn], preconditions: Conditions
) -> Response[TriggerOut]:
    """201 when the trigger is new, 200 when it was there and `If-Match` quotes its version."""
    known = await request.services.triggers.get(known_id(trigger_id))
    preconditions.check(known and known.version)
    try:
        saved = await request.services.save_trigger(
            data.trigger(trigger_id), expected=known.version if known else 0
        )
    except Invalid as refused:
        raise Invalid(*renamed(refused.faults, TRIGGER_NAMES)) from None
    shown, tag = TriggerOut.of(saved), etag(saved.version)
    return JsonResponse(shown, headers=tag) if known else created(shown, f"/api/triggers/{trigger_id}", tag)


@delete(
    "/triggers/{trigger_id:str}",
    summary="Delete a trigger",
    response_description="Deleted",
    guards=[live_key],
    opt=declare(problems=("not-found", "precondition-failed", "precondition-required")),
)
async def delete_trigger(
    request: ApiRequest, trigger_id: FromPath[str], preconditions: Conditions
) -> Response[None]:
    """204; `If-Match` must quote the version that is deleted."""
    known = await _found(request.services, trigger_id)
    preconditions.check(known.version)
    await request.services.triggers.delete(trigger_id, expected=known.version)
    return no_content()


async def _found(services: HttpServices, trigger: str) -> Versioned[Trigger]:
    found = await services.triggers.get(known_id(trigger))
    if found is None:
        raise NotFound(f"no trigger '{trigger}'")
    return found


ROUTES: list[ControllerRouterHandler] = [list_triggers, show_trigger, save_trigger, delete_trigger]
