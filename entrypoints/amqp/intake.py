"""The intake: requests accepted while the database was away, committed now that it is back.

Processes with the API drain it: they fill it, and run whenever somebody can ask for the ids.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from application.broker.ports import Publisher, Received, Subscription
from application.intake.command import INTAKE
from application.intake.commit import IntakeOutcome
from application.kernel.ports import Ids
from entrypoints.amqp.parking import parked
from entrypoints.engine.consumer.disposition import Ack, Disposition, Park, disposition
from entrypoints.engine.consumer.finish import Ended, Worked, finish
from entrypoints.engine.telemetry import Telemetry, trace_ids

DEAD = f"{INTAKE}.dlq"
"""Commands that nobody can read, or that met a fault of our own; moved back, they are tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeBatches:
    """Works on batches of commands.

    Args:
        drain: `CommitIntake`.
    """

    commit_intake: Callable[[Sequence[bytes]], Awaitable[Sequence[IntakeOutcome | Exception]]]
    publisher: Publisher
    ids: Ids
    telemetry: Telemetry

    async def work(self, queue: str, subscription: Subscription, messages: Sequence[Received]) -> Worked:
        """Commit and ack; what cannot be processed goes to `intake.dlq` with its reason.

        Raises:
            BrokerUnavailable: an ack was lost: these come again, and are found committed.
        """
        outcomes = await self.commit_intake([message.body for message in messages])
        counts: Counter[str] = Counter()

        async def ack(ended: Ended[Received]) -> None:
            await subscription.ack([message.tag for message, _ in ended])
            counts.update(each.label for _, each in ended)

        left = await finish(
            [(message, _judged(outcome)) for message, outcome in zip(messages, outcomes, strict=True)],
            publisher=self.publisher,
            ack=ack,
            park=lambda message, park: parked(message, queue, park.reason, to=DEAD, ids=self.ids),
            report=self._report,
        )
        traces = trace_ids(outcome.traceparent for outcome in outcomes if isinstance(outcome, IntakeOutcome))
        return Worked(left=left, counts=counts, traces=traces)

    def _report(self, _: Received, park: Park) -> None:
        self.telemetry.trouble(
            "intake.parked", reason=park.hint, alert=park.crash is not None, exc_info=park.crash
        )


def _judged(outcome: IntakeOutcome | Exception) -> Disposition:
    return Ack(outcome.became) if isinstance(outcome, IntakeOutcome) else disposition(outcome)
