"""What is counted of what passes through."""

from collections.abc import Sequence

from adapters.system import SystemClock, SystemIds
from adapters.telemetry.metered import MeteredPublisher
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.telemetry import PrometheusTelemetry
from application.broker.ports import Outgoing, Published
from application.intake.command import INTAKE

IDS = SystemIds()


class Halfway:
    """Implements `Publisher`; confirms every second message."""

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        return Published([message.id for message in messages[::2]], [])


async def test_promises_and_the_way_to_the_lanes_are_counted_when_they_are_confirmed() -> None:
    telemetry = PrometheusTelemetry(Metrics("1"))
    publisher = MeteredPublisher(publisher=Halfway(), telemetry=telemetry, clock=SystemClock())
    for queue in (INTAKE, "deliver.email.high", "deliver.email.high.dlq"):
        await publisher.publish([Outgoing(id=IDS.next(), queue=queue, body=b"") for _ in range(4)])
    value = telemetry.metrics.registry.get_sample_value
    assert value("posthorn_notifications_promised_total") == 2
    assert value("posthorn_event_to_queue_seconds_count", {"priority": "high"}) == 2
