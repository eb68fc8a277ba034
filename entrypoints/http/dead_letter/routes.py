"""Dead letters: list, count by cause, send again, discard."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.types import ControllerRouterHandler

from application.dead_letter.ports import LetterStatus, Selection
from application.job.ports import JobKind
from entrypoints.http.dead_letter.bodies import DISCARD, REPLAY, DiscardIn, Group, LettersIn
from entrypoints.http.dead_letter.views import DeadLetterOut, GroupOut
from entrypoints.http.job import BulkQuery, CountOut, JobOut
from entrypoints.http.kit.answers import Answer, encode, ok
from entrypoints.http.kit.body import Body
from entrypoints.http.kit.fields import Channel, Name, Time
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.query import read_query
from entrypoints.http.kit.request import Req, actor_of, call_of, services_of
from entrypoints.http.kit.time_range import DEMANDS, demand_range

_TAG = "Dead letters"
_which = Body(LettersIn)
_discard = Body(DiscardIn)


class LetterQuery(ListQuery, frozen=True, kw_only=True):
    """Which dead letters; all that is given must hold."""

    status: LetterStatus = LetterStatus.OPEN
    group: Group | None = None
    channel: Channel | None = None
    provider: Name | None = None
    type: Name | None = None
    notification: UUID | None = None
    created_after: Time | None = None
    created_before: Time | None = None


@get(
    "/dead-letters",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="List dead letters, newest first",
        description=(
            "A test key lists those of test notifications. Of closed ones there may be very many: to look "
            "among them for a group, channel, provider or type give " + DEMANDS + "."
        ),
        query=LetterQuery,
        returns={200: (Page[DeadLetterOut], "A page")},
        answer_headers=("Link",),
    ),
)
async def list_dead_letters(request: Req) -> Answer:
    """Filter and page."""
    query = read_query(request, LetterQuery)
    closed = query.status is not LetterStatus.OPEN and query.notification is None
    _demand_range(
        request,
        query,
        {
            f"status={query.status} and {name}": closed and getattr(query, name) is not None
            for name in ("group", "channel", "provider", "type")
        },
    )
    before = position(request, query.cursor, tuple[datetime, UUID, int])
    reader = services_of(request).operations.letters
    rows = await reader.page(_wanted(request, query), before, query.limit + 1)
    return page(
        request,
        rows,
        query.limit,
        shown=DeadLetterOut.of,
        at=lambda row: (row.created_at, row.delivery, row.seq),
    )


@get(
    "/dead-letters/groups",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="List the causes of dead letters, the most frequent first",
        description="To count closed ones give " + DEMANDS + ".",
        query=LetterQuery,
        returns={200: (Page[GroupOut], "A page")},
        answer_headers=("Link",),
    ),
)
async def list_dead_letter_groups(request: Req) -> Answer:
    """Grouped by channel, provider and cause."""
    query = read_query(request, LetterQuery)
    _demand_range(request, query, {f"status={query.status}": query.status is not LetterStatus.OPEN})
    after = position(request, query.cursor, tuple[int, str])
    reader = services_of(request).operations.letters
    rows = await reader.groups(_wanted(request, query), after, query.limit + 1)
    return page(request, rows, query.limit, shown=GroupOut.of, at=lambda row: (row.count, row.fingerprint))


def _demand_range(request: Req, query: LetterQuery, by: dict[str, bool]) -> None:
    now = services_of(request).clock.now()
    demand_range(query.created_after, query.created_before, now=now, by=by)


def _wanted(request: Req, query: LetterQuery) -> Selection:
    return Selection(
        mode=call_of(request).mode,
        status=query.status,
        fingerprint=query.group,
        channel=query.channel,
        provider=query.provider,
        type=query.type,
        notification=query.notification,
        since=query.created_after,
        until=query.created_before,
    )


def _bulk(body: type, examples: dict[str, Any], **said: str) -> dict[str, Any]:
    return documented(
        tag=_TAG,
        access=Access.OWN,
        body=body,
        examples=examples,
        query=BulkQuery,
        returns={
            202: (JobOut, "Begun: a job; `Location` is where to follow it"),
            200: (CountOut, "Dry run: how many it would be"),
        },
        answer_headers=("Location",),
        **said,
    )


@post(
    "/dead-letters:replay",
    opt=_bulk(
        LettersIn,
        REPLAY,
        summary="Send dead letters again",
        description=(
            "Each begins anew, with retries and a deadline of its own; one that dies again is a new dead "
            "letter. Chosen are those that are open now: what dies while the job runs is not its business."
        ),
    ),
)
async def replay_dead_letters(request: Req) -> Answer:
    """Begin a job."""
    dry_run = read_query(request, BulkQuery).dry_run
    body = await _which.read(request)
    return await _begin(request, JobKind.REPLAY, body, note=None, dry_run=dry_run)


@post(
    "/dead-letters:discard",
    opt=_bulk(
        DiscardIn,
        DISCARD,
        summary="Put dead letters aside",
        description="Their deliveries stay failed. The messages left in the dead queues are stale then.",
    ),
)
async def discard_dead_letters(request: Req) -> Answer:
    """Begin a job."""
    dry_run = read_query(request, BulkQuery).dry_run
    body = await _discard.read(request)
    return await _begin(request, JobKind.DISCARD, body, note=body.reason, dry_run=dry_run)


async def _begin(request: Req, kind: JobKind, body: LettersIn, *, note: str | None, dry_run: bool) -> Answer:
    operations, selection = services_of(request).operations, body.selection(call_of(request).mode)
    if dry_run:
        return ok(CountOut(count=await operations.letters.count(selection)))
    job = JobOut.of(await operations.start_job(kind, selection, actor=actor_of(request), note=note))
    return Answer(202, encode(job), [(b"location", job.links.self_.encode())])


ROUTES: list[ControllerRouterHandler] = [
    list_dead_letters,
    list_dead_letter_groups,
    replay_dead_letters,
    discard_dead_letters,
]
