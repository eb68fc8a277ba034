"""Group commit: requests that arrive while a commit is in flight share the next one; no timer.

Critical requests go first and have a reserve of their own.  Batches and the queue in front of them are
bounded by rows and by memory.  A second request with the same idempotency key waits for the first one in
this process.  A batch that the database refuses is bisected until the bad request is alone; when the
database is away, it is not bisected.
"""

import asyncio
from collections import deque
from contextvars import Context
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from uuid import UUID

import msgspec

from application.kernel.supervision import start
from application.notification.packing import Pack
from application.notification.ports import Acceptance, CommitResult, Created, Duplicate, KeysChanged
from application.notification.prepare import Prepared
from application.notification.seal import Seal
from application.outbox.ports import Handoff
from domain.kernel.channel import Priority
from domain.kernel.errors import InFlight, Overloaded, StoreUnavailable
from domain.kernel.weight import weight

_SEAL_TRIES = 10
ROW = 1_000
"""Bytes that a notification or a delivery takes beside its content, about."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Waiting:
    """One request, and the future of its caller."""

    __slots__ = ("answer", "prepared", "rows", "weight")

    def __init__(self, prepared: Prepared, answer: "asyncio.Future[CommitResult]") -> None:
        self.prepared = prepared
        self.answer = answer
        self.rows = 1 + len(prepared.resolved_recipients) * (len(prepared.routes) or 1)
        said = _encode([prepared.request.content, prepared.request.metadata])
        self.weight = weight(said) + ROW * self.rows


@dataclass(slots=True, kw_only=True)
class GroupCommit:
    """Owns the queue in front of the database.

    Args:
        rows_max: most rows (notifications and deliveries) of one commit; one larger request goes alone.
        queue_max: most rows waiting; the critical reserve of a quarter comes on top.
        weight_max: the same in bytes of one commit: see `domain.kernel.weight`.
        queue_weight_max: the same in bytes of what waits.
        committers: commits in flight at once; with more of them each is smaller, and the sum costs more.
        patience: bound of one commit, with all its waits and tries.
    """

    acceptance: Acceptance
    seal: Seal
    pack: Pack
    handoff: Handoff
    rows_max: int = 1_000
    queue_max: int = 20_000
    weight_max: int = 8 * 1024 * 1024
    queue_weight_max: int = 64 * 1024 * 1024
    committers: int = 1
    patience: timedelta = timedelta(seconds=10)
    _queues: tuple[deque[_Waiting], ...] = field(default_factory=lambda: tuple(deque() for _ in Priority))
    _waiting_rows: int = 0
    _waiting_weight: int = 0
    _by_key: dict[UUID, _Waiting] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _committing: int = 0
    """Not `len(_tasks)`: a task leaves that set a little after it has seen the queue empty."""

    async def put(self, prepared: Prepared) -> CommitResult:
        """Commit with others; returns after the commit.

        Raises:
            Overloaded: the queue is full.
            Invalid, InFlight, StoreUnavailable: see `Acceptance.accept`.
        """
        return await asyncio.shield(self.enqueue(prepared))

    def enqueue(self, prepared: Prepared) -> "asyncio.Future[CommitResult]":
        """As `put`, without waiting: the future holds the result or the error.

        Raises:
            Overloaded: the queue is full.
        """
        if prepared.key is not None and (first := self._by_key.get(prepared.key)):
            return _follow(first)
        waiting = self._admit(prepared)
        if self._committing < self.committers:
            self._committing += 1
            # A context of its own: the commit must not use up the time budget of the first request.
            start("commit", self._run(), among=self._tasks, context=Context())
        return waiting.answer

    async def drain(self) -> None:
        """Wait until everything that was put is answered."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _admit(self, prepared: Prepared) -> _Waiting:
        waiting = _Waiting(prepared, asyncio.get_running_loop().create_future())
        reserve = 1.25 if prepared.request.urgency is Priority.CRITICAL else 1
        rows, heavy = self._waiting_rows + waiting.rows, self._waiting_weight + waiting.weight
        full = rows > self.queue_max * reserve or heavy > self.queue_weight_max * reserve
        if full and self._waiting_rows:
            raise Overloaded("too many requests wait for the database")
        self._waiting_rows, self._waiting_weight = rows, heavy
        self._queues[prepared.request.urgency].append(waiting)
        if prepared.key is not None:
            self._by_key[prepared.key] = waiting
        return waiting

    async def _run(self) -> None:
        try:
            while batch := self._next():
                await self._commit(batch)
        finally:
            self._committing -= 1

    def _next(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        rows, heavy = self.rows_max, self.weight_max
        for queue in self._queues:
            while queue and (not batch or (queue[0].rows <= rows and queue[0].weight <= heavy)):
                waiting = queue.popleft()
                rows -= waiting.rows
                heavy -= waiting.weight
                batch.append(waiting)
        self._waiting_rows -= self.rows_max - rows
        self._waiting_weight -= self.weight_max - heavy
        return batch

    def _all(self) -> list[_Waiting]:
        """All waiting requests; the queues are empty afterwards."""
        everybody = [waiting for queue in self._queues for waiting in queue]
        for queue in self._queues:
            queue.clear()
        self._waiting_rows = self._waiting_weight = 0
        return everybody

    async def _commit(self, batch: list[_Waiting]) -> None:
        parts = [batch]
        while parts:
            part = parts.pop()
            try:
                results = await self._accept([waiting.prepared for waiting in part])
            except StoreUnavailable as away:
                # The requests behind them would run into the same time-out, one batch after the other.
                for waiting in [*part, *chain.from_iterable(parts), *self._all()]:
                    self._answer(waiting, away)
                return
            except asyncio.CancelledError:
                for waiting in [*part, *chain.from_iterable(parts)]:
                    self._answer(waiting, StoreUnavailable("stopped before the commit was known"))
                raise
            except Exception as refused:  # noqa: BLE001  whatever it was: the request that caused it is found
                parts += self._without_the_refused(part, refused)
            else:
                for waiting, result in zip(part, results, strict=True):
                    self._answer(waiting, result)

    def _without_the_refused(self, part: list[_Waiting], refused: Exception) -> list[list[_Waiting]]:
        """Answer requests known to cause the refusal; return the others in parts to be tried next."""
        if len(part) == 1:
            self._answer(part[0], refused)
            return []
        keys = refused.keys if isinstance(refused, InFlight) else frozenset()
        if not keys:
            middle = len(part) // 2
            return [part[middle:], part[:middle]]
        for waiting in part:
            if waiting.prepared.key in keys:
                self._answer(waiting, refused)
        rest = [waiting for waiting in part if waiting.prepared.key not in keys]
        return [rest] if rest else []

    def _answer(self, waiting: _Waiting, answer: CommitResult | Exception) -> None:
        if waiting.prepared.key is not None:
            self._by_key.pop(waiting.prepared.key, None)
        if waiting.answer.done():
            return
        if isinstance(answer, Exception):
            waiting.answer.set_exception(answer)
            waiting.answer.exception()  # the caller may have gone: that is not worth a warning
        else:
            waiting.answer.set_result(answer)

    async def _accept(self, prepared: list[Prepared]) -> list[CommitResult]:
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                return await self._sealed_and_accepted(prepared)
        except TimeoutError:
            raise StoreUnavailable(f"no commit within {self.patience.total_seconds():.0f} s") from None

    async def _sealed_and_accepted(self, prepared: list[Prepared]) -> list[CommitResult]:
        users = sorted({a.user for p in prepared for a in p.resolved_recipients})
        for _ in range(_SEAL_TRIES):
            known = await self.acceptance.keys(users)
            notifications, new_users = self.seal(prepared, known)
            try:
                committed = await self.acceptance.accept(notifications, new_users, self.pack)
            except KeysChanged:
                continue
            self.handoff.offer(committed.messages)
            return committed.results
        raise StoreUnavailable("the keys of these users keep changing")


def _follow(first: _Waiting) -> "asyncio.Future[CommitResult]":
    """A request with the same key is in the queue: answer as it is answered."""
    answer: asyncio.Future[CommitResult] = asyncio.get_running_loop().create_future()

    def pass_on(done: "asyncio.Future[CommitResult]") -> None:
        if answer.cancelled():
            return
        if (failed := done.exception()) is not None:
            answer.set_exception(failed)
            answer.exception()
            return
        result = done.result()
        known = first.prepared.fingerprints[0] if isinstance(result, Created) else result.fingerprint
        answer.set_result(Duplicate(result.notification, known))

    first.answer.add_done_callback(pass_on)
    return answer
