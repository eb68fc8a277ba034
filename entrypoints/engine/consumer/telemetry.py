"""Figures and log events of the consumers of shop events; never addresses, never content."""

import re
from dataclasses import dataclass, field
from typing import Protocol

from entrypoints.engine.telemetry import Telemetry

_TYPES_MAX = 100
_LABEL = re.compile(r"(?=.{1,64}$)[a-z][a-z0-9]*([._-][a-z0-9]+)*")

OTHER = "other"


class EventTelemetry(Telemetry, Protocol):
    """Figures of the events entrance beside the common ones."""

    def event(self, type_: str, outcome: str, count: int = 1) -> None:
        """Events that are done with, by type and what became of them."""
        ...

    def kept_out(self, code: str, count: int = 1) -> None:
        """Values of customers that were no addresses, such as `bad_phone`."""
        ...


@dataclass(slots=True)
class TypeLabels:
    """Event types as metric labels: a publisher's invention must not become a time series each."""

    most: int = _TYPES_MAX
    _known: set[str] = field(default_factory=set)

    def __call__(self, event_type: str) -> str:
        """The type itself if it looks like one and there is room, else `other`."""
        if event_type in self._known:
            return event_type
        if len(self._known) >= self.most or not _LABEL.fullmatch(event_type):
            return OTHER
        self._known.add(event_type)
        return event_type
