"""The way from who starts a job to the actor of its process that runs jobs, whichever is there first."""

from dataclasses import dataclass

from application.job.ports import Nudge


@dataclass(slots=True)
class ProcessNudge:
    """Implements `Nudge` for one process.

    A process that runs jobs sets `actor` when it starts.  Without one (a command that works on its job
    itself) nothing happens: the processes that run look for jobs every few seconds.
    """

    actor: Nudge | None = None

    def nudge(self) -> None:
        """See `Nudge`."""
        if self.actor is not None:
            self.actor.nudge()
