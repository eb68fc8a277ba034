"""What all lanes of a process share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from application.broker.ports import Consumer, Publisher
from application.dead_letter.bury import BuryDelivery
from application.delivery.begin import BeginDeliveries
from application.delivery.call import CallProvider
from application.delivery.probe import ProbeLane
from application.delivery.reissue import ReissuePointers
from application.kernel.ports import Ids
from entrypoints.engine.lane.capacity import Capacity
from entrypoints.engine.lane.fair_share import Slots
from entrypoints.engine.lane.settler import Settler
from entrypoints.engine.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The parts of the delivery engine."""

    consumer: Consumer
    publisher: Publisher
    begin: BeginDeliveries
    call: CallProvider
    probe: ProbeLane
    reissue: ReissuePointers
    bury: BuryDelivery
    settler: Settler
    slots: Slots
    ids: Ids
    telemetry: Telemetry
    prefetch: int = 256
    chunk_max: int = 250
    quarantine: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one message at a time that workers may have died of."""
    capacity: Mapping[str, Capacity] = field(default_factory=dict)
    """Of the providers that take but so many calls at a time."""
