"""Templates: every saved version stays as it is, one of them is in use.

A template's ETag is its latest version and the one in use (`"3.2"`): it changes with either.
"""

import re
from typing import Annotated

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.template.ports import TemplateHead
from domain.kernel.errors import Invalid, NotFound
from domain.template.template import Template
from entrypoints.http.access import live_key
from entrypoints.http.kit.answers import JsonResponse, created
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.fields import Channel, renamed
from entrypoints.http.kit.openapi.declared import ETAG, LINK, LOCATION, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.path_ids import known_id
from entrypoints.http.kit.preconditions import Conditions, Preconditions, etag
from entrypoints.http.services import HttpServices
from entrypoints.http.template.bodies import (
    TEMPLATE,
    TEMPLATE_NAMES,
    TEMPLATE_VERSIONS,
    ActivationIn,
    TemplateIn,
    TemplateVersionIn,
)
from entrypoints.http.template.views import TemplateHeadOut, TemplateOut

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_WRITE = ("not-found", "precondition-failed", "precondition-required")


VersionInPath = Annotated[str, PathParameter(schema_extra={"type": "integer", "minimum": 1})]
"""Read it with `_known_number`."""


class TemplateQuery(ListQuery, frozen=True, kw_only=True):
    """Which templates."""

    channel: Annotated[Channel, Meta(description="those for this channel")] | None = None


@get(
    "/templates",
    summary="List templates",
    response_description="A page, in the order of their ids",
    response_headers=[LINK],
)
async def list_templates(
    request: ApiRequest, params: NamedDependency[TemplateQuery]
) -> Response[Page[TemplateHeadOut]]:
    """Names and versions, without texts."""
    pager = Pager(request)
    after = pager.position(params.cursor, str) or ""
    rows = await request.services.templates.page(after, params.limit + 1, channel=params.channel)
    return pager.page(rows, params.limit, shown=TemplateHeadOut.of, at=lambda row: row.id)


@post(
    "/templates",
    summary="Create a template",
    description="Checked when saved: syntax, declared variables, the sandbox's limits.",
    response_description="Saved as version 1",
    response_headers=[LOCATION, ETAG],
    guards=[live_key],
    opt=declare(problems=("conflict", "overloaded"), examples=TEMPLATE),
)
async def create_template(request: ApiRequest, data: JSONBody[TemplateIn]) -> Response[TemplateOut]:
    """Save the first version."""
    await _save(request.services, data.draft(data.id), 0, activate=data.is_active)
    found = await request.services.find_template(known_id(data.id))
    return created(TemplateOut.of(found), f"/api/templates/{data.id}", _etag(found.head))


@get(
    "/templates/{template_id:str}",
    summary="Read the latest version of a template",
    response_description="The latest version; `activeVersion` is the one in use",
    response_headers=[ETAG],
    opt=declare(problems=("not-found",)),
)
async def show_template(request: ApiRequest, template_id: FromPath[str]) -> Response[TemplateOut]:
    """The latest version, in use or not, with the template's ETag."""
    return await _shown(request.services, template_id)


@get(
    "/templates/{template_id:str}/versions/{version:str}",
    summary="Read one version of a template",
    response_description="The version",
    opt=declare(problems=("not-found",)),
)
async def show_version(
    request: ApiRequest, template_id: FromPath[str], version: VersionInPath
) -> TemplateOut:
    """One version, in use or not."""
    return TemplateOut.of(await request.services.find_template(known_id(template_id), _known_number(version)))


@put(
    "/templates/{template_id:str}",
    summary="Save a new version of a template",
    description="Versions before it stay as they are; notifications accepted with them keep them.",
    response_description="Saved",
    response_headers=[ETAG],
    guards=[live_key],
    opt=declare(problems=(*_WRITE, "overloaded"), examples=TEMPLATE_VERSIONS),
)
async def save_version(
    request: ApiRequest,
    template_id: FromPath[str],
    data: JSONBody[TemplateVersionIn],
    preconditions: Conditions,
) -> Response[TemplateOut]:
    """Save the next version; `If-Match` must quote the template as it stands."""
    head = await _unchanged(request.services, template_id, preconditions)
    await _save(request.services, data.draft(template_id), head.latest, activate=data.is_active)
    return await _shown(request.services, template_id)


@post(
    "/templates/{template_id:str}/activate",
    status_code=200,
    summary="Use a version of a template from now on",
    response_description="In use",
    response_headers=[ETAG],
    guards=[live_key],
    opt=declare(problems=_WRITE, examples={"an earlier version": {"version": 1}}),
)
async def activate_template(
    request: ApiRequest, template_id: FromPath[str], data: JSONBody[ActivationIn], preconditions: Conditions
) -> Response[TemplateOut]:
    """Use a version from now on, the latest if the body names none."""
    head = await _unchanged(request.services, template_id, preconditions)
    await request.services.activate_template(template_id, data.version or head.latest, expected=head.latest)
    return await _shown(request.services, template_id)


@post(
    "/templates/{template_id:str}/deactivate",
    status_code=200,
    summary="Switch a template off",
    description="New requests with it are refused; what was accepted goes on.",
    response_description="Switched off",
    response_headers=[ETAG],
    guards=[live_key],
    opt=declare(problems=_WRITE),
)
async def deactivate_template(
    request: ApiRequest, template_id: FromPath[str], preconditions: Conditions
) -> Response[TemplateOut]:
    """Use no version: requests with the template are refused."""
    head = await _unchanged(request.services, template_id, preconditions)
    await request.services.activate_template(template_id, None, expected=head.latest)
    return await _shown(request.services, template_id)


def _known_number(given: str) -> int:
    """A version of something that should be there.

    Raises:
        NotFound: nothing can have this number.
    """
    if not _NUMBER.fullmatch(given):
        raise NotFound("there is no such version")
    return int(given)


def _etag(head: TemplateHead) -> dict[str, str]:
    return etag(_version(head))


def _version(head: TemplateHead) -> str:
    return f"{head.latest}.{head.active or 0}"


async def _unchanged(services: HttpServices, template: str, preconditions: Preconditions) -> TemplateHead:
    head = (await services.find_template(known_id(template))).head
    preconditions.check(_version(head))
    return head


async def _save(services: HttpServices, draft: Template, expected: int, *, activate: bool) -> None:
    try:
        await services.save_template(draft, expected=expected, activate=activate)
    except Invalid as refused:
        raise Invalid(*renamed(refused.faults, TEMPLATE_NAMES)) from None


async def _shown(services: HttpServices, template: str) -> Response[TemplateOut]:
    found = await services.find_template(known_id(template))
    return JsonResponse(TemplateOut.of(found), headers=_etag(found.head))


ROUTES: list[ControllerRouterHandler] = [
    list_templates,
    create_template,
    show_template,
    show_version,
    save_version,
    activate_template,
    deactivate_template,
]
