"""Channels, priorities, classes and modes; a lane is one channel at one priority."""

from enum import IntEnum, StrEnum

import msgspec

CHANNELS = ("email", "sms", "push", "in_app", "webhook")
"""The built-in channels; configuration and plugins may add names, so a channel is a plain string."""


class Priority(IntEnum):
    """How urgent; smaller goes first."""

    CRITICAL = 0
    HIGH = 1
    MEDIUM = 2
    LOW = 3

    @property
    def label(self) -> str:
        """The name used in JSON, queue names and metrics."""
        return _LABELS[self]

    @classmethod
    def of(cls, label: str) -> "Priority":
        """Read a label back.

        Raises:
            KeyError: no such priority.
        """
        return _BY_LABEL[label]


_LABELS = {p: p.name.lower() for p in Priority}
_BY_LABEL = {label: p for p, label in _LABELS.items()}


class NotificationClass(StrEnum):
    """What a notification is for; policies hang on it."""

    OTP = "otp"
    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


class Mode(StrEnum):
    """`test`: everything happens, but the provider is always the sandbox."""

    LIVE = "live"
    TEST = "test"


class Lane(msgspec.Struct, frozen=True, order=True):
    """The queue of one channel and one priority."""

    channel: str
    priority: Priority

    @property
    def queue(self) -> str:
        """Name of the lane's queue on the broker."""
        return f"deliver.{self.channel}.{self.priority.label}"

    @property
    def dead(self) -> str:
        """Name of the queue of its dead letters."""
        return f"{self.queue}.dlq"

    @classmethod
    def parse(cls, queue: str) -> "Lane":
        """Read a lane back from its queue's name.

        Raises:
            ValueError: not the name of a lane.
        """
        head, _, rest = queue.partition(".")
        channel, _, label = rest.rpartition(".")
        if head != "deliver" or not channel or label not in _BY_LABEL:
            raise ValueError(f"not a lane: {queue}")
        return cls(channel, _BY_LABEL[label])
