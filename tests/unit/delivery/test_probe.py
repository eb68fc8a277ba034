"""What a lane may do: its channel's providers say so; test traffic has its own."""

import pytest

from adapters.breaker.rolling import RollingBreaker
from application.channel.ports import Channel
from application.delivery.probe import LanePermission, ProbeLane
from application.kernel.versioned import Versioned
from application.privacy.ports import KeyState
from application.provider.ports import Route
from application.provider.states import ProviderStates
from domain.kernel.channel import Lane, Mode, Priority
from domain.provider.outcome import AccountFault
from tests.support.memory.catalog import MemoryChannels
from tests.support.memory.rows import MemoryRows
from tests.support.telemetry import RecordedTelemetry
from tests.support.virtual_time import VirtualClock

LIVE, TEST = Lane("email", Priority.LOW), Lane("email", Priority.LOW, Mode.TEST)


@pytest.mark.parametrize(
    ("paused", "live", "tested"),
    [
        ("smtp", LanePermission.PAUSE, LanePermission.RUN),
        ("sandbox", LanePermission.RUN, LanePermission.PAUSE),
        (None, LanePermission.RUN, LanePermission.RUN),
    ],
)
async def test_a_provider_that_rests_stops_the_lanes_that_use_it(paused, live, tested):
    clock = VirtualClock()
    rows = MemoryRows(clock)
    rows.channels["email"] = Versioned(Channel(channel="email", providers=("smtp",)), 1, clock.now())
    states = ProviderStates(clock=clock, watch=RecordedTelemetry(), breaker=lambda: RollingBreaker(clock))
    if paused is not None:
        states.record(Route(paused), AccountFault("535 who are you"))
    probe = ProbeLane(channels=MemoryChannels(rows=rows), providers=states, keys=KeyState(wrong=None))
    assert [await probe(LIVE), await probe(TEST)] == [live, tested]

    paused = Channel(channel="email", providers=("smtp",), paused=True)
    rows.channels["email"] = Versioned(paused, 2, clock.now())
    assert [await probe(LIVE), await probe(TEST)] == [LanePermission.PAUSE] * 2
