"""The one place that asks the machine for time, chance and fresh ids."""

from adapters.system.clock import SystemClock
from adapters.system.dice import SystemDice
from adapters.system.ids import SystemIds
from adapters.system.store_clock import StoreClock

__all__ = ["StoreClock", "SystemClock", "SystemDice", "SystemIds"]
