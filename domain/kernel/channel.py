"""Channels, priorities, classes and modes; a lane is one channel at one priority."""

import re
from collections.abc import Iterable
from enum import IntEnum, StrEnum

import msgspec

CHANNELS = ("email", "sms", "push", "in_app", "webhook")
"""The built-in channels; configuration, plugins and the API may add names, so a channel is a plain string."""

RUN_TIME_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
"""Of a channel that is made by the API; the word stands in queue names and metrics."""
RUN_TIME_MAX = 32
"""Channels that the API makes at most, beside those of the configuration."""


class AddressedBy(StrEnum):
    """What of a recipient addresses them on a channel that is not built in."""

    EMAIL = "email"
    PHONE = "phone"
    USER_ID = "user_id"
    """The shop's own id; also where the provider alone decides where a message goes."""
    ADDRESSES = "addresses"
    """What their `addresses` say under the channel's name: an id of the provider's, or a URL."""


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


TEST_LANE = "test"
"""In place of a priority: what test keys send has one lane a channel, apart from everything that is live."""


class Lane(msgspec.Struct, frozen=True, order=True):
    """The queue of one channel and one priority; what test keys send has one for all priorities."""

    channel: str
    priority: Priority
    mode: Mode = Mode.LIVE

    @property
    def urgency(self) -> Priority:
        """How soon its messages leave the outbox: test traffic goes last, whatever it asks for."""
        return Priority.LOW if self.mode is Mode.TEST else self.priority

    @property
    def word(self) -> str:
        """The part of queue names and routing keys that differs between the lanes of a channel."""
        return TEST_LANE if self.mode is Mode.TEST else self.priority.label

    @property
    def queue(self) -> str:
        """Name of the lane's queue on the broker."""
        return f"deliver.{self.channel}.{self.word}"

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
        channel, _, word = rest.rpartition(".")
        if head != "deliver" or not channel or word not in _MODES:
            raise ValueError(f"not a lane: {queue}")
        return cls(channel, _BY_LABEL.get(word, Priority.LOW), _MODES[word])


_MODES = {TEST_LANE: Mode.TEST} | dict.fromkeys(_BY_LABEL, Mode.LIVE)


def lanes(channels: Iterable[str]) -> list[Lane]:
    """Every lane of these channels."""
    return [
        lane
        for channel in channels
        for lane in (*(Lane(channel, p) for p in Priority), Lane(channel, Priority.LOW, Mode.TEST))
    ]
