"""`POST /api/notifications`."""

from typing import Annotated

import msgspec
from litestar import post
from msgspec import Meta

from application.notification.submit import Submitted
from domain.kernel.errors import Invalid
from entrypoints.http.kit.answers import Answer, ok
from entrypoints.http.kit.body import Body
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.query import read_query
from entrypoints.http.kit.request import Req, call_of, services_of
from entrypoints.http.notification.bodies import NotificationIn, idempotency_key, in_body, to_request
from entrypoints.http.notification.examples import NOTIFICATIONS
from entrypoints.http.notification.views import AcceptedOut, PreviewOut

_body = Body(NotificationIn)
DEGRADED = ',"degraded":true'


class CreateQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to take the request."""

    dry_run: Annotated[bool, Meta(description="show what would happen, send and keep nothing")] = False


@post(
    "/notifications",
    opt=documented(
        tag="Notifications",
        access=Access.OWN,
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
        body=NotificationIn,
        examples=NOTIFICATIONS,
        query=CreateQuery,
        headers=("Idempotency-Key", "traceparent"),
        returns={
            202: (AcceptedOut, "Accepted; `Location` is where to follow it"),
            200: (PreviewOut, "Dry run: what would be sent, to the first ten recipients"),
        },
        answer_headers=("Location", "Idempotency-Replayed"),
        problems=("idempotency-key-reused", "in-flight", "overloaded"),
    ),
)
async def create_notification(request: Req) -> Answer:
    """The hot path: no dependency, no response class, nothing read twice."""
    call, services = call_of(request), services_of(request)
    query_string = request.scope["query_string"]
    dry_run = bool(query_string) and read_query(request, CreateQuery).dry_run
    body = await _body.read(request)
    key = idempotency_key(request.scope["headers"], body.idempotency_key)
    wanted = to_request(body, key=key, mode=call.mode, traceparent=call.traceparent)
    try:
        if dry_run:
            return ok(PreviewOut.of(await services.preview(wanted)))
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
