"""Triggers: list, show, create or replace, delete."""

from litestar import delete, get, put
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from domain.kernel.errors import Invalid, NotFound
from entrypoints.http.kit.answers import Answer, created, gone, ok
from entrypoints.http.kit.body import Body
from entrypoints.http.kit.fields import renamed
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.path_ids import known_id
from entrypoints.http.kit.preconditions import etag, expect
from entrypoints.http.kit.query import NoQuery, read_query
from entrypoints.http.kit.request import Req, services_of
from entrypoints.http.trigger.bodies import TRIGGER, TRIGGER_NAMES, TriggerIn
from entrypoints.http.trigger.views import TriggerOut

_TAG = "Triggers"
_body = Body(TriggerIn, 16 * 1024)


@get(
    "/triggers",
    opt=documented(
        tag=_TAG,
        access=Access.SHARED,
        summary="List triggers",
        query=ListQuery,
        returns={200: (Page[TriggerOut], "A page, in the order of their ids")},
        answer_headers=("Link",),
    ),
)
async def list_triggers(request: Req) -> Answer:
    """All, in id order."""
    query = read_query(request, ListQuery)
    after = position(request, query.cursor, str) or ""
    rows = await services_of(request).triggers.page(after, query.limit + 1)
    return page(request, rows, query.limit, shown=TriggerOut.of, at=lambda row: row.value.id)


@get(
    "/triggers/{trigger_id:str}",
    opt=documented(
        tag=_TAG,
        access=Access.SHARED,
        summary="Read a trigger",
        query=NoQuery,
        returns={200: (TriggerOut, "The trigger")},
        answer_headers=("ETag",),
        problems=("not-found",),
    ),
)
async def show_trigger(request: Req, trigger_id: FromPath[str]) -> Answer:
    """One."""
    read_query(request, NoQuery)
    found = await services_of(request).triggers.get(known_id(trigger_id))
    if found is None:
        raise NotFound(f"no trigger '{trigger_id}'")
    return ok(TriggerOut.of(found), etag(found.version))


@put(
    "/triggers/{trigger_id:str}",
    opt=documented(
        tag=_TAG,
        access=Access.LIVE,
        summary="Create or replace a trigger",
        description="Paths such as `data.orderId` lead into the event; its template must exist.",
        body=TriggerIn,
        examples=TRIGGER,
        query=NoQuery,
        headers=("If-Match", "If-None-Match"),
        returns={200: (TriggerOut, "Replaced"), 201: (TriggerOut, "Created")},
        answer_headers=("Location", "ETag"),
        problems=("not-found", "conflict", "precondition-failed", "precondition-required"),
    ),
)
async def save_trigger(request: Req, trigger_id: FromPath[str]) -> Answer:
    """Create or replace."""
    read_query(request, NoQuery)
    body = await _body.read(request)
    services = services_of(request)
    known = await services.triggers.get(known_id(trigger_id))
    expect(request, known and known.version)
    try:
        saved = await services.save_trigger(body.trigger(trigger_id), expected=known.version if known else 0)
    except Invalid as refused:
        raise Invalid(*renamed(refused.faults, TRIGGER_NAMES)) from None
    shown, tag = TriggerOut.of(saved), etag(saved.version)
    return ok(shown, tag) if known else created(shown, f"/api/triggers/{trigger_id}", tag)


@delete(
    "/triggers/{trigger_id:str}",
    status_code=200,  # for Litestar, which allows no body otherwise: the answer itself is a 204
    opt=documented(
        tag=_TAG,
        access=Access.LIVE,
        summary="Delete a trigger",
        query=NoQuery,
        headers=("If-Match",),
        returns={204: (None, "Deleted")},
        problems=("not-found", "precondition-failed", "precondition-required"),
    ),
)
async def delete_trigger(request: Req, trigger_id: FromPath[str]) -> Answer:
    """Remove."""
    read_query(request, NoQuery)
    triggers = services_of(request).triggers
    known = await triggers.get(known_id(trigger_id))
    if known is None:
        raise NotFound(f"no trigger '{trigger_id}'")
    expect(request, known.version)
    await triggers.delete(trigger_id, expected=known.version)
    return gone()


ROUTES: list[ControllerRouterHandler] = [list_triggers, show_trigger, save_trigger, delete_trigger]
