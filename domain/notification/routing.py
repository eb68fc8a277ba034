"""The channels of a notification, in their order, and how they share its recipients."""

from collections.abc import Collection, Sequence
from enum import StrEnum

import msgspec

from domain.kernel.errors import Fault

CHANNELS_MAX = 5
"""Channels of one notification."""


class Routing(StrEnum):
    """What several channels mean."""

    ALL = "all"
    """Every recipient gets it on each channel."""
    FIRST = "first"
    """Every recipient gets it on the first channel that reaches them; the others stand by until then."""


class ChannelRoute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the channels of a notification, and the template that speaks there."""

    channel: str
    template: str | None = None
    """None: the notification's own words."""
    version: int | None = None


def channel_faults(channels: Sequence[str], known: Collection[str]) -> list[Fault]:
    """What is wrong with a list of channels."""
    faults = []
    if len(channels) > CHANNELS_MAX:
        faults.append(
            Fault("/channels", "too_many", f"name at most {CHANNELS_MAX} channels, not {len(channels)}")
        )
    for n, channel in enumerate(channels):
        if channel not in known:
            detail = f"'{channel}' is none of {', '.join(sorted(known))}"
            faults.append(Fault(f"/channels/{n}", "unknown_channel", detail))
        elif channel in channels[:n]:
            faults.append(Fault(f"/channels/{n}", "duplicate", f"'{channel}' is named twice"))
    return faults
