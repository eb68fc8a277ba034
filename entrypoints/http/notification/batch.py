"""Asking for up to a thousand notifications at once."""

import asyncio
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import post
from litestar.openapi import ResponseSpec
from litestar.types import ControllerRouterHandler
from msgspec import UNSET, Meta, UnsetType

from application.notification.submit import Submitted
from domain.kernel.errors import FAULTS_MAX, Fault, Invalid, PosthornError, Unavailable
from domain.notification.request import Derived, Request
from entrypoints.http.kit.answers import Answer, View, encode
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import declare
from entrypoints.http.kit.query import Query, read_query
from entrypoints.http.notification.batch_bodies import BATCH_BYTES_MAX, ITEMS_MAX, BatchIn, in_batch, items
from entrypoints.http.notification.bodies import KEY_MAX, NotificationIn, to_request
from entrypoints.http.notification.examples import BATCH
from entrypoints.http.notification.headers import HEADERS, idempotency_key
from entrypoints.http.notification.views import Links
from entrypoints.http.problems.problem import Problem, to_problem

_BREATH = 0.005
"""Seconds of reading after which others get their turn on the loop."""
_KEY_ROOM = KEY_MAX - len(f":{ITEMS_MAX}")


class BatchItemOut(View, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one item, as if it had come alone."""

    index: int
    status: Annotated[int, Meta(description="202, or that of the problem")]
    id: UUID | UnsetType = UNSET
    replayed: bool = False
    degraded: Annotated[bool, Meta(description="as for a single request")] = False
    links: Links | UnsetType = UNSET
    problem: Problem | UnsetType = UNSET


class BatchOut(View, frozen=True, kw_only=True):
    """What became of a batch, in its order."""

    accepted: int
    rejected: int
    results: list[BatchItemOut]


@post(
    "/notifications/batch",
    status_code=202,
    summary="Ask for up to 1,000 notifications",
    description=(
        "Each item is accepted or refused on its own, and `results` tells of each, in order: the answer "
        "is 202 even when every item was refused. Only when nothing could be accepted because the "
        "service is away is it 503, as for a single request.\n\n"
        "`Idempotency-Key` makes the whole batch repeatable: item *n* without a key of its own has one "
        "made of it and *n*, which no other request can have."
    ),
    responses={202: ResponseSpec(BatchOut, description="Read; see `results`")},
    opt=declare(
        body=BatchIn,
        query=Query,
        headers=HEADERS,
        examples=BATCH,
        problems=("overloaded",),
    ),
)
async def create_batch(request: ApiRequest) -> Answer:
    """Read all, submit what is right together, answer in order."""
    read_query(request, Query)
    body = await request.read_body(BATCH_BYTES_MAX)
    base = idempotency_key(request.scope["headers"], None)
    if base is not None and len(base) > _KEY_ROOM:
        raise Invalid(Fault(":Idempotency-Key", "bad_length", f"at most {_KEY_ROOM} characters for a batch"))
    mode, traceparent = request.mode, request.context.traceparent
    bodies: list[NotificationIn | None] = []
    requests: dict[int, Request] = {}
    answers: dict[int, Submitted | PosthornError] = {}
    clock = request.services.clock
    breath = clock.monotonic() + _BREATH
    for n, item in enumerate(items(body)):
        if clock.monotonic() > breath:
            await asyncio.sleep(0)
            breath = clock.monotonic() + _BREATH
        bodies.append(None if isinstance(item, Invalid) else item)
        if isinstance(item, Invalid):
            answers[n] = item
            continue
        try:
            requests[n] = _keyed(
                to_request(item, key=item.idempotency_key, mode=mode, traceparent=traceparent),
                base,
                n,
            )
        except Invalid as refused:
            answers[n] = refused
    submitted = await request.services.accept.many(list(requests.values()))
    answers.update(zip(requests, submitted, strict=True))
    if failed := _all_away(answers):
        raise failed
    results, room = [], FAULTS_MAX
    for n, of_item in enumerate(bodies):
        results.append(_result(n, answers[n], of_item, request, faults_max=max(room, 1)))
        room -= len(results[-1].problem.errors) if results[-1].problem else 0
    accepted = sum(result.status == 202 for result in results)
    return Answer(202, encode(BatchOut(accepted=accepted, rejected=len(results) - accepted, results=results)))


def _keyed(asked: Request, base: str | None, n: int) -> Request:
    if base is None or asked.idempotency_key is not None:
        return asked
    derived = Derived(parts=("batch", base, str(n)), certain=False)
    return msgspec.structs.replace(asked, idempotency_key=f"{base}:{n}", derived=derived)


def _all_away(answers: Mapping[int, Submitted | PosthornError]) -> PosthornError | None:
    away = [answer for answer in answers.values() if isinstance(answer, Unavailable)]
    return away[0] if away and len(away) == len(answers) else None


def _result(
    n: int,
    answer: Submitted | PosthornError,
    body: NotificationIn | None,
    request: ApiRequest,
    *,
    faults_max: int,
) -> BatchItemOut:
    """`faults_max`: a batch lists as many as a single request, then each item its first."""
    if isinstance(answer, Submitted):
        return BatchItemOut(
            index=n,
            status=202,
            id=answer.id,
            replayed=answer.replayed,
            degraded=answer.degraded,
            links=Links.of(answer.id),
        )
    error = in_batch(answer, n, body) if isinstance(answer, Invalid) else answer
    problem, _ = to_problem(
        error,
        instance=request.scope["path"],
        trace_id=request.context.trace_id,
        faults_max=faults_max,
    )
    return BatchItemOut(index=n, status=problem.status, problem=problem)


ROUTES: list[ControllerRouterHandler] = [create_batch]
