"""Faults of simulated providers: what a provider answers to everybody, until it is mended.

PUT    /_faults/{kind}   {"fails": "answers", "status": 503, "headers": {…}, "body": …, "times": 3}
GET    /_faults          what stands, and how many calls have met it
DELETE /_faults/{kind}   it works again

answers   nothing is taken; the answer has this status, these headers and this body
hangs     nothing is taken, and no answer comes
drops     nothing is taken, and the connection is cut
breaks    what came is taken; the connection is cut in the middle of the answer
silent    what came is taken, and no answer comes
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware
from msgspec import Meta

from domain.kernel.json_values import Json
from entrypoints.simulator.kit import Handler, answer, routes


class Failing(StrEnum):
    """How it fails."""

    ANSWERS = "answers"
    HANGS = "hangs"
    DROPS = "drops"
    BREAKS = "breaks"
    SILENT = "silent"


class ProviderFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with a provider."""

    fails: Failing = Failing.ANSWERS
    status: Annotated[int, Meta(ge=300, le=599)] = 503
    headers: dict[str, str] = {}
    body: Json = None
    """Text as it is, anything else as JSON."""
    times: Annotated[int, Meta(ge=1)] | None = None
    """Of so many calls; None: of all until it is mended."""


@dataclass(slots=True)
class ProviderFaults:
    """The faults that stand, by kind of provider."""

    standing: dict[str, ProviderFault] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    """Calls that met the fault that stands."""

    def set(self, kind: str, fault: ProviderFault) -> None:
        """The provider fails so from now on."""
        self.standing[kind], self.met[kind] = fault, 0

    def next(self, kind: str) -> ProviderFault | None:
        """The fault that the next call meets."""
        fault = self.standing.get(kind)
        if fault is not None:
            self.met[kind] += 1
        if fault is not None and fault.times is not None:
            if fault.times == 1:
                del self.standing[kind]
            else:
                self.standing[kind] = msgspec.structs.replace(fault, times=fault.times - 1)
        return fault

    def middleware(self, kind: str) -> Middleware:
        """For the calls of one provider."""

        @web.middleware
        async def meet(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self.next(kind)
            if fault is None:
                return await handler(request)
            await request.read()
            match fault.fails:
                case Failing.HANGS:
                    await asyncio.Event().wait()
                case Failing.DROPS:
                    _cut(request, b"")
                case Failing.SILENT:
                    await handler(request)
                    await asyncio.Event().wait()
                case Failing.BREAKS:
                    await handler(request)
                    _cut(request, b"HTTP/1.1 2")
                case Failing.ANSWERS:
                    pass
            return _answer(fault)

        return meet

    def routes(self, kinds: frozenset[str]) -> list[web.RouteDef]:
        """To set and to mend them."""

        async def put(request: web.Request) -> web.Response:
            kind = _known(request, kinds)
            try:
                self.set(kind, msgspec.json.decode(await request.read(), type=ProviderFault))
            except msgspec.DecodeError as error:
                raise web.HTTPBadRequest(text=str(error)) from None
            return web.Response(status=204)

        async def delete(request: web.Request) -> web.Response:
            self.standing.pop(_known(request, kinds), None)
            return web.Response(status=204)

        async def get(_: web.Request) -> web.Response:
            return answer(
                {
                    kind: {**msgspec.to_builtins(fault), "met": self.met[kind]}
                    for kind, fault in self.standing.items()
                }
            )

        one = "/_faults/{kind}"
        return routes(("PUT", one, put), ("DELETE", one, delete), ("GET", "/_faults", get))


def _known(request: web.Request, kinds: frozenset[str]) -> str:
    kind = request.match_info["kind"]
    if kind not in kinds:
        raise web.HTTPNotFound(text=f"no provider '{kind}': there are {', '.join(sorted(kinds))}")
    return kind


def _cut(request: web.Request, said: bytes) -> None:
    if request.transport is not None:
        request.transport.write(said)
        request.transport.close()


def _answer(fault: ProviderFault) -> web.Response:
    if isinstance(fault.body, str):
        return web.Response(status=fault.status, headers=fault.headers, text=fault.body)
    return answer(fault.body, fault.status, fault.headers)
