"""Register and remove devices: by the API and by events of the shop, set-wise.

Of several updates of one device the last one counts.  A user who is not known yet is made: an app may
register its device before the shop's event about the customer has come.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.device.identity import device_id
from application.device.ports import DeviceRemoval, DeviceRow, Devices, KnownUsers
from application.kernel.ports import Clock
from application.privacy.ports import Unreadable, Vault
from application.privacy.sealing import seal_device
from application.user.identity import customer
from application.user.ports import Addresses, User, Users
from domain.device.device import Device, faults_of, service_of, spelled
from domain.device.update import DeviceFacts, DeviceUpdate, seen_at
from domain.kernel.channel import Mode
from domain.kernel.errors import Fault, KeyUnavailable, StoreUnavailable
from domain.user.update import UpdateOutcome, UserUpdate

_TRIES = 5


class UpdatedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one update."""

    id: bytes
    outcome: UpdateOutcome
    faults: tuple[Fault, ...] = ()


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A device that is to be written, and the number of its update."""

    n: int
    user: UUID
    said: DeviceUpdate
    id: bytes
    device: Device | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDevices:
    """Used by device events (`from_event`) and by REST."""

    devices: Devices
    users: Users
    make_users: KnownUsers
    vault: Vault
    addresses: Addresses
    clock: Clock

    async def __call__(
        self, updates: Sequence[DeviceUpdate], *, mode: Mode = Mode.LIVE, from_event: bool = False
    ) -> list[UpdatedDevice]:
        """Apply updates; one answer each, in order: WRITTEN, DELETED, INVALID, GONE, LOCKED or UNREADABLE.

        Args:
            from_event: a locale that is none is left out, and who was erased is not brought back by an event
                of before.

        DELETED also stands for a device that was not there, or was seen later.

        Raises:
            StoreUnavailable: part of it may be written; applying it again is harmless.
        """
        answers: dict[int, UpdatedDevice] = {}
        wanted: dict[bytes, _Wanted] = {}
        for n, said in enumerate(updates):
            user = customer(self.vault, said.user_id, mode)
            device, faults = self._device(said, drop_invalid=from_event)
            token = said.token if device is None else device.token
            id_ = device_id(self.vault, token, mode)
            outcome = UpdateOutcome.INVALID if faults else UpdateOutcome.WRITTEN
            answers[n] = UpdatedDevice(id=id_, outcome=outcome, faults=tuple(faults))
            if not faults:
                wanted[id_] = _Wanted(n=n, user=user, said=said, id=id_, device=device)
        for n in await self._remove([each for each in wanted.values() if each.device is None], mode):
            answers[n] = msgspec.structs.replace(answers[n], outcome=UpdateOutcome.DELETED)
        waiting = [each for each in wanted.values() if each.device is not None]
        for _ in range(_TRIES):
            if not waiting:
                return [answers[n] for n in range(len(updates))]
            failed, waiting = await self._put(waiting, mode, from_event=from_event)
            for n, outcome in failed.items():
                answers[n] = msgspec.structs.replace(answers[n], outcome=outcome)
        if waiting:
            raise StoreUnavailable("the keys of these users keep changing")
        return [answers[n] for n in range(len(updates))]

    def _device(self, said: DeviceUpdate, *, drop_invalid: bool) -> tuple[Device | None, list[Fault]]:
        facts = said.facts
        if facts is None:
            return None, []
        locale, faults = None, list[Fault]()
        if facts.locale and facts.locale.strip():
            try:
                locale = self.addresses.locale(facts.locale)
            except ValueError as fault:
                faults += [] if drop_invalid else [Fault("/locale", "bad_locale", str(fault))]
        device = _made(said.token, facts, locale)
        return device, [*faults, *faults_of(device)]

    async def _remove(self, wanted: Sequence[_Wanted], mode: Mode) -> Iterable[int]:
        now = self.clock.now()
        gone = [
            DeviceRemoval(id=id_, user_id=each.user, seen=seen_at(each.said.at, now))
            for each in wanted
            for id_ in {each.id, device_id(self.vault, each.said.token.lower(), mode)}
        ]
        if gone:
            await self.devices.remove(gone)
        return [each.n for each in wanted]

    async def _put(
        self, wanted: Sequence[_Wanted], mode: Mode, *, from_event: bool
    ) -> tuple[dict[int, UpdateOutcome], list[_Wanted]]:
        """Write once: the updates that failed, and those to be tried again."""
        failed: dict[int, UpdateOutcome] = {}
        rows: list[DeviceRow] = []
        keys = await self._keys(wanted, mode, failed, from_event=from_event)
        now = self.clock.now()
        for each in wanted:
            wrapped = keys.get(each.user)
            if wrapped is None or each.device is None:
                continue
            try:
                sealed = seal_device(self.vault.unwrap(wrapped, each.user), each.id, each.device)
            except KeyUnavailable:
                failed[each.n] = UpdateOutcome.LOCKED
                continue
            except Unreadable:
                failed[each.n] = UpdateOutcome.UNREADABLE
                continue
            seen = seen_at(each.said.at, now)
            rows.append(
                DeviceRow(
                    id=each.id,
                    user_id=each.user,
                    service=each.device.service,
                    platform=each.device.platform,
                    sealed=sealed,
                    data_key=wrapped,
                    seen=seen,
                    registered=seen,
                )
            )
        missed = await self.devices.put(sorted(rows, key=lambda row: row.id)) if rows else frozenset()
        return failed, [each for each in wanted if each.user in missed and each.n not in failed]

    async def _keys(
        self, wanted: Sequence[_Wanted], mode: Mode, failed: dict[int, UpdateOutcome], *, from_event: bool
    ) -> dict[UUID, bytes]:
        """The wrapped keys of the users; who is not known, or erased, is made first."""
        users = {each.user: each for each in wanted}
        keys = _known(await self.users.get(list(users)))
        unknown = {user: each for user, each in users.items() if user not in keys}
        if not unknown:
            return keys
        made = await self.make_users(
            [UserUpdate(user_id=each.said.user_id, source_time=each.said.at) for each in unknown.values()],
            mode=mode,
            drop_invalid=from_event,
        )
        outcomes = dict(zip(unknown, (answer.outcome for answer in made), strict=True))
        keys |= _known(await self.users.get(list(unknown)))
        for each in wanted:
            if each.user not in keys:
                failed[each.n] = outcomes.get(each.user, UpdateOutcome.GONE)
        return keys


def _known(rows: dict[UUID, User]) -> dict[UUID, bytes]:
    return {user: row.data_key for user, row in rows.items() if row.data_key is not None}


def _made(token: str, facts: DeviceFacts, locale: str | None) -> Device:
    service = facts.service or service_of(facts.platform, token, has_keys=facts.keys is not None)
    return Device(
        token=spelled(token, service),
        platform=facts.platform,
        service=service,
        kind=facts.kind,
        p256dh=facts.keys.p256dh if facts.keys else None,
        auth=facts.keys.auth if facts.keys else None,
        locale=locale,
        app_version=facts.app_version,
    )
