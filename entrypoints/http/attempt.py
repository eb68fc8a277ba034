"""Calls to providers whose outcome is unknown: list them, say what became of one."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta, field

from application.attempt.ports import Resolution, UnknownAttempt, UnknownFilter
from domain.kernel.errors import NotFound
from entrypoints.http.kit.answers import Answer, ok
from entrypoints.http.kit.body import Body
from entrypoints.http.kit.fields import Channel, Name, Time
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.query import NoQuery, read_query
from entrypoints.http.kit.request import Req, actor_of, call_of, services_of
from entrypoints.http.kit.time_range import DEMANDS, demand_range
from entrypoints.http.kit.view import View

RESOLVE = {"it went out": {"resolution": "sent"}, "send again": {"resolution": "resend"}}


class ResolveIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody has found out about a call, or decides."""

    resolution: Annotated[
        Resolution,
        Meta(
            description="`sent`: it went out after all; `failed`: it did not, and is not sent again; `resend`"
        ),
    ]


class UnknownAttemptOut(View):
    """A call to a provider without an answer: it may have gone out."""

    id: Annotated[str, Meta(examples=["0198f7a0-0000-7000-8000-000000000000.1"])]
    delivery_id: UUID
    number: int
    notification_id: UUID
    notification_type: str
    klass: str = field(name="class")
    channel_type: str
    provider: str | None
    reason: str
    delivery_status: Annotated[str, Meta(description="of the delivery now")]
    held: Annotated[bool, Meta(description="the delivery rests until somebody resolves this")]
    created_at: datetime
    resolution: Annotated[
        str | None, Meta(description="sent, failed, resend or cancelled; null: nobody knows yet")
    ]
    resolved_at: datetime | None
    resolved_by: Annotated[str | None, Meta(description="null: by the policy of its class")]

    @classmethod
    def of(cls, row: UnknownAttempt) -> Self:
        """As it is shown."""
        return cls.copy(
            row,
            id=f"{row.delivery}.{row.attempt}",
            delivery_id=row.delivery,
            number=row.attempt,
            notification_id=row.notification,
            notification_type=row.type,
            channel_type=row.channel,
            delivery_status=row.status,
        )


class ResolvedOut(View):
    """What was made of a call without an answer."""

    id: str
    resolution: Resolution
    resolved_by: str


_TAG = "Attempts"
_HEX = "[0-9a-f]"
_RESOLVE = re.compile(rf"({_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}})\.([1-9]\d{{0,8}}):resolve")
_body = Body(ResolveIn)


class AttemptQuery(ListQuery, frozen=True, kw_only=True):
    """Which calls; all that is given must hold."""

    state: Annotated[Literal["unknown"], Meta(description="the only one that is listed")] = "unknown"
    held: Annotated[bool, Meta(description="whether a delivery rests on it")] | None = None
    resolved: Annotated[bool, Meta(description="whether it is known what becomes of it")] | None = None
    channel: Channel | None = None
    provider: Name | None = None
    notification: UUID | None = None
    created_after: Time | None = None
    created_before: Time | None = None


@get(
    "/attempts",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="List calls whose outcome nobody knows, newest first",
        description=(
            "No answer came, or the worker died: the message may have gone out. What follows is the policy "
            "of its class: `resend`, or `hold`, and then the delivery rests until somebody resolves it.\n\n"
            "With `channel`, `provider`, `resolved=true` or `held=false`, and none of `held=true`, "
            "`resolved=false` and `notification`, give " + DEMANDS + "."
        ),
        query=AttemptQuery,
        returns={200: (Page[UnknownAttemptOut], "A page")},
        answer_headers=("Link",),
    ),
)
async def list_attempts(request: Req) -> Answer:
    """Filter and page."""
    query = read_query(request, AttemptQuery)
    found = query.held or query.resolved is False or query.notification is not None
    by = {
        "held=false": query.held is False,
        "resolved=true": query.resolved is True,
        "channel": query.channel is not None,
        "provider": query.provider is not None,
    }
    demand_range(
        query.created_after,
        query.created_before,
        now=services_of(request).clock.now(),
        by={} if found else by,
    )
    wanted = UnknownFilter(
        mode=call_of(request).mode,
        held=query.held,
        resolved=query.resolved,
        channel=query.channel,
        provider=query.provider,
        notification=query.notification,
        created_after=query.created_after,
        created_before=query.created_before,
    )
    before = position(request, query.cursor, tuple[datetime, UUID, int])
    rows = await services_of(request).operations.unknown.page(wanted, before, query.limit + 1)
    return page(
        request,
        rows,
        query.limit,
        shown=UnknownAttemptOut.of,
        at=lambda row: (row.created_at, row.delivery, row.attempt),
    )


@post(
    "/attempts/{attempt_id:str}",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        path="/api/attempts/{attempt_id}:resolve",
        summary="Say what became of a call, or send again",
        description="For those on which a delivery rests (`held`); it moves on at once.",
        body=ResolveIn,
        examples=RESOLVE,
        query=NoQuery,
        returns={200: (ResolvedOut, "Resolved")},
        problems=("not-found", "conflict"),
    ),
)
async def resolve_attempt(request: Req, attempt_id: FromPath[str]) -> Answer:
    """The router knows whole segments only: the verb comes with the id."""
    read_query(request, NoQuery)
    found = _RESOLVE.fullmatch(attempt_id)
    if found is None:
        raise NotFound("attempts have ids such as <deliveryId>.<number>, and one verb: `:resolve`")
    body, actor = await _body.read(request), actor_of(request)
    delivery, number = UUID(found[1]), int(found[2])
    await services_of(request).operations.resolve_attempt(
        delivery, number, call_of(request).mode, body.resolution, actor=actor
    )
    return ok(ResolvedOut(id=f"{delivery}.{number}", resolution=body.resolution, resolved_by=actor))


ROUTES: list[ControllerRouterHandler] = [list_attempts, resolve_attempt]
