"""Channels: on or off, paused, which providers; and giving up what waits on one."""

from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.channel.ports import Channel as ChannelConfiguration
from application.channel.ports import WhenDisabled
from application.kernel.versioned import Versioned
from domain.kernel.channel import AddressedBy
from domain.kernel.errors import NotFound
from entrypoints.http.access import live_key
from entrypoints.http.job import BULK_RESPONSES, BulkQuery, CountOut, JobOut, begun, counted
from entrypoints.http.kit.answers import JsonResponse, View, created, no_content
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.fields import Name
from entrypoints.http.kit.openapi.declared import ETAG, LOCATION, declare
from entrypoints.http.kit.paging import Page
from entrypoints.http.kit.path_ids import known_id
from entrypoints.http.kit.preconditions import Conditions, etag
from entrypoints.http.services import HttpServices

CHANNEL = {
    "one provider, not paused": {"isEnabled": True, "isPaused": False, "providers": ["sandbox"]},
    "a new channel": {"providers": ["whatsapp"], "addressedBy": "phone"},
}
DROP = {"over": {"reason": "the sale is over"}}


class DropIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why what waits on a channel is given up."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=500, description="stands with each delivery; no personal data")
    ]


class ChannelIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """How a channel is run."""

    is_enabled: Annotated[
        bool, Meta(description="off: its deliveries wait; `POST /channels/{channel}/drop` ends them")
    ] = True
    when_disabled: Annotated[
        Literal["refuse", "hold"],
        Meta(description="new requests meanwhile: refused with 422, or accepted to wait. Events always wait"),
    ] = "refuse"
    is_paused: Annotated[bool, Meta(description="on: its deliveries wait")] = False
    providers: Annotated[
        list[Name], Meta(min_length=1, max_length=10, description="providers, preferred first")
    ]
    addressed_by: (
        Annotated[
            Literal["email", "phone", "user_id", "addresses"],
            Meta(description="of a new channel: what of a recipient is its address; it stays"),
        ]
        | None
    ) = None

    def configuration(self, channel: str) -> ChannelConfiguration:
        """The same in the application's terms."""
        return ChannelConfiguration(
            channel=channel,
            enabled=self.is_enabled,
            when_disabled=WhenDisabled(self.when_disabled),
            paused=self.is_paused,
            providers=tuple(self.providers),
            addressed_by=AddressedBy(self.addressed_by) if self.addressed_by else None,
        )


class ChannelOut(View, frozen=True, kw_only=True):
    """How a channel is run."""

    channel_type: str
    is_enabled: bool
    when_disabled: str
    is_paused: bool
    providers: tuple[str, ...]
    addressed_by: Annotated[str | None, Meta(description="null: the channel is built in")]
    updated_at: datetime

    @classmethod
    def of(cls, kept: Versioned[ChannelConfiguration]) -> Self:
        """Made from what the application returns."""
        channel = kept.value
        return cls.copy(
            channel,
            channel_type=channel.channel,
            is_enabled=channel.enabled,
            is_paused=channel.paused,
            updated_at=kept.updated_at,
        )


@get(
    "/channels",
    summary="List channels",
    response_description="All of them",
)
async def list_channels(request: ApiRequest) -> Page[ChannelOut]:
    """All channels on one page: there are few."""
    rows = await request.services.channels.all()
    return Page(items=[ChannelOut.of(row) for row in rows], next_cursor=None)


@get(
    "/channels/{channel:str}",
    summary="Read a channel's configuration",
    response_description="The configuration",
    response_headers=[ETAG],
    opt=declare(problems=("not-found",)),
)
async def show_channel(request: ApiRequest, channel: FromPath[str]) -> Response[ChannelOut]:
    """The channel with its ETag."""
    found = await _found(request.services, channel)
    return JsonResponse(ChannelOut.of(found), headers=etag(found.version))


@put(
    "/channels/{channel:str}",
    summary="Make or configure a channel",
    description=(
        "Deliveries that wait already follow the new configuration. A new channel says what addresses its "
        "recipients; every running process takes it up within seconds."
    ),
    response_description="Saved",
    responses={201: ResponseSpec(ChannelOut, description="Made")},
    response_headers=[LOCATION, ETAG],
    guards=[live_key],
    opt=declare(
        problems=("precondition-failed", "precondition-required", "unavailable"),
        examples=CHANNEL,
    ),
)
async def save_channel(
    request: ApiRequest, channel: FromPath[str], data: JSONBody[ChannelIn], preconditions: Conditions
) -> Response[ChannelOut]:
    """201 when the channel is new, 200 when it was there and `If-Match` quotes its version."""
    known = await request.services.channels.get(known_id(channel))
    preconditions.check(known and known.version)
    saved = await request.services.save_channel(
        data.configuration(channel), expected=known.version if known else 0
    )
    shown, tag = ChannelOut.of(saved), etag(saved.version)
    return JsonResponse(shown, headers=tag) if known else created(shown, f"/api/channels/{channel}", tag)


@delete(
    "/channels/{channel:str}",
    summary="Remove a channel that was made",
    description=(
        "It must be disabled, with `whenDisabled` `refuse`, for ten seconds, and nothing may wait on it. "
        "Its queues stay on the broker."
    ),
    response_description="Removed",
    guards=[live_key],
    opt=declare(problems=("not-found", "invalid", "precondition-failed", "precondition-required")),
)
async def remove_channel(
    request: ApiRequest, channel: FromPath[str], preconditions: Conditions
) -> Response[None]:
    """204; `If-Match` must quote the version that is removed."""
    known = await _found(request.services, channel)
    preconditions.check(known.version)
    await request.services.operations.remove_channel(channel, expected=known.version)
    return no_content()


@post(
    "/channels/{channel:str}/drop",
    status_code=202,
    summary="Give up what waits on a channel",
    description=(
        "Its deliveries that wait are suppressed, for good; those of the key's mode. The channel must be "
        "disabled or paused. What is accepted while the job runs is not its business."
    ),
    responses=BULK_RESPONSES,
    response_headers=[LOCATION],
    opt=declare(problems=("not-found", "conflict"), examples=DROP),
)
async def drop_channel(
    request: ApiRequest,
    channel: FromPath[str],
    data: JSONBody[DropIn],
    params: NamedDependency[BulkQuery],
) -> Response[JobOut | CountOut]:
    """202 with the job that has begun, or 200 with the count of a dry run."""
    drop = request.services.operations.drop_backlog
    if params.dry_run:
        return counted(await drop.count(known_id(channel), request.mode))
    return begun(await drop(known_id(channel), request.mode, actor=request.actor, reason=data.reason))


async def _found(services: HttpServices, channel: str) -> Versioned[ChannelConfiguration]:
    found = await services.channels.get(known_id(channel))
    if found is None:
        raise NotFound(f"no channel '{channel}'")
    return found


ROUTES: list[ControllerRouterHandler] = [
    list_channels,
    show_channel,
    save_channel,
    remove_channel,
    drop_channel,
]
