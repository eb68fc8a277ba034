"""Jobs: what goes over many rows, chunk by chunk."""

from dependency_injector import containers, providers

from adapters.postgres.job.jobs import PostgresJobChunks, PostgresJobs
from application.job.advance import AdvanceJob
from application.job.cancel import CancelJob
from application.job.start import StartJob
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class JobRoom(containers.DeclarativeContainer):
    """Rows of jobs, and the use cases that start, advance and cancel them."""

    kernel = needs(KernelRoom)

    jobs = Single(PostgresJobs, database=kernel.database)
    chunks = Single(PostgresJobChunks, database=kernel.database, process=kernel.process, ids=kernel.ids)
    start = Single(StartJob, jobs=jobs, nudge=kernel.nudge, ids=kernel.ids)
    advance = Single(AdvanceJob, chunks=chunks, handoff=kernel.handoff)
    cancel = Single(CancelJob, jobs=jobs)
