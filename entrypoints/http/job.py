"""Jobs: long actions that a request begins, that are watched and cancelled."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.types import ControllerRouterHandler
from msgspec import Meta, field

from application.job.ports import Job, JobKind, JobStatus
from domain.kernel.errors import NotFound
from entrypoints.http.kit.answers import JsonResponse, View
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import LINK, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.path_ids import UuidInPath, known_uuid
from entrypoints.http.kit.query import Query


class CountOut(View, frozen=True, kw_only=True):
    """What would be concerned; nothing was done."""

    count: int


class JobLinks(View, frozen=True, kw_only=True):
    """Where to go from a job."""

    self_: str = field(name="self")
    cancel: str


class JobOut(View, frozen=True, kw_only=True):
    """A long action, and how far it has come."""

    id: UUID
    kind: JobKind
    status: JobStatus
    total: Annotated[int, Meta(description="dead letters, or deliveries that waited, when it was made")]
    done: int
    skipped: Annotated[
        int, Meta(description="closed by somebody else meanwhile, or of a cancelled notification")
    ]
    actor: Annotated[str, Meta(description="who wants it", examples=["key:shop"])]
    note: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    finished_at: datetime | None
    links: JobLinks

    @classmethod
    def of(cls, row: Job) -> Self:
        """Made from what the application returns."""
        at = f"/api/jobs/{row.id}"
        return cls.copy(row, links=JobLinks(self_=at, cancel=f"{at}/cancel"))


class BulkQuery(Query, frozen=True, kw_only=True):
    """How to take the request."""

    dry_run: Annotated[bool, Meta(description="say how many it would be, and do nothing")] = False


BULK_RESPONSES = {
    200: ResponseSpec(CountOut, description="Dry run: how many it would be"),
    202: ResponseSpec(JobOut, description="Begun: a job; `Location` is where to follow it"),
}
"""Of every request that begins a job; see `BulkQuery`."""


def begun(job: Job) -> Response[JobOut | CountOut]:
    """202: a job that a request has begun, and where to follow it."""
    shown = JobOut.of(job)
    return JsonResponse(shown, status_code=202, headers={"Location": shown.links.self_})


def counted(count: int) -> Response[JobOut | CountOut]:
    """200: how many a dry run would concern."""
    return JsonResponse(CountOut(count=count), status_code=200)


@get(
    "/jobs",
    summary="List jobs, newest first",
    response_description="A page",
    response_headers=[LINK],
)
async def list_jobs(request: ApiRequest, params: NamedDependency[ListQuery]) -> Response[Page[JobOut]]:
    """One page of the jobs of the key's mode."""
    pager = Pager(request)
    before = pager.position(params.cursor, UUID)
    rows = await request.services.operations.jobs.page(request.mode, before, params.limit + 1)
    return pager.page(rows, params.limit, shown=JobOut.of, at=lambda row: row.id)


@get(
    "/jobs/{job_id:str}",
    summary="See how far a job has come",
    response_description="The job",
    opt=declare(problems=("not-found",)),
)
async def show_job(request: ApiRequest, job_id: UuidInPath) -> JobOut:
    """The job, if it is of the key's mode."""
    found = await request.services.operations.jobs.find(known_uuid(job_id), request.mode)
    if found is None:
        raise NotFound(f"no job {job_id}")
    return JobOut.of(found)


@post(
    "/jobs/{job_id:str}/cancel",
    status_code=200,
    summary="Stop a job",
    description=(
        "It ends after the chunk in hand; what is done stays done. Again, or at its end, is harmless."
    ),
    response_description="The job, `cancelling` until it has stopped",
    opt=declare(problems=("not-found",)),
)
async def cancel_job(request: ApiRequest, job_id: UuidInPath) -> JobOut:
    """Stop it after the chunk in hand."""
    return JobOut.of(await request.services.operations.cancel_job(known_uuid(job_id), request.mode))


ROUTES: list[ControllerRouterHandler] = [list_jobs, show_job, cancel_job]
