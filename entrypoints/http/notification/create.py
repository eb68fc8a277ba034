"""`POST /api/notifications`."""

from typing import Annotated

from litestar import post
from litestar.openapi import ResponseSpec
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.notification.submit import Submitted
from domain.kernel.errors import Invalid
from entrypoints.http.kit.answers import Answer, encode
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.json_body import JsonBody
from entrypoints.http.kit.openapi.declared import IDEMPOTENCY_REPLAYED, LOCATION, declare
from entrypoints.http.kit.query import Query, read_query
from entrypoints.http.notification.bodies import NotificationIn, in_body, to_request
from entrypoints.http.notification.examples import NOTIFICATIONS
from entrypoints.http.notification.headers import HEADERS, idempotency_key
from entrypoints.http.notification.views import AcceptedOut, PreviewOut
from entrypoints.http.server.read_body import BODY_MAX

_body = JsonBody(NotificationIn)
DEGRADED = ',"degraded":true'


class CreateQuery(Query, frozen=True, kw_only=True):
    """How to take the request."""

    dry_run: Annotated[bool, Meta(description="show what would happen, send and keep nothing")] = False


@post(
    "/notifications",
    status_code=202,
    summary="Ask for a notification",
    description=(
        "Answered once it is committed: what was answered with 202 is not lost.\n\n"
        "While the database is away the request is kept by the broker instead, encrypted, and the answer "
        'says `"degraded": true`. It is committed when the database is back; until then its id is not '
        "found. If an earlier request with the same idempotency key turns out to stand, the id becomes "
        "another name of that notification; if the request cannot be carried out any more, the "
        "notification is `failed` and its `reason` says why.\n\n"
        "With an idempotency key (header or body) the same request may be sent any number of times "
        "within 90 days: it is accepted once, and every answer is the first one's."
    ),
    responses={
        202: ResponseSpec(AcceptedOut, description="Accepted; `Location` is where to follow it"),
        200: ResponseSpec(PreviewOut, description="Dry run: what would be sent, to the first ten recipients"),
    },
    response_headers=[LOCATION, IDEMPOTENCY_REPLAYED],
    opt=declare(
        body=NotificationIn,
        query=CreateQuery,
        headers=HEADERS,
        examples=NOTIFICATIONS,
        problems=("idempotency-key-reused", "in-flight", "overloaded"),
    ),
)
async def create_notification(request: ApiRequest) -> Answer:
    """The hot path: no dependency, no response class, nothing read twice."""
    services, context = request.services, request.context
    dry_run = bool(request.scope["query_string"]) and read_query(request, CreateQuery).dry_run
    body = _body.decode(await request.read_body(BODY_MAX))
    key = idempotency_key(request.scope["headers"], body.idempotency_key)
    wanted = to_request(body, key=key, mode=request.mode, traceparent=context.traceparent)
    try:
        if dry_run:
            return Answer(200, encode(PreviewOut.of(await services.preview(wanted))))
        return accepted(await services.accept(wanted))
    except Invalid as refused:
        raise Invalid(*in_body(refused.faults, body)) from None


def accepted(submitted: Submitted) -> Answer:
    """202, the same bytes on a replay.  Put together by hand: `AcceptedOut` is its type."""
    at = f"/api/notifications/{submitted.id}"
    body = (
        f'{{"id":"{submitted.id}","status":"queued","links":{{"self":"{at}","deliveries":"{at}/deliveries",'
        f'"history":"{at}/history","cancel":"{at}/cancel"}}{DEGRADED if submitted.degraded else ""}}}'
    )
    headers = [(b"location", at.encode())]
    if submitted.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return Answer(202, body.encode(), headers)


ROUTES: list[ControllerRouterHandler] = [create_notification]
