"""Jobs: long actions, watched and stopped."""

from uuid import UUID

from litestar import get, post
from litestar.params import FromPath

from domain.kernel.errors import NotFound
from entrypoints.http.answers import Answer, ok
from entrypoints.http.openapi.doc import Access, documented
from entrypoints.http.paging import Page, page, position
from entrypoints.http.reading.names import known_uuid
from entrypoints.http.reading.query import read_query
from entrypoints.http.routes.common import ListQuery, NoQuery, Req, call_of, services_of
from entrypoints.http.views.operations import JobOut

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
