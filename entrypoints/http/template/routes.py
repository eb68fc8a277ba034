"""Templates: every saved version stays as it is, one of them is in use.

A template's ETag is its latest version and the one in use (`"3.2"`): it changes with either.
"""

from typing import Annotated

from litestar import get, post, put
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.template.ports import TemplateHead
from domain.kernel.errors import Invalid
from domain.template.template import Template
from entrypoints.http.kit.answers import Answer, created, ok
from entrypoints.http.kit.body import Body
from entrypoints.http.kit.fields import Channel, renamed
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.path_ids import known_id, known_number
from entrypoints.http.kit.preconditions import etag, expect
from entrypoints.http.kit.query import NoQuery, read_query
from entrypoints.http.kit.request import Req, services_of
from entrypoints.http.template.bodies import (
    TEMPLATE,
    TEMPLATE_NAMES,
    TEMPLATE_VERSIONS,
    ActivationIn,
    TemplateIn,
    TemplateVersionIn,
)
from entrypoints.http.template.views import TemplateHeadOut, TemplateOut

_TAG = "Templates"
_WRITE = ("not-found", "precondition-failed", "precondition-required")
_first = Body(TemplateIn)
_next = Body(TemplateVersionIn)
_activation = Body(ActivationIn)


class TemplateQuery(ListQuery, frozen=True, kw_only=True):
    """Which templates."""

    channel: Annotated[Channel, Meta(description="those for this channel")] | None = None


@get(
    "/templates",
    opt=documented(
        tag=_TAG,
        access=Access.SHARED,
        summary="List templates",
        query=TemplateQuery,
        returns={200: (Page[TemplateHeadOut], "A page, in the order of their ids")},
        answer_headers=("Link",),
    ),
)
async def list_templates(request: Req) -> Answer:
    """Heads in id order."""
    query = read_query(request, TemplateQuery)
    after = position(request, query.cursor, str) or ""
    rows = await services_of(request).templates.page(after, query.limit + 1, channel=query.channel)
    return page(request, rows, query.limit, shown=TemplateHeadOut.of, at=lambda row: row.id)


@post(
    "/templates",
    opt=documented(
        tag=_TAG,
        access=Access.LIVE,
        summary="Create a template",
        description="Checked when saved: syntax, declared variables, the sandbox's limits.",
        body=TemplateIn,
        examples=TEMPLATE,
        query=NoQuery,
        returns={201: (TemplateOut, "Saved as version 1")},
        answer_headers=("Location", "ETag"),
        problems=("conflict", "overloaded"),
    ),
)
async def create_template(request: Req) -> Answer:
    """The first version."""
    read_query(request, NoQuery)
    body = await _first.read(request)
    await _save(request, body.draft(body.id), 0, activate=body.is_active)
    return await _shown(request, body.id, new=True)


@get(
    "/templates/{template_id:str}",
    opt=documented(
        tag=_TAG,
        access=Access.SHARED,
        summary="Read the latest version of a template",
        query=NoQuery,
        returns={200: (TemplateOut, "The latest version; `activeVersion` is the one in use")},
        answer_headers=("ETag",),
        problems=("not-found",),
    ),
)
async def show_template(request: Req, template_id: FromPath[str]) -> Answer:
    """The latest version."""
    read_query(request, NoQuery)
    return await _shown(request, template_id)


@get(
    "/templates/{template_id:str}/versions/{version:str}",
    opt=documented(
        tag=_TAG,
        access=Access.SHARED,
        summary="Read one version of a template",
        query=NoQuery,
        returns={200: (TemplateOut, "The version")},
        problems=("not-found",),
    ),
)
async def show_version(request: Req, template_id: FromPath[str], version: FromPath[str]) -> Answer:
    """One version."""
    read_query(request, NoQuery)
    wanted = known_id(template_id), known_number(version)
    return ok(TemplateOut.of(await services_of(request).find_template(*wanted)))


@put(
    "/templates/{template_id:str}",
    opt=documented(
        tag=_TAG,
        access=Access.LIVE,
        summary="Save a new version of a template",
        description="Versions before it stay as they are; notifications accepted with them keep them.",
        body=TemplateVersionIn,
        examples=TEMPLATE_VERSIONS,
        query=NoQuery,
        headers=("If-Match",),
        returns={200: (TemplateOut, "Saved")},
        answer_headers=("ETag",),
        problems=(*_WRITE, "overloaded"),
    ),
)
async def save_version(request: Req, template_id: FromPath[str]) -> Answer:
    """The next version."""
    read_query(request, NoQuery)
    body = await _next.read(request)
    head = await _unchanged(request, template_id)
    await _save(request, body.draft(template_id), head.latest, activate=body.is_active)
    return await _shown(request, template_id)


@post(
    "/templates/{template_id:str}/activate",
    opt=documented(
        tag=_TAG,
        access=Access.LIVE,
        summary="Use a version of a template from now on",
        body=ActivationIn,
        examples={"an earlier version": {"version": 1}},
        query=NoQuery,
        headers=("If-Match",),
        returns={200: (TemplateOut, "In use")},
        answer_headers=("ETag",),
        problems=_WRITE,
    ),
)
async def activate_template(request: Req, template_id: FromPath[str]) -> Answer:
    """Choose a version."""
    read_query(request, NoQuery)
    body = await _activation.read(request)
    head = await _unchanged(request, template_id)
    chosen = body.version or head.latest
    await services_of(request).activate_template(template_id, chosen, expected=head.latest)
    return await _shown(request, template_id)


@post(
    "/templates/{template_id:str}/deactivate",
    opt=documented(
        tag=_TAG,
        access=Access.LIVE,
        summary="Switch a template off",
        description="New requests with it are refused; what was accepted goes on.",
        query=NoQuery,
        headers=("If-Match",),
        returns={200: (TemplateOut, "Switched off")},
        answer_headers=("ETag",),
        problems=_WRITE,
    ),
)
async def deactivate_template(request: Req, template_id: FromPath[str]) -> Answer:
    """Use no version."""
    read_query(request, NoQuery)
    head = await _unchanged(request, template_id)
    await services_of(request).activate_template(template_id, None, expected=head.latest)
    return await _shown(request, template_id)


def _tag(head: TemplateHead) -> str:
    return f"{head.latest}.{head.active or 0}"


async def _unchanged(request: Req, template: str) -> TemplateHead:
    head = (await services_of(request).find_template(known_id(template))).head
    expect(request, _tag(head))
    return head


async def _save(request: Req, draft: Template, expected: int, *, activate: bool) -> None:
    try:
        await services_of(request).save_template(draft, expected=expected, activate=activate)
    except Invalid as refused:
        raise Invalid(*renamed(refused.faults, TEMPLATE_NAMES)) from None


async def _shown(request: Req, template: str, *, new: bool = False) -> Answer:
    found = await services_of(request).find_template(known_id(template))
    body, tag = TemplateOut.of(found), etag(_tag(found.head))
    return created(body, f"/api/templates/{template}", tag) if new else ok(body, tag)


ROUTES: list[ControllerRouterHandler] = [
    list_templates,
    create_template,
    show_template,
    show_version,
    save_version,
    activate_template,
    deactivate_template,
]
