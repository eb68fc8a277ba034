"""What a process does now and then, each thing by itself: one that fails stops no other."""

from config.container import Container
from config.lifecycle import Parts
from entrypoints.actors.actor import Actor
from entrypoints.actors.keys import KeyWatch
from entrypoints.processes.skew import SkewWatch
from entrypoints.processes.upkeep import Recurring, Work, of_lanes, of_operators

PULSE_EVERY = 1.0
CLOCK_EVERY = 2.0
KEYS_EVERY = 5.0
FIGURES_EVERY = 10.0
HOUSEKEEPING_EVERY = 3600.0


def chores(container: Container, parts: Parts, skew: SkewWatch, *, alerts: bool, lanes: bool) -> list[Actor]:
    """Those of one process.

    Args:
        alerts: it tells operators of dead letters.
        lanes: it works lanes.
    """
    telemetry = container.telemetry()
    works: list[Work] = [
        ("pulse", parts.database.pulse.feel, PULSE_EVERY),
        ("clock", skew, CLOCK_EVERY),
        ("figures", parts.figures, FIGURES_EVERY),
        ("reach", parts.partitions.look, FIGURES_EVERY),
        ("partitions", parts.partitions.make, HOUSEKEEPING_EVERY),
        ("vault", KeyWatch(check=container.keys.check(), telemetry=telemetry), KEYS_EVERY),
        ("keys", parts.prune, HOUSEKEEPING_EVERY),
        ("processes", parts.forget_dead, HOUSEKEEPING_EVERY),
    ]
    if alerts:
        works += of_operators(container, telemetry)
    if lanes:
        works += of_lanes(container, telemetry)
    return [Recurring(name=name, work=work, every=every, telemetry=telemetry) for name, work, every in works]
