"""Channel configurations: on or off, paused, which providers."""

from litestar import get, post, put
from litestar.params import FromPath

from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from domain.kernel.errors import NotFound
from entrypoints.http.answers import Answer, encode, ok
from entrypoints.http.bodies.catalog import ChannelIn
from entrypoints.http.bodies.operations import DropIn
from entrypoints.http.conditions import etag, expect
from entrypoints.http.openapi.doc import Access, documented
from entrypoints.http.openapi.examples import CHANNEL, DROP
from entrypoints.http.paging import Page
from entrypoints.http.reading.body import Body
from entrypoints.http.reading.names import known_id
from entrypoints.http.reading.query import read_query
from entrypoints.http.routes.common import NoQuery, Req, actor_of, call_of, services_of
from entrypoints.http.routes.dead_letters import BulkQuery
from entrypoints.http.views.catalog import ChannelOut
from entrypoints.http.views.operations import CountOut, JobOut

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


async def _found(request: Req, channel: str) -> Versioned[Channel]:
    found = await services_of(request).channels.get(known_id(channel))
    if found is None:
        raise NotFound(f"no channel '{channel}'")
    return found
