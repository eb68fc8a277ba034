"""What all simulated providers share: they do with a message what its address asks for, and keep the truth.

taken     the message came whole; its line is in the ledger before the answer goes out
silent    the same, but the answer never comes
latency   as the address asks (`slow-500@`), or as the simulator is told
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import msgspec
from aiohttp import BasicAuth, web

from application.kernel.ports import Ids
from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour, instruction_in

BODY_MAX = 64 * 1024 * 1024
"""Bytes of a request; real ones take batches of 50 MB."""

Ledger = Callable[[UUID, int, str], None]
"""Writes down a delivery, its attempt and what became of it: accepted, refused, deferred, unknown."""

OUTCOMES = {
    Behaviour.ACCEPT: "accepted",
    Behaviour.REFUSE: "refused",
    Behaviour.DEFER: "deferred",
    Behaviour.THROTTLE: "deferred",
    Behaviour.SILENT: "unknown",
}
TAKEN = {Behaviour.ACCEPT, Behaviour.SILENT}


class Got(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a simulated provider got it."""

    address: str
    delivery: UUID | None = None
    """Our id, from the field that the provider gives back; None: there is no such field."""
    attempt: int = 1
    document: Json = None
    """As it came, for tests and pages."""


@dataclass(slots=True, kw_only=True)
class Simulator:
    """The other side of the gateways.

    Args:
        ids: for what the providers call messages.
        latency: of every call.
        ledger: where the truth goes; None: nowhere.
        kept: most messages that are remembered in `got`.
    """

    ids: Ids
    latency: timedelta = timedelta()
    ledger: Ledger | None = None
    kept: int = 10_000
    got: list[Got] = field(default_factory=list)
    """What was accepted, the last ones."""

    def reference(self) -> str:
        """A new id of a message, as the provider would give it."""
        return str(self.ids.next())

    async def take(self, messages: Sequence[Got], *, all_or_none: bool = False) -> list[Behaviour]:
        """Take the messages of one call and say what becomes of each; never returns when one asks for
        silence.

        Args:
            all_or_none: where one is not accepted, no other one is: the others are deferred.
        """
        asked = [instruction_in(each.address) for each in messages]
        behaviours = [
            Behaviour.ACCEPT if one is None else one.on(each.attempt)
            for one, each in zip(asked, messages, strict=True)
        ]
        if all_or_none and not set(behaviours) <= TAKEN:
            behaviours = [Behaviour.DEFER if each in TAKEN else each for each in behaviours]
        waits = [one.latency for one in asked if one is not None and one.latency is not None]
        if wait := max(waits, default=self.latency):
            await asyncio.sleep(wait.total_seconds())
        for each, behaviour in zip(messages, behaviours, strict=True):
            if behaviour in TAKEN:
                self.got.append(each)
            if self.ledger is not None and each.delivery is not None:
                self.ledger(each.delivery, each.attempt, OUTCOMES[behaviour])
        del self.got[: -self.kept]
        if Behaviour.SILENT in behaviours:
            await asyncio.Event().wait()
        return behaviours


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(*each: tuple[str, str, Handler]) -> list[web.RouteDef]:
    """Routes of a simulated provider: method, path, handler."""
    return [web.route(method, path, handler) for method, path, handler in each]


async def json_of(request: web.Request) -> Json:
    """The JSON body of a request.

    Raises:
        web.HTTPBadRequest: it is none.
    """
    try:
        return msgspec.json.decode(await request.read())
    except msgspec.DecodeError:
        raise web.HTTPBadRequest(text="not JSON") from None


def basic_of(request: web.Request) -> tuple[str, str]:
    """User and password of basic authentication; empty when there is none."""
    try:
        known = BasicAuth.decode(request.headers.get("Authorization", ""))
    except ValueError:
        return "", ""
    return known.login, known.password


def answer(document: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        status=status, body=msgspec.json.encode(document), content_type="application/json", headers=headers
    )
