"""Handle shop events: customers and their devices into rows, triggers into notifications; batch by batch.

Users come first and in order, so that an order finds the customer whose event came right before it.
Then every notification of the batch is submitted at once: they share their commit.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from application.event.result import Done, RejectedEvent, Result, TryAgainLater
from application.event.trigger_index import TriggerIndex, fold
from domain.device import update as device_event
from domain.device.update import DeviceUpdate
from domain.kernel.errors import Fault, InFlight, Invalid, KeyReused, Overloaded, PosthornError, Unavailable
from domain.notification.request import Request
from domain.trigger.trigger import ShopEvent, request
from domain.user import event as user_event
from domain.user.update import UpdatedUser, UpdateOutcome, UserUpdate


class AcceptedRequest(Protocol):
    """The outcome of a request that was accepted."""

    @property
    def replayed(self) -> bool:
        """Whether an earlier command had made the notification."""
        ...

    @property
    def kept_out(self) -> Sequence[Fault]:
        """Invalid values of its recipients, left out."""
        ...


class Submit(Protocol):
    """`SubmitNotification.many`."""

    async def __call__(self, requests: Sequence[Request], /) -> Sequence[AcceptedRequest | PosthornError]:
        """One answer each, in order."""
        ...


class UserUpdates(Protocol):
    """`UpdateUsers`."""

    async def __call__(
        self, updates: Sequence[UserUpdate], /, *, drop_invalid: bool
    ) -> Sequence[UpdatedUser]:
        """One answer each, in order."""
        ...


class DeviceOutcome(Protocol):
    """The answer to one update of a device."""

    @property
    def outcome(self) -> UpdateOutcome:
        """What became of it."""
        ...

    @property
    def faults(self) -> Sequence[Fault]:
        """Why it is invalid."""
        ...


class DeviceUpdates(Protocol):
    """`UpdateDevices`."""

    async def __call__(
        self, updates: Sequence[DeviceUpdate], /, *, from_event: bool
    ) -> Sequence[DeviceOutcome]:
        """One answer each, in order."""
        ...


@dataclass(slots=True)
class _Tally:
    """The results of one event so far."""

    accepted: int = 0
    absorbed: int = 0
    reused: int = 0
    updated: UpdateOutcome | None = None
    later: str | None = None
    kept_out: list[Fault] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    def refuse(self, what: str, fault: PosthornError) -> None:
        faults = fault.faults if isinstance(fault, Invalid) else (Fault("", type(fault).__name__, ""),)
        self.reasons.append(f"{what}: {fault}")
        self.codes += [f"{what} {f.pointer} {f.code}" for f in faults]

    def note(self, what: str, answer: AcceptedRequest | PosthornError) -> None:
        match answer:
            case KeyReused():
                self.reused += 1
            case Unavailable() | Overloaded() | InFlight():
                self.later = str(answer)
            case PosthornError():
                self.refuse(what, answer)
            case _:
                self.kept_out += answer.kept_out
                self.absorbed += answer.replayed
                self.accepted += not answer.replayed

    def update(self, what: str, outcome: UpdateOutcome) -> None:
        """Note what became of a user or a device."""
        self.updated = outcome
        if outcome is UpdateOutcome.LOCKED:
            self.later = "the profile on file is sealed under a key that this process does not have"
        if outcome is UpdateOutcome.UNREADABLE:
            sealed = Fault("/data/userId", "unreadable", "the profile on file cannot be opened")
            self.refuse(what, Invalid(sealed))

    def result(self) -> Result:
        if self.later is not None:
            return TryAgainLater(reason=self.later)
        if self.reasons:
            return RejectedEvent(reason="; ".join(self.reasons), codes=tuple(self.codes))
        return Done(
            accepted=self.accepted,
            absorbed=self.absorbed,
            reused=self.reused,
            update_users=self.updated.value if self.updated else None,
            kept_out=tuple(self.kept_out),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleEvents:
    """Shared by all consumers of a process."""

    triggers: TriggerIndex
    update_users: UserUpdates
    update_devices: DeviceUpdates
    submit: Submit
    _in_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Batches overlap, but customers are written in the order in which the batches came."""

    async def __call__(self, events: Sequence[ShopEvent]) -> list[Result]:
        """One result each, in order; a bad event does not affect the others."""
        tallies = [_Tally() for _ in events]
        try:
            await self._update_users(events, tallies)
            await self._update_devices(events, tallies)
            rules = await self.triggers.rules()
        except Unavailable as away:
            return [TryAgainLater(reason=str(away)) for _ in events]
        asked: list[tuple[_Tally, str, Request]] = []
        for event, tally in zip(events, tallies, strict=True):
            for trigger in rules.get(fold(event.type), ()):
                what = f"trigger {trigger.id}"
                try:
                    asked.append((tally, what, request(trigger, event)))
                except Invalid as fault:
                    tally.refuse(what, fault)
        if asked:
            answers = await self.submit([asking for _, _, asking in asked])
            for (tally, what, _), answer in zip(asked, answers, strict=True):
                tally.note(what, answer)
        return [tally.result() for tally in tallies]

    async def _update_users(self, events: Sequence[ShopEvent], tallies: Sequence[_Tally]) -> None:
        """Write the users that these events update.

        Raises:
            StoreUnavailable: some may be written.
        """
        updates: list[tuple[_Tally, UserUpdate]] = []
        for event, tally in zip(events, tallies, strict=True):
            if event.type in user_event.UPDATING:
                try:
                    updates.append((tally, user_event.read(event, tally.kept_out)))
                except Invalid as fault:
                    tally.refuse("user", fault)
        if not updates:
            return
        async with self._in_turn:
            answers = await self.update_users([update for _, update in updates], drop_invalid=True)
        for (tally, _), answer in zip(updates, answers, strict=True):
            tally.update("user", answer.outcome)
            tally.kept_out += answer.faults

    async def _update_devices(self, events: Sequence[ShopEvent], tallies: Sequence[_Tally]) -> None:
        """Write the devices that these events update, after the users.

        Raises:
            StoreUnavailable: some may be written.
        """
        updates: list[tuple[_Tally, DeviceUpdate]] = []
        for event, tally in zip(events, tallies, strict=True):
            if event.type in device_event.UPDATING:
                try:
                    updates.append((tally, device_event.read(event)))
                except Invalid as fault:
                    tally.refuse("device", fault)
        if not updates:
            return
        async with self._in_turn:
            answers = await self.update_devices([update for _, update in updates], from_event=True)
        for (tally, _), answer in zip(updates, answers, strict=True):
            if answer.outcome is UpdateOutcome.INVALID:
                faults = [Fault(f"/data{each.pointer}", each.code, each.detail) for each in answer.faults]
                tally.refuse("device", Invalid(*faults))
            tally.update("device", answer.outcome)
