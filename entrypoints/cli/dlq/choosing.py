"""Which dead letters: options that several commands share."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

import click

from application.dead_letter.ports import LetterStatus, Selection
from config.values import duration
from domain.kernel.channel import Mode
from domain.kernel.moments import before
from entrypoints.cli.shell import Uuid


class When(click.ParamType):
    """A time with its zone, or how long ago."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        """Read it; `timedelta` is how long ago."""
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


class Chosen:
    """What the options say."""

    def __init__(self, *, test: bool, since: Any, until: Any, **named: Any) -> None:
        self.mode = Mode.TEST if test else Mode.LIVE
        self._times = {"since": since, "until": until}
        self._named = named

    @property
    def is_nothing(self) -> bool:
        """Whether they leave open which."""
        return not any([*self._times.values(), *self._named.values()])

    def selection(
        self, now: datetime, deliveries: Sequence[UUID] = (), status: LetterStatus = LetterStatus.OPEN
    ) -> Selection:
        """As the house calls it; `now` is what durations are counted back from."""
        times = {
            name: before(now, when) if isinstance(when, timedelta) else when
            for name, when in self._times.items()
        }
        return Selection(mode=self.mode, deliveries=tuple(deliveries), status=status, **times, **self._named)


def choosing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--group` and the like; the command gets `chosen`."""

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
        *args: Any,
        fingerprint: str | None,
        channel: str | None,
        provider: str | None,
        type: str | None,  # noqa: A002  click names it after the option
        notification: UUID | None,
        since: Any,
        until: Any,
        test: bool,
        **kwargs: Any,
    ) -> Any:
        chosen = Chosen(
            fingerprint=fingerprint,
            channel=channel,
            provider=provider,
            type=type,
            notification=notification,
            since=since,
            until=until,
            test=test,
        )
        return command(*args, chosen=chosen, **kwargs)

    return with_chosen
