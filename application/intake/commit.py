"""Commits the requests of the intake: each is checked again, as things are now.

An id that was answered while the database was away is found afterwards in any case: as a notification, as an
alias of the one that has its idempotency key, or as one that failed and says why.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import msgspec

from application.intake.command import Command, unseal
from application.intake.ports import FailedNotification, IntakeIds
from application.notification.group_commit import GroupCommit
from application.notification.ports import CommitResult, Created
from application.notification.prepare import Prepare, Prepared
from application.privacy.ports import ServiceKey
from domain.kernel.channel import Lane
from domain.kernel.errors import Fault, Invalid, Misplaced, StoreUnavailable

_encode = msgspec.json.Encoder(decimal_format="number").encode


class IntakeOutcome(msgspec.Struct, frozen=True):
    """What became of one request of the intake; it is committed."""

    notification: UUID
    """The id that the caller was given."""
    became: Literal["committed", "absorbed", "failed"]
    traceparent: str | None = None


class _Duplicate(msgspec.Struct, frozen=True):
    winner: UUID


class _Failed(msgspec.Struct, frozen=True):
    reason: str


_End = IntakeOutcome | _Duplicate | _Failed | Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitIntake:
    """Works on the messages of the queue `intake`."""

    key: ServiceKey
    prepare: Prepare
    commit: GroupCommit
    intake_ids: IntakeIds

    async def __call__(self, bodies: Sequence[bytes]) -> list[IntakeOutcome | Exception]:
        """One outcome each, in order; `Undecodable` is for an operator, `Unavailable` for later."""
        commands: dict[int, Command] = {}
        ends: dict[int, _End] = {}
        for n, body in enumerate(bodies):
            try:
                commands[n] = unseal(body, self.key)
            except Exception as fault:  # noqa: BLE001  each is judged on its own
                ends[n] = fault
        distinct = {command.id: command for command in commands.values()}
        results = await asyncio.gather(*(self._committed(command) for command in distinct.values()))
        by_id = dict(zip(distinct, results, strict=True))
        ends |= {n: by_id[command.id] for n, command in commands.items()}
        absorbed = {n: end.winner for n, end in ends.items() if isinstance(end, _Duplicate)}
        failed = {n: end.reason for n, end in ends.items() if isinstance(end, _Failed)}
        outcomes = {n: end for n, end in ends.items() if isinstance(end, IntakeOutcome | Exception)}
        outcomes |= await self._aliased(commands, absorbed)
        outcomes |= await self._failed(commands, failed)
        return [outcomes[n] for n in range(len(bodies))]

    async def _committed(self, command: Command) -> _End:
        try:
            prepared = await self.prepare(command.request, intake_id=command.id)
            kept = (command.fingerprint, *prepared.fingerprints)  # another release may have made it
            prepared = msgspec.structs.replace(prepared, key=command.key, fingerprints=kept)
            return _end(command, prepared, await self.commit.put(prepared))
        except Misplaced as refused:
            return refused  # nor would there be a place for its failure
        except Invalid as refused:
            return _Failed(_words(refused.faults))
        except Exception as fault:  # noqa: BLE001  each is judged on its own
            return fault

    async def _aliased(
        self, commands: Mapping[int, Command], absorbed: Mapping[int, UUID]
    ) -> dict[int, IntakeOutcome | Exception]:
        if not absorbed:
            return {}
        try:
            await self.intake_ids.alias({commands[n].id: winner for n, winner in absorbed.items()})
        except StoreUnavailable as away:
            return dict.fromkeys(absorbed, away)
        return {n: _outcome(commands[n], "absorbed") for n in absorbed}

    async def _failed(
        self, commands: Mapping[int, Command], failed: Mapping[int, str]
    ) -> dict[int, IntakeOutcome | Exception]:
        if not failed:
            return {}
        try:
            await self.intake_ids.fail([_failure(commands[n], reason) for n, reason in failed.items()])
        except StoreUnavailable as away:
            return dict.fromkeys(failed, away)
        except Invalid as refused:
            if len(failed) == 1:
                return dict.fromkeys(failed, refused)
            alone = [await self._failed(commands, {n: reason}) for n, reason in failed.items()]
            return {n: end for each in alone for n, end in each.items()}
        return {n: _outcome(commands[n], "failed") for n in failed}


def _end(command: Command, prepared: Prepared, result: CommitResult) -> _End:
    if isinstance(result, Created) or result.notification == command.id:
        return _outcome(command, "committed")
    if result.fingerprint in prepared.fingerprints:
        return _Duplicate(result.notification)
    return _Failed(f"the idempotency key belongs to notification {result.notification}")


def _outcome(command: Command, became: Literal["committed", "absorbed", "failed"]) -> IntakeOutcome:
    return IntakeOutcome(command.id, became, command.request.traceparent)


def _failure(command: Command, reason: str) -> FailedNotification:
    request = command.request
    return FailedNotification(
        id=command.id,
        mode=request.mode,
        type=request.type,
        klass=request.policy_class,
        lane=Lane(command.channel, request.urgency, request.mode),
        template_id=request.template,
        template_version=command.template_version,
        metadata=_encode(request.metadata) if request.metadata else None,
        created_by=request.created_by,
        traceparent=request.traceparent,
        reason=reason,
    )


def _words(faults: Sequence[Fault]) -> str:
    """What is wrong, without what may quote a recipient: it is stored in the clear."""
    return "; ".join(
        f"{fault.pointer}: {fault.code if fault.pointer.startswith('/recipients') else fault.detail}"
        for fault in faults
    )
