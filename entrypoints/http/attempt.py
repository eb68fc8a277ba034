"""Calls to providers whose outcome is unknown: list them, say what became of one."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta, field

from application.attempt.ports import Resolution, UnknownAttempt, UnknownFilter
from domain.kernel.errors import NotFound
from entrypoints.http.kit.answers import View
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.fields import Channel, Name, Time
from entrypoints.http.kit.json_body import JsonBody
from entrypoints.http.kit.openapi.declared import LINK, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.time_range import DEMANDS, demand_range

RESOLVE = {"it went out": {"resolution": "sent"}, "send again": {"resolution": "resend"}}


class ResolveIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody has found out about a call, or decides."""

    resolution: Annotated[
        Resolution,
        Meta(
            description="`sent`: it went out after all; `failed`: it did not, and is not sent again; `resend`"
        ),
    ]


class UnknownAttemptOut(View, frozen=True, kw_only=True):
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
        """Made from what the application returns."""
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


class ResolvedOut(View, frozen=True, kw_only=True):
    """What was made of a call without an answer."""

    id: str
    resolution: Resolution
    resolved_by: str


_HEX = "[0-9a-f]"
_RESOLVE = re.compile(rf"({_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}})\.([1-9]\d{{0,8}}):resolve")
_body = JsonBody(ResolveIn)


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
    summary="List calls whose outcome nobody knows, newest first",
    description=(
        "No answer came, or the worker died: the message may have gone out. What follows is the policy "
        "of its class: `resend`, or `hold`, and then the delivery rests until somebody resolves it.\n\n"
        "With `channel`, `provider`, `resolved=true` or `held=false`, and none of `held=true`, "
        "`resolved=false` and `notification`, give " + DEMANDS + "."
    ),
    response_description="A page",
    response_headers=[LINK],
)
async def list_attempts(
    request: ApiRequest, params: NamedDependency[AttemptQuery]
) -> Response[Page[UnknownAttemptOut]]:
    """One page of those that match all filters."""
    pager = Pager(request)
    found = params.held or params.resolved is False or params.notification is not None
    by = {
        "held=false": params.held is False,
        "resolved=true": params.resolved is True,
        "channel": params.channel is not None,
        "provider": params.provider is not None,
    }
    demand_range(
        params.created_after,
        params.created_before,
        now=request.services.clock.now(),
        by={} if found else by,
    )
    wanted = UnknownFilter(
        mode=request.mode,
        held=params.held,
        resolved=params.resolved,
        channel=params.channel,
        provider=params.provider,
        notification=params.notification,
        created_after=params.created_after,
        created_before=params.created_before,
    )
    before = pager.position(params.cursor, tuple[datetime, UUID, int])
    rows = await request.services.operations.unknown.page(wanted, before, params.limit + 1)
    return pager.page(
        rows,
        params.limit,
        shown=UnknownAttemptOut.of,
        at=lambda row: (row.created_at, row.delivery, row.attempt),
    )


@post(
    "/attempts/{attempt_id:str}",
    status_code=200,
    summary="Say what became of a call, or send again",
    description="For those on which a delivery rests (`held`); it moves on at once.",
    response_description="Resolved",
    opt=declare(
        path="/api/attempts/{attempt_id}:resolve",
        body=ResolveIn,
        examples=RESOLVE,
        problems=("not-found", "conflict"),
    ),
)
async def resolve_attempt(request: ApiRequest, attempt_id: FromPath[str]) -> ResolvedOut:
    """The router knows whole segments only: the verb comes with the id, and is looked at before the body."""
    found = _RESOLVE.fullmatch(attempt_id)
    if found is None:
        raise NotFound("attempts have ids such as <deliveryId>.<number>, and one verb: `:resolve`")
    data = _body.decode(await request.body())
    delivery, number = UUID(found[1]), int(found[2])
    await request.services.operations.resolve_attempt(
        delivery, number, request.mode, data.resolution, actor=request.actor
    )
    return ResolvedOut(id=f"{delivery}.{number}", resolution=data.resolution, resolved_by=request.actor)


ROUTES: list[ControllerRouterHandler] = [list_attempts, resolve_attempt]
