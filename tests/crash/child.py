"""The product in a process that can be killed at a point: `python -m tests.crash.child ROLE`.

The same container, the same actors; between the use cases and the adapters stands the fuse.  A flaw may be
planted, too: what the matrix must find.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Sequence
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from dependency_injector.providers import Provider

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from application.broker.ports import LARGEST, Consumer, Received, Subscription
from application.intake.command import INTAKE
from application.outbox.ports import OutboxMessage
from application.outbox.relay import Relayed, RelayOutbox
from config.container import Container
from config.lifecycle import built, start_logging
from config.load import load
from entrypoints.amqp.parking import QUEUES
from entrypoints.cli.shell import run_process
from entrypoints.processes.run import run_container
from tests.crash.points import AT, FLAW, PLACES, Fuse, Place, Point

T = TypeVar("T")

MOMENT = 0.002
"""Seconds until a call has left the process, and may or may not have been answered."""

_within: ContextVar[Collection[str]] = ContextVar("within", default=())
"""The places whose call is under way."""


class Guarded:
    """A port whose calls pass by the fuse."""

    def __init__(self, port: Any, name: str, fuse: Fuse) -> None:
        self._port = port
        self._places = [place for place in PLACES if place.port == name]
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        places = [place for place in self._places if place.method == name]
        return partial(_guarded, member, places, self._fuse) if places else member

    async def __call__(self, *given: Any) -> Any:
        """A use case is called itself."""
        return await self.__getattr__("__call__")(*given)


async def _guarded(
    call: Callable[..., Any], places: Sequence[Place], fuse: Fuse, given: Any, *others: Any, **named: Any
) -> Any:
    asked = [place for place in places if place.asked(given)]
    names = [place.name for place in asked]
    fuse.passes("before", names)
    if isinstance(given, Sequence) and len(given) > 1 and fuse.lit("half", names):
        await call(given[: len(given) // 2], *others, **named)
        fuse.blow()
    if fuse.lit("during", names):
        sent = asyncio.ensure_future(call(given, *others, **named))
        await asyncio.wait([sent], timeout=MOMENT)
        fuse.blow()
    token = _within.set(names)
    try:
        result = await call(given, *others, **named)
    finally:
        _within.reset(token)
    fuse.passes("after", [place.name for place in asked if place.got(result)])
    return result


class GuardedDatabase(Database):
    """Passes by the fuse when all is written and nothing is committed."""

    def __init__(self, dsn: str, *, fuse: Fuse, **options: Any) -> None:
        super().__init__(dsn, **options)
        self._fuse = fuse

    async def run(self, work: Any, *, lock_max: timedelta | None = None) -> Any:
        async def watched(connection: Connection) -> Any:
            done = await work(connection)
            self._fuse.passes("inside", _within.get())
            return done

        return await super().run(watched, lock_max=lock_max)


class GuardedGateways:
    """Gateways whose calls pass by the fuse."""

    def __init__(self, gateways: Any, fuse: Fuse) -> None:
        self._gateways, self._fuse = gateways, fuse

    def push_services(self, provider: str) -> Any:
        return self._gateways.push_services(provider)

    def named(self, provider: str) -> Any:
        gateway = self._gateways.named(provider)
        return gateway and Guarded(gateway, "gateway", self._fuse)

    async def aclose(self) -> None:
        await self._gateways.aclose()


class GuardedConsumer:
    """Subscriptions that pass by the fuse."""

    def __init__(self, consumer: Consumer, fuse: Fuse) -> None:
        self._consumer, self._fuse = consumer, fuse

    async def subscribe(self, queue: str, prefetch: int, largest: int = LARGEST) -> Any:
        subscription = await self._consumer.subscribe(queue, prefetch, largest)
        name = "intake" if queue == INTAKE else "events" if queue in QUEUES else "lane"
        return Guarded(subscription, name, self._fuse)


def guard(container: Container, fuse: Fuse) -> None:
    """Put the fuse between the use cases and the adapters."""
    container.kernel.database.set_provides(partial(GuardedDatabase, fuse=fuse))
    consumer, built = container.broker.consumer, container.provider.built
    consumer.override(GuardedConsumer(consumer(), fuse))
    built.override(GuardedGateways(built(), fuse))
    ports: dict[str, Provider[Any]] = {
        "acceptance": container.notification.acceptance,
        "deliveries": container.delivery.deliveries,
        "outbox": container.outbox.rows,
        "users": container.user.users,
        "intake_ids": container.notification.intake_ids,
        "publisher": container.broker.publisher,
        "delayed": container.broker.delayed,
        "submit_or_defer": container.intake.submit_or_defer,
        "reissue": container.delivery.reissue,
    }
    for name, provider in ports.items():
        provider.override(Guarded(provider(), name, fuse))


class HastyRelay(RelayOutbox):
    """The flaw: deletes what it is about to publish."""

    async def __call__(self, messages: Sequence[OutboxMessage]) -> Relayed:
        await self.outbox.delete([message.id for message in messages])
        return await super().__call__(messages)


class HastyConsumer:
    """The flaw: acks what it takes."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def subscribe(self, queue: str, prefetch: int, largest: int = LARGEST) -> Any:
        return HastySubscription(await self._consumer.subscribe(queue, prefetch, largest))


class HastySubscription:
    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    async def take(self, limit: int, size: int = LARGEST) -> list[Received]:
        taken = await self._subscription.take(limit, size)
        await self._subscription.ack([message.tag for message in taken])
        return taken

    async def ack(self, tags: Sequence[int]) -> None:
        pass

    async def close(self) -> None:
        await self._subscription.close()


def plant(container: Container, flaw: str) -> None:
    """Give it a flaw."""
    match flaw:
        case "deletes before it publishes":
            container.outbox.relay.set_provides(HastyRelay)
        case "acks before it settles":
            container.broker.consumer.override(HastyConsumer(container.broker.consumer()))
        case _:
            raise ValueError(f"no such flaw: {flaw}")


def main(role: str) -> None:
    """Run a role as `posthorn` does, until it is told to stop or comes to its point."""
    settings = load(os.environ).settings
    start_logging(settings)
    container = built(settings)
    if flaw := os.environ.get(FLAW):
        plant(container, flaw)
    guard(container, Fuse(Point.parse(os.environ[AT])))
    sys.exit(0 if run_process(lambda: run_container(role, container)) else 1)


if __name__ == "__main__":
    main(sys.argv[1])
