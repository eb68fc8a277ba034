"""Jobs: long actions that a request begins, that are watched and cancelled."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta, field

from application.job.ports import Job, JobKind, JobStatus
from domain.kernel.errors import NotFound
from entrypoints.http.kit.answers import Answer, ok
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.path_ids import known_uuid
from entrypoints.http.kit.query import NoQuery, read_query
from entrypoints.http.kit.request import Req, call_of, services_of
from entrypoints.http.kit.view import View


class CountOut(View):
    """What would be concerned; nothing was done."""

    count: int


class JobLinks(View):
    """Where to go from a job."""

    self_: str = field(name="self")
    cancel: str


class JobOut(View):
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
        """As it is shown."""
        at = f"/api/jobs/{row.id}"
        return cls.copy(row, links=JobLinks(self_=at, cancel=f"{at}/cancel"))


class BulkQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to take the request."""

    dry_run: Annotated[bool, Meta(description="say how many it would be, and do nothing")] = False


_TAG = "Jobs"


@get(
    "/jobs",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="List jobs, newest first",
        query=ListQuery,
        returns={200: (Page[JobOut], "A page")},
        answer_headers=("Link",),
    ),
)
async def list_jobs(request: Req) -> Answer:
    """Those of the key's mode."""
    query = read_query(request, ListQuery)
    rows = await services_of(request).operations.jobs.page(
        call_of(request).mode, position(request, query.cursor, UUID), query.limit + 1
    )
    return page(request, rows, query.limit, shown=JobOut.of, at=lambda row: row.id)


@get(
    "/jobs/{job_id:str}",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="See how far a job has come",
        query=NoQuery,
        returns={200: (JobOut, "The job")},
        problems=("not-found",),
    ),
)
async def show_job(request: Req, job_id: FromPath[str]) -> Answer:
    """One."""
    read_query(request, NoQuery)
    found = await services_of(request).operations.jobs.find(known_uuid(job_id), call_of(request).mode)
    if found is None:
        raise NotFound(f"no job {job_id}")
    return ok(JobOut.of(found))


@post(
    "/jobs/{job_id:str}/cancel",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="Stop a job",
        description=(
            "It ends after the chunk in hand; what is done stays done. Again, or at its end, is harmless."
        ),
        query=NoQuery,
        returns={200: (JobOut, "The job, `cancelling` until it has stopped")},
        problems=("not-found",),
    ),
)
async def cancel_job(request: Req, job_id: FromPath[str]) -> Answer:
    """Stop."""
    read_query(request, NoQuery)
    return ok(
        JobOut.of(await services_of(request).operations.cancel_job(known_uuid(job_id), call_of(request).mode))
    )


ROUTES: list[ControllerRouterHandler] = [list_jobs, show_job, cancel_job]
