"""Providers described by data: show, create or replace, delete."""

from datetime import datetime
from typing import Annotated, Self

from litestar import Response, delete, get, put
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.kernel.versioned import Versioned
from application.provider.ports import DescribedProvider
from domain.kernel.errors import NotFound
from domain.provider.description import DESCRIPTION_MAX, ProviderDescription
from entrypoints.http.access import live_key
from entrypoints.http.kit.answers import JsonResponse, View, created, no_content
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import ETAG, LOCATION, declare
from entrypoints.http.kit.path_ids import known_id
from entrypoints.http.kit.preconditions import Conditions, etag
from entrypoints.http.services import HttpServices

_BODY_MAX = DESCRIPTION_MAX * 2
DESCRIPTION = {
    "an SMS service": {
        "summary": "Text messages by Pigeon Post",
        "channels": ["sms"],
        "url": "https://api.pigeon.example/v1/messages",
        "auth": {"kind": "bearer", "secret": "env:CHANNEL_SECRET_PIGEON"},
        "body": {
            "kind": "json",
            "document": {"to": "{{ message.address }}", "text": "{{ message.body }}"},
        },
        "results": [{"means": "refused", "tests": [{"at": "/error", "equals": "no_such_number"}]}],
        "reference": {"at": "/id"},
    }
}


class DescriptionOut(View, frozen=True, kw_only=True):
    """A provider that was described."""

    name: str
    description: Annotated[ProviderDescription, Meta(description="no secrets, only where they are")]
    updated_at: datetime

    @classmethod
    def of(cls, kept: Versioned[DescribedProvider]) -> Self:
        """Made from what the application returns."""
        return cls.copy(kept.value, updated_at=kept.updated_at)


@get(
    "/providers/{provider:str}/description",
    summary="Read a provider's description",
    response_description="The description",
    response_headers=[ETAG],
    opt=declare(problems=("not-found",)),
)
async def show_description(request: ApiRequest, provider: FromPath[str]) -> Response[DescriptionOut]:
    """The description with its ETag."""
    found = await _found(request.services, provider)
    if found is None:
        raise NotFound(f"no described provider '{provider}'")
    return JsonResponse(DescriptionOut.of(found), headers=etag(found.version))


@put(
    "/providers/{provider:str}",
    request_max_body_size=_BODY_MAX,
    summary="Describe a provider",
    description=(
        "How one message becomes one HTTP call, and what the answers mean. Every running process calls it so "
        "within seconds. Secrets are named by reference, never given."
    ),
    response_description="Replaced",
    responses={201: ResponseSpec(DescriptionOut, description="Created")},
    response_headers=[LOCATION, ETAG],
    guards=[live_key],
    opt=declare(problems=("not-found", "precondition-failed", "precondition-required"), examples=DESCRIPTION),
)
async def save_description(
    request: ApiRequest,
    provider: FromPath[str],
    data: JSONBody[ProviderDescription],
    preconditions: Conditions,
) -> Response[DescriptionOut]:
    """201 when the provider is new, 200 when it was there and `If-Match` quotes its version."""
    known = await _found(request.services, provider)
    preconditions.check(known and known.version)
    saved = await request.services.operations.save_description(
        provider, data, expected=known.version if known else 0
    )
    shown, tag = DescriptionOut.of(saved), etag(saved.version)
    if known:
        return JsonResponse(shown, headers=tag)
    return created(shown, f"/api/providers/{provider}/description", tag)


@delete(
    "/providers/{provider:str}",
    summary="Remove a described provider",
    description="No channel may name it. Calls under way end.",
    response_description="Removed",
    guards=[live_key],
    opt=declare(problems=("not-found", "invalid", "precondition-failed", "precondition-required")),
)
async def remove_description(
    request: ApiRequest, provider: FromPath[str], preconditions: Conditions
) -> Response[None]:
    """204; `If-Match` must quote the version that is removed."""
    known = await _found(request.services, provider)
    if known is None:
        raise NotFound(f"no described provider '{provider}'")
    preconditions.check(known.version)
    await request.services.operations.remove_description(provider, expected=known.version)
    return no_content()


async def _found(services: HttpServices, provider: str) -> Versioned[DescribedProvider] | None:
    found = await services.operations.described.many([known_id(provider)])
    return found[0] if found else None


ROUTES: list[ControllerRouterHandler] = [show_description, save_description, remove_description]
