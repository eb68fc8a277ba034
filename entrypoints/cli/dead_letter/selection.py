"""The options that select dead letters, which several commands share."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

import click
import msgspec
from msgspec import structs

from application.dead_letter.ports import DeadLetterStatus, Selection
from config.values import duration
from domain.kernel.channel import Mode
from domain.kernel.moments import before
from entrypoints.cli.shell import Uuid


class When(click.ParamType[datetime | timedelta]):
    """An option that takes a time with its zone, or how long ago."""

    name = "time"

    def convert(
        self,
        value: Any,  # as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime | timedelta:
        """Read the option; a `timedelta` is how long ago."""
        try:
            return duration(value)
        except (ValueError, TypeError):
            pass
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            read = None
        if read is None or read.tzinfo is None:
            self.fail(
                f"{value!r} is not a time such as 2026-01-31T12:00:00Z, or a duration such as 2h", param, ctx
            )
        return read


Time = datetime | timedelta
"""An instant, or how long ago."""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of one command select."""

    filters: Selection
    since: Time | None
    until: Time | None

    @property
    def is_nothing(self) -> bool:
        """Whether no filter was given."""
        by = self.filters
        return not any(
            [by.fingerprint, by.channel, by.provider, by.type, by.notification, self.since, self.until]
        )

    def selection(
        self, now: datetime, deliveries: Sequence[UUID] = (), status: DeadLetterStatus = DeadLetterStatus.OPEN
    ) -> Selection:
        """The selection that use cases take; durations such as `--since 2h` count back from `now`."""
        return structs.replace(
            self.filters,
            deliveries=tuple(deliveries),
            status=status,
            since=_instant(now, self.since),
            until=_instant(now, self.until),
        )


def _instant(now: datetime, when: Time | None) -> datetime | None:
    return before(now, when) if isinstance(when, timedelta) else when


def selection_options(command: Callable[..., object]) -> Callable[..., Any]:  # a command of click
    """Add `--group`, `--since` and the other filters; the command gets them as `chosen`."""

    @click.option("--group", "fingerprint", help="Those of one cause, as `ls` names it.")
    @click.option("--channel", help="Those of one channel.")
    @click.option("--provider", help="Those that one provider did not take.")
    @click.option("--type", help="Those of one notification type.")
    @click.option("--notification", type=Uuid(), help="Those of one notification.")
    @click.option("--since", type=When(), help="Died then or later: a time, or how long ago, such as 2h.")
    @click.option("--until", type=When(), help="Died before that.")
    @click.option("--test", is_flag=True, help="Those of test notifications, instead of live ones.")
    @wraps(command)
    def with_chosen(
        *args: object,
        fingerprint: str | None,
        channel: str | None,
        provider: str | None,
        type: str | None,  # noqa: A002  click names it after the option
        notification: UUID | None,
        since: Time | None,
        until: Time | None,
        test: bool,
        **kwargs: object,
    ) -> Any:  # as the command
        filters = Selection(
            mode=Mode.TEST if test else Mode.LIVE,
            fingerprint=fingerprint,
            channel=channel,
            provider=provider,
            type=type,
            notification=notification,
        )
        return command(*args, chosen=Chosen(filters=filters, since=since, until=until), **kwargs)

    return with_chosen
