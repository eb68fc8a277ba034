"""Presets: descriptions of well-known services, to begin with."""

from typing import Annotated, Self

from litestar import get
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.provider.presets import ProviderPreset
from domain.provider.description import ProviderDescription
from entrypoints.http.kit.answers import View
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.paging import Page


class PresetOut(View, frozen=True, kw_only=True):
    """A description of a well-known service."""

    name: str
    summary: str
    addressed_by: Annotated[str, Meta(description="for the channel that is made with it")]
    notes: Annotated[str, Meta(description="what is to be set, and what parts a message may have")]
    description: Annotated[ProviderDescription, Meta(description="for `PUT /providers/{provider}`")]

    @classmethod
    def of(cls, preset: ProviderPreset) -> Self:
        """Made from what is shipped."""
        return cls.copy(preset)


@get(
    "/provider-presets",
    summary="List presets of providers",
    response_description="All of them",
)
async def list_presets(request: ApiRequest) -> Page[PresetOut]:
    """All on one page: there are few."""
    presets = request.services.operations.presets
    return Page(items=[PresetOut.of(each) for each in presets], next_cursor=None)


ROUTES: list[ControllerRouterHandler] = [list_presets]
