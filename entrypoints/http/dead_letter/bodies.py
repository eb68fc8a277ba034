"""Bodies of requests about dead letters: which ones, and why."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, field

from application.dead_letter.ports import Selection
from domain.kernel.channel import Mode
from domain.kernel.errors import Fault, Invalid
from entrypoints.http.kit.fields import Channel, Name, Time, Uuid

_GROUP = "b1946ac92492d234"
REPLAY = {
    "a group": {"group": _GROUP},
    "some": {"deliveryIds": ["0198f7a0-0000-7000-8000-000000000000"]},
    "of one channel, since a time": {"channelType": "email", "since": "2026-01-31T12:00:00Z"},
    "all": {"all": True},
}
DISCARD = {"a group": {"group": _GROUP, "reason": "the campaign is over"}}
IDS_MAX = 1_000
Group = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z", description="as `group` of a dead letter names it")]


class DeadLettersIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """Which open dead letters; all that is given must hold, and something must be given."""

    delivery_ids: Annotated[list[Uuid], Meta(min_length=1, max_length=IDS_MAX)] | None = None
    group: Group | None = None
    channel_type: Channel | None = None
    provider: Name | None = None
    notification_type: Name | None = None
    notification_id: Uuid | None = None
    since: Annotated[Time, Meta(description="died then or later")] | None = None
    until: Annotated[Time, Meta(description="died before")] | None = None
    everything: Annotated[bool, Meta(description="instead of all others: every open one")] = field(
        default=False, name="all"
    )

    def selection(self, mode: Mode) -> Selection:
        """The same in the application's terms.

        Raises:
            Invalid: it names nothing, or everything and something.
        """
        selection = Selection(
            mode=mode,
            deliveries=tuple(map(UUID, self.delivery_ids or ())),
            fingerprint=self.group,
            channel=self.channel_type,
            provider=self.provider,
            type=self.notification_type,
            notification=UUID(self.notification_id) if self.notification_id else None,
            since=self.since,
            until=self.until,
        )
        given = selection != Selection(mode=mode)
        if self.everything and given:
            raise Invalid(Fault("/all", "ambiguous", "all of them, or those that the others name: not both"))
        if not self.everything and not given:
            detail = 'nothing says which: give deliveryIds, group, since or another, or "all": true'
            raise Invalid(Fault("", "missing", detail))
        return selection


class DiscardIn(DeadLettersIn, frozen=True, kw_only=True):
    """Which open dead letters are put aside, and why."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=500, description="for who looks at them later; no personal data")
    ]
