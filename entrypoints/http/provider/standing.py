"""How providers stand: list them, and decide about one."""

from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.provider.list import StandingProvider
from domain.kernel.errors import NotFound
from domain.provider.capabilities import Capabilities
from domain.provider.forcing import Forced, ForcedProvider
from entrypoints.http.access import live_key
from entrypoints.http.kit.answers import View
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.fields import Time
from entrypoints.http.kit.json_body import JsonBody
from entrypoints.http.kit.openapi.declared import declare
from entrypoints.http.kit.paging import Page

REASON_MAX = 500
_VERB = ":force"
FORCE = {
    "not to be called": {"state": "open", "reason": "their status page reports an outage"},
    "as its breaker says": {"state": "auto", "reason": "they say it is over"},
}


class ForcedOut(View, frozen=True, kw_only=True):
    """What an operator has decided."""

    state: Literal["open", "closed", "auto"]
    reason: str
    actor: str
    until: datetime | None

    @classmethod
    def of(cls, forced: ForcedProvider) -> Self:
        """Made from what the application returns."""
        return cls.copy(forced, state=forced.forced.value)


class ProviderOut(View, frozen=True, kw_only=True):
    """A provider account, and how it stands."""

    name: str
    kind: Annotated[str, Meta(description="`described`: the API has described it")]
    description: str
    capabilities: Capabilities
    channels: Annotated[list[str], Meta(description="those that name it")]
    stopped: Annotated[
        Literal["forced", "paused", "breaker", "held"] | None,
        Meta(
            description="why it is not called, as far as this process knows: an operator has decided so, our "
            "account is refused, it fails too often, or another process has found out one of these"
        ),
    ]
    forced: ForcedOut | None

    @classmethod
    def of(cls, standing: StandingProvider) -> Self:
        """Made from what the application returns."""
        return cls.copy(
            standing.account,
            channels=list(standing.channels),
            stopped=standing.stopped,
            forced=ForcedOut.of(standing.forced) if standing.forced else None,
        )


class ForceIn(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is decided about a provider."""

    state: Annotated[
        Literal["open", "closed", "auto"],
        Meta(description="not called; called whatever happens; as its breaker says"),
    ]
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX, description="no personal data")]
    until: Annotated[Time, Meta(description="then `auto` again; none: until it is changed")] | None = None


_body = JsonBody(ForceIn)


@get("/providers", summary="List providers", response_description="All of them")
async def list_providers(request: ApiRequest) -> Page[ProviderOut]:
    """All providers on one page: there are few."""
    rows = await request.services.operations.list_providers()
    return Page(items=[ProviderOut.of(row) for row in rows], next_cursor=None)


@post(
    "/providers/{provider:str}",
    status_code=200,
    summary="Decide whether a provider is called",
    description="Every process does so at once, until it is changed or its time is over.",
    response_description="Decided",
    guards=[live_key],
    opt=declare(
        path="/api/providers/{provider}:force", body=ForceIn, examples=FORCE, problems=("not-found",)
    ),
)
async def force_provider(request: ApiRequest, provider: FromPath[str]) -> ForcedOut:
    """The router knows whole segments only: the verb comes with the name."""
    name, verb, rest = provider.partition(_VERB)
    if not name or not verb or rest:
        raise NotFound(f"providers have one verb: `{_VERB}`")
    data = _body.decode(await request.body())
    forced = ForcedProvider(
        provider=name,
        forced=Forced(data.state),
        reason=data.reason,
        actor=request.actor,
        until=data.until,
    )
    return ForcedOut.of((await request.services.operations.force_provider(forced)).value)


ROUTES: list[ControllerRouterHandler] = [list_providers, force_provider]
