"""What all lanes of a process share: its use cases, its connections and its permits."""

import asyncio
from dataclasses import dataclass, field

from application.broker.ports import Consumer, Publisher
from application.dead_letter.give_up import GiveUpDeliveries
from application.delivery.begin import BeginDeliveries
from application.delivery.call import CallProvider
from application.delivery.probe import ProbeLane
from application.delivery.reissue import ReissuePointers
from application.kernel.ports import Ids
from entrypoints.engine.lane.capacity import ProviderCapacity
from entrypoints.engine.lane.fair_share import FairSemaphore
from entrypoints.engine.lane.settler import Settler
from entrypoints.engine.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneServices:
    """Live lanes share one, lanes of test keys another.

    Args:
        in_work: held by each delivery from before its lease until it is settled.
        prefetch: messages that the broker hands out ahead, per lane.
        chunk_max: most pointers begun together.
    """

    consumer: Consumer
    publisher: Publisher
    begin: BeginDeliveries
    call: CallProvider
    probe: ProbeLane
    reissue: ReissuePointers
    give_up: GiveUpDeliveries
    settler: Settler
    in_work: FairSemaphore
    ids: Ids
    telemetry: Telemetry
    prefetch: int = 256
    chunk_max: int = 250
    quarantine: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while struck deliveries are worked on: in a process at most one lane does so at a time."""
    capacity: dict[str, ProviderCapacity] = field(default_factory=dict)
    """By name, of the providers that take only so many calls at a time."""
