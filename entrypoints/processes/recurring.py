"""What a process does now and then, each thing by itself: one that fails stops no other."""

from collections.abc import Awaitable, Callable

from config.container import Container
from config.parts import Parts
from entrypoints.engine.actor import Actor
from entrypoints.engine.alerts import DeadLetterAlerts, ProviderAlerts
from entrypoints.engine.clock_skew import ClockSkewWatch
from entrypoints.engine.key_watch import KeyWatch
from entrypoints.engine.lane_alerts import LaneAlerts, LaneFigures
from entrypoints.engine.overdue import OverdueWatch
from entrypoints.engine.recurring import Recurring
from entrypoints.engine.telemetry import Telemetry

Work = tuple[str, Callable[[], Awaitable[None]], float]

LEASES_EVERY, PROVIDERS_EVERY = 1.0, 2.0
ALERTS_EVERY, OVERDUE_EVERY, LANES_EVERY = 2.0, 5.0, 10.0

CHANNELS_EVERY = 2.0
PULSE_EVERY = 1.0
CLOCK_EVERY = 2.0
KEYS_EVERY = 5.0
FIGURES_EVERY = 10.0
HOUSEKEEPING_EVERY = 3600.0


def recurring_work(
    container: Container, parts: Parts, skew: ClockSkewWatch, *, alerts: bool, lanes: bool
) -> list[Actor]:
    """Those of one process.

    Args:
        alerts: it tells operators of dead letters.
        lanes: it works lanes.
    """
    telemetry = container.kernel.telemetry()
    works: list[Work] = [
        ("pulse", parts.database.liveness.check, PULSE_EVERY),
        ("clock", skew, CLOCK_EVERY),
        ("figures", parts.figures, FIGURES_EVERY),
        ("reach", parts.partitions.look, FIGURES_EVERY),
        ("partitions", parts.partitions.make, HOUSEKEEPING_EVERY),
        ("vault", KeyWatch(check=container.privacy.check(), telemetry=telemetry), KEYS_EVERY),
        ("channels", container.channel.open_channels().look, CHANNELS_EVERY),
        ("described providers", container.provider.follow(), CHANNELS_EVERY),
        ("forced providers", container.provider.follow_forced(), PROVIDERS_EVERY),
        ("keys", parts.prune, HOUSEKEEPING_EVERY),
        ("processes", parts.forget_dead, HOUSEKEEPING_EVERY),
    ]
    if alerts:
        works += alert_work(container, telemetry)
    if lanes:
        works += lane_work(container, telemetry)
    return [Recurring(name=name, work=work, every=every, telemetry=telemetry) for name, work, every in works]


def lane_work(container: Container, telemetry: Telemetry) -> list[Work]:
    """What a process does now and then because it delivers."""
    alarm = ProviderAlerts(send=container.alert.paused_providers(), telemetry=telemetry)
    return [
        ("leases", container.delivery.keep_leases(), LEASES_EVERY),
        ("provider alerts", alarm, PROVIDERS_EVERY),
    ]


def alert_work(container: Container, telemetry: LaneFigures) -> list[Work]:
    """What is late, and what has died: see to it, and say so."""
    alert, outbox = container.alert, container.outbox
    return [
        ("alerts", DeadLetterAlerts(send=alert.dead_letters(), telemetry=telemetry), ALERTS_EVERY),
        ("overdue", OverdueWatch(reissue=outbox.reissue_overdue(), telemetry=telemetry), OVERDUE_EVERY),
        ("lanes", LaneAlerts(send=alert.lanes(), telemetry=telemetry), LANES_EVERY),
    ]
