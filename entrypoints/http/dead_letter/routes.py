"""Dead letters: list, count by cause, send again, discard."""

from datetime import datetime
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from application.dead_letter.ports import DeadLetterStatus, Selection
from application.job.ports import JobKind
from domain.kernel.channel import Mode
from entrypoints.http.dead_letter.bodies import DISCARD, REPLAY, DeadLettersIn, DiscardIn, Group
from entrypoints.http.dead_letter.views import DeadLetterOut, GroupOut
from entrypoints.http.job import BULK_RESPONSES, BulkQuery, CountOut, JobOut, begun, counted
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.fields import Channel, Name, Time
from entrypoints.http.kit.openapi.declared import LINK, LOCATION, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.time_range import DEMANDS, demand_range


class DeadLetterQuery(ListQuery, frozen=True, kw_only=True):
    """Which dead letters; all that is given must hold."""

    status: DeadLetterStatus = DeadLetterStatus.OPEN
    group: Group | None = None
    channel: Channel | None = None
    provider: Name | None = None
    type: Name | None = None
    notification: UUID | None = None
    created_after: Time | None = None
    created_before: Time | None = None

    def selection(self, mode: Mode) -> Selection:
        """The same in the application's terms."""
        return Selection(
            mode=mode,
            status=self.status,
            fingerprint=self.group,
            channel=self.channel,
            provider=self.provider,
            type=self.type,
            notification=self.notification,
            since=self.created_after,
            until=self.created_before,
        )


@get(
    "/dead-letters",
    summary="List dead letters, newest first",
    description=(
        "A test key lists those of test notifications. Of closed ones there may be very many: to look "
        "among them for a group, channel, provider or type give " + DEMANDS + "."
    ),
    response_description="A page",
    response_headers=[LINK],
)
async def list_dead_letters(
    request: ApiRequest, params: NamedDependency[DeadLetterQuery]
) -> Response[Page[DeadLetterOut]]:
    """One page of those that match all filters."""
    pager = Pager(request)
    closed = params.status is not DeadLetterStatus.OPEN and params.notification is None
    by = {
        f"status={params.status} and {name}": closed and getattr(params, name) is not None
        for name in ("group", "channel", "provider", "type")
    }
    demand_range(params.created_after, params.created_before, now=request.services.clock.now(), by=by)
    before = pager.position(params.cursor, tuple[datetime, UUID, int])
    rows = await request.services.operations.dead_letters.page(
        params.selection(request.mode), before, params.limit + 1
    )
    return pager.page(
        rows,
        params.limit,
        shown=DeadLetterOut.of,
        at=lambda row: (row.created_at, row.delivery, row.seq),
    )


@get(
    "/dead-letters/groups",
    summary="List the causes of dead letters, the most frequent first",
    description="To count closed ones give " + DEMANDS + ".",
    response_description="A page",
    response_headers=[LINK],
)
async def list_dead_letter_groups(
    request: ApiRequest, params: NamedDependency[DeadLetterQuery]
) -> Response[Page[GroupOut]]:
    """Grouped by channel, provider and cause."""
    pager = Pager(request)
    by = {f"status={params.status}": params.status is not DeadLetterStatus.OPEN}
    demand_range(params.created_after, params.created_before, now=request.services.clock.now(), by=by)
    after = pager.position(params.cursor, tuple[int, str])
    rows = await request.services.operations.dead_letters.groups(
        params.selection(request.mode), after, params.limit + 1
    )
    return pager.page(rows, params.limit, shown=GroupOut.of, at=lambda row: (row.count, row.fingerprint))


@post(
    "/dead-letters:replay",
    status_code=202,
    summary="Send dead letters again",
    description=(
        "Each begins anew, with retries and a deadline of its own; one that dies again is a new dead "
        "letter. Chosen are those that are open now: what dies while the job runs is not its business."
    ),
    responses=BULK_RESPONSES,
    response_headers=[LOCATION],
    opt=declare(examples=REPLAY),
)
async def replay_dead_letters(
    request: ApiRequest,
    data: JSONBody[DeadLettersIn],
    params: NamedDependency[BulkQuery],
) -> Response[JobOut | CountOut]:
    """202 with the job that has begun, or 200 with the count of a dry run."""
    operations, selection = request.services.operations, data.selection(request.mode)
    if params.dry_run:
        return counted(await operations.dead_letters.count(selection))
    return begun(await operations.start_job(JobKind.REPLAY, selection, actor=request.actor, note=None))


@post(
    "/dead-letters:discard",
    status_code=202,
    summary="Put dead letters aside",
    description="Their deliveries stay failed. The messages left in the dead queues are stale then.",
    responses=BULK_RESPONSES,
    response_headers=[LOCATION],
    opt=declare(examples=DISCARD),
)
async def discard_dead_letters(
    request: ApiRequest,
    data: JSONBody[DiscardIn],
    params: NamedDependency[BulkQuery],
) -> Response[JobOut | CountOut]:
    """202 with the job that has begun, or 200 with the count of a dry run."""
    operations, selection = request.services.operations, data.selection(request.mode)
    if params.dry_run:
        return counted(await operations.dead_letters.count(selection))
    return begun(
        await operations.start_job(JobKind.DISCARD, selection, actor=request.actor, note=data.reason)
    )


ROUTES: list[ControllerRouterHandler] = [
    list_dead_letters,
    list_dead_letter_groups,
    replay_dead_letters,
    discard_dead_letters,
]
