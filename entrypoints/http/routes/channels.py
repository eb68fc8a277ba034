"""Channel configurations: on or off, paused, which providers."""

from litestar import get, put
from litestar.params import FromPath

from application.ports.catalog import Channel, Versioned
from domain.kernel.errors import NotFound
from entrypoints.http.answers import Answer, ok
from entrypoints.http.bodies.catalog import ChannelIn
from entrypoints.http.conditions import etag, expect
from entrypoints.http.openapi.doc import documented
from entrypoints.http.openapi.examples import CHANNEL
from entrypoints.http.paging import Page
from entrypoints.http.reading.body import Body
from entrypoints.http.reading.names import known_id
from entrypoints.http.reading.query import read_query
from entrypoints.http.routes.common import NoQuery, Req, services_of
from entrypoints.http.views.catalog import ChannelOut

_TAG = "Channels"

_body = Body(ChannelIn)


@get(
    "/channels",
    opt=documented(
        tag=_TAG,
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


async def _found(request: Req, channel: str) -> Versioned[Channel]:
    found = await services_of(request).channels.get(known_id(channel))
    if found is None:
        raise NotFound(f"no channel '{channel}'")
    return found
