"""Channels: on or off, paused, which providers; and giving up what waits on one."""

from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from litestar import get, post, put
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.channel.ports import Channel as ChannelConfiguration
from application.channel.ports import WhenDisabled
from application.kernel.versioned import Versioned
from domain.kernel.errors import NotFound
from entrypoints.http.job import BulkQuery, CountOut, JobOut
from entrypoints.http.kit.answers import Answer, encode, ok
from entrypoints.http.kit.body import Body
from entrypoints.http.kit.fields import Name
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import Page
from entrypoints.http.kit.path_ids import known_id
from entrypoints.http.kit.preconditions import etag, expect
from entrypoints.http.kit.query import NoQuery, read_query
from entrypoints.http.kit.request import Req, actor_of, call_of, services_of
from entrypoints.http.kit.view import View

CHANNEL = {"one provider, not paused": {"isEnabled": True, "isPaused": False, "providers": ["sandbox"]}}
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
        list[Name], Meta(min_length=1, max_length=10, description="configured providers, preferred first")
    ]

    def configuration(self, channel: str) -> ChannelConfiguration:
        """As the house calls it."""
        return ChannelConfiguration(
            channel=channel,
            enabled=self.is_enabled,
            when_disabled=WhenDisabled(self.when_disabled),
            paused=self.is_paused,
            providers=tuple(self.providers),
        )


class ChannelOut(View):
    """How a channel is run."""

    channel_type: str
    is_enabled: bool
    when_disabled: str
    is_paused: bool
    providers: tuple[str, ...]
    updated_at: datetime

    @classmethod
    def of(cls, kept: Versioned[ChannelConfiguration]) -> Self:
        """As it is shown."""
        channel = kept.value
        return cls.copy(
            channel,
            channel_type=channel.channel,
            is_enabled=channel.enabled,
            is_paused=channel.paused,
            updated_at=kept.updated_at,
        )


_TAG = "Channels"
_body = Body(ChannelIn)
_drop = Body(DropIn)


@get(
    "/channels",
    opt=documented(
        tag=_TAG,
        access=Access.SHARED,
        summary="List channels",
        query=NoQuery,
        returns={200: (Page[ChannelOut], "All of them")},
    ),
)
async def list_channels(request: Req) -> Answer:
    """There are few."""
    read_query(request, NoQuery)
    rows = await services_of(request).channels.all()
    return ok(Page(items=[ChannelOut.of(row) for row in rows], next_cursor=None))


@get(
    "/channels/{channel:str}",
    opt=documented(
        tag=_TAG,
        access=Access.SHARED,
        summary="Read a channel's configuration",
        query=NoQuery,
        returns={200: (ChannelOut, "The configuration")},
        answer_headers=("ETag",),
        problems=("not-found",),
    ),
)
async def show_channel(request: Req, channel: FromPath[str]) -> Answer:
    """One."""
    read_query(request, NoQuery)
    found = await _found(request, channel)
    return ok(ChannelOut.of(found), etag(found.version))


@put(
    "/channels/{channel:str}",
    opt=documented(
        tag=_TAG,
        access=Access.LIVE,
        summary="Configure a channel",
        description="Deliveries that wait already follow the new configuration.",
        body=ChannelIn,
        examples=CHANNEL,
        query=NoQuery,
        headers=("If-Match",),
        returns={200: (ChannelOut, "Saved")},
        answer_headers=("ETag",),
        problems=("not-found", "precondition-failed", "precondition-required"),
    ),
)
async def save_channel(request: Req, channel: FromPath[str]) -> Answer:
    """Replace; channels come with the installation, not by request."""
    read_query(request, NoQuery)
    body = await _body.read(request)
    known = await _found(request, channel)
    expect(request, known.version)
    saved = await services_of(request).save_channel(body.configuration(channel), expected=known.version)
    return ok(ChannelOut.of(saved), etag(saved.version))


@post(
    "/channels/{channel:str}/drop",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="Give up what waits on a channel",
        description=(
            "Its deliveries that wait are suppressed, for good; those of the key's mode. The channel must be "
            "disabled or paused. What is accepted while the job runs is not its business."
        ),
        body=DropIn,
        examples=DROP,
        query=BulkQuery,
        returns={
            202: (JobOut, "Begun: a job; `Location` is where to follow it"),
            200: (CountOut, "Dry run: how many it would be"),
        },
        answer_headers=("Location",),
        problems=("not-found", "conflict"),
    ),
)
async def drop_channel(request: Req, channel: FromPath[str]) -> Answer:
    """Begin a job."""
    dry_run = read_query(request, BulkQuery).dry_run
    body = await _drop.read(request)
    drop, mode = services_of(request).operations.drop_backlog, call_of(request).mode
    if dry_run:
        return ok(CountOut(count=await drop.count(known_id(channel), mode)))
    job = JobOut.of(await drop(known_id(channel), mode, actor=actor_of(request), reason=body.reason))
    return Answer(202, encode(job), [(b"location", job.links.self_.encode())])


async def _found(request: Req, channel: str) -> Versioned[ChannelConfiguration]:
    found = await services_of(request).channels.get(known_id(channel))
    if found is None:
        raise NotFound(f"no channel '{channel}'")
    return found


ROUTES: list[ControllerRouterHandler] = [list_channels, show_channel, save_channel, drop_channel]
