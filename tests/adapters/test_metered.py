"""What is counted of what passes through."""

from collections.abc import Sequence
from typing import cast

from adapters.system import SystemClock, SystemIds
from adapters.telemetry.metered import MeteredGateway, MeteredGateways, MeteredPublisher
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.telemetry import PrometheusTelemetry
from application.broker.ports import Outgoing, Published
from application.intake.command import INTAKE
from application.provider.ports import Gateway

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


class _Named:
    """`Gateways` whose only provider is described anew."""

    def __init__(self) -> None:
        self.gateway: object | None = object()

    def named(self, _: str) -> Gateway | None:
        return cast("Gateway | None", self.gateway)


def test_a_provider_that_is_described_anew_is_called_so() -> None:
    inner = _Named()
    telemetry = PrometheusTelemetry(Metrics("0"))
    metered = MeteredGateways(inner, telemetry, SystemClock())
    first = metered.named("pigeon")
    assert metered.named("pigeon") is first
    inner.gateway = object()
    assert cast("MeteredGateway", metered.named("pigeon")).gateway is inner.gateway
    inner.gateway = None
    assert metered.named("pigeon") is None
