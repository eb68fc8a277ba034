"""What the shop does: asks over REST and by events, asks again until it is answered, calls off, is opted out.

It remembers what it was told; that is what must be found afterwards.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from application.broker.ports import OutgoingEvent
from application.kernel.versioned import Versioned
from domain.kernel.channel import Mode, NotificationClass, Priority
from domain.kernel.errors import InFlight, KeyReused, Overloaded, Unavailable
from domain.notification.request import Content, Recipient, Request
from domain.notification.routing import Routing
from domain.template.template import Template, Variable
from domain.trigger.trigger import Trigger
from tests.simulation.fleet import Fleet
from tests.simulation.process import Gone
from tests.simulation.random_faults import Part
from tests.simulation.world import VAULT, World
from tests.support.virtual_time import passing

LOAD = 15.0
"""Seconds in which the shop asks."""
PLANNED = 160
"""Deliveries to be asked for over REST with a key, at least."""
DELIVERIES_MIN = 200
"""It goes on asking until there are so many: a broker that forgets takes some with it."""
ORDERS = 15
CUSTOMERS = 60
FLAVOURS = ("ada", "ada", "ada", "scan", "slow", "fussy", "flaky", "flaky", "mute", "refuse")
TEMPLATE = Template(
    id="order",
    version=1,
    name="Order",
    channel="email",
    subject="Order {{ orderId }}",
    body="{{ recipient.name }}: {{ orderId }}",
    variables={"orderId": Variable()},
)
TRIGGER = Trigger(
    id="ordered", event="order.created", type="ordered", template="order", metadata={"order": "data.orderId"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for under an id that was answered."""

    deliveries: int
    """One for each recipient and channel."""
    key: str | None
    disputed: bool
    """Another command uses its key: one of them fails, or is refused."""
    since: datetime
    """When it was first asked for."""


@dataclass(slots=True)
class Shop:
    """One shop."""

    world: World
    fleet: Fleet
    accepted: dict[UUID, Asked] = field(default_factory=dict)
    first: dict[str, datetime] = field(default_factory=dict)
    """When a key was first used."""
    published: list[str] = field(default_factory=list)
    """Orders whose event is published until it is confirmed."""
    forgiven: set[UUID] = field(default_factory=set)
    """Promises that stood on the broker alone when it lost its data."""
    forgiven_orders: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        rows = self.world.rows
        rows.templates["order"], rows.active_templates["order"] = [TEMPLATE], 1
        rows.triggers["ordered"] = Versioned(TRIGGER, 1, self.world.clock.now())
        self.world.on_wiped.append(self._forgive)

    def _forgive(self) -> None:
        rows = self.world.rows
        known = rows.notifications.keys() | rows.aliases.keys()
        self.forgiven |= self.world.promised - known
        made = {row.metadata.get("order") for row in rows.notifications.values()}
        self.forgiven_orders |= {order for order in self.published if order not in made}

    async def run(self) -> None:
        """Everything; returns when all is answered."""
        chance, work = self.world.chance, list[asyncio.Task[None]]()
        planned = n = 0
        while planned < PLANNED:
            request = self._request(n)
            key = request.idempotency_key
            planned += _deliveries(request) if key else 0
            disputed = key is not None and chance.random() < 0.05
            work.append(self.world.spawn(self._ask(request, disputed=disputed)))
            if disputed:
                other = msgspec.structs.replace(request, content=Content(subject="other", body="other"))
                work.append(self.world.spawn(self._ask(other, disputed=True)))
            elif key is not None and chance.random() < 0.15:
                work.append(self.world.spawn(self._ask(request)))
            n += 1
        work += [self.world.spawn(self._order(f"order-{n}")) for n in range(ORDERS)]
        work += [self.world.spawn(self._publish_customer(n)) for n in range(0, CUSTOMERS, 6)]
        work += [self.world.spawn(self._opt_out(n)) for n in chance.sample(range(CUSTOMERS), 4)]
        await asyncio.gather(*work)
        while len(self.world.rows.deliveries) < DELIVERIES_MIN:
            n += 1
            await self._ask(self._request(n))

    def _customer(self, n: int) -> Recipient:
        flavour = FLAVOURS[n % len(FLAVOURS)]
        return Recipient(user_id=f"c{n}", email=_email(n), phone=f"+49301234{n:04}", name=flavour)

    def _request(self, n: int) -> Request:
        chance = self.world.chance
        klass, priority = chance.choice(
            (
                (NotificationClass.OTP, Priority.CRITICAL),
                (NotificationClass.TRANSACTIONAL, Priority.MEDIUM),
                (NotificationClass.TRANSACTIONAL, Priority.CRITICAL),
                (NotificationClass.MARKETING, Priority.MEDIUM),
            )
        )
        users = chance.sample(range(CUSTOMERS), chance.choice((1, 1, 3, 8, 20, 35)))
        return Request(
            type="message",
            klass=klass,
            priority=priority,
            **self._channels(chance.choice(("email", "email", "sms"))),
            content=Content(subject="Hello", body=f"message {n}"),
            recipients=tuple(self._customer(each) for each in users),
            idempotency_key=f"request-{n}" if chance.random() < 0.85 else None,
        )

    def _channels(self, one: str) -> dict[str, Any]:
        """Mostly one; of two the mail goes first more often, since it is refused more often."""
        chance = self.world.chance
        routing = chance.choice((None, None, None, Routing.ALL, Routing.FIRST, Routing.FIRST))
        if routing is None:
            return {"channel": one}
        return {"channels": ("email", "sms") if one == "email" else ("sms", "email"), "routing": routing}

    async def _ask(self, request: Request, *, disputed: bool = False) -> None:
        world = self.world
        await passing(world.chance.uniform(0, LOAD))
        key, since = request.idempotency_key, world.clock.now()
        if key is not None:
            since = self.first.setdefault(key, since)
        while True:
            member = await self.fleet.api()
            accept = partial(member.assembly.accept, request)
            try:
                answer = await member.process.request(accept)
            except (Unavailable, Overloaded, InFlight, Gone) as fault:
                world.note("the shop's answer to {}: {!r}", key, fault)
                if key is None:
                    return  # nobody promised anything, and a second request might be a second message
                await passing(world.chance.uniform(0.2, 2))
            except KeyReused:
                if not disputed:
                    world.wrong(f"key {key} was refused, and nobody else used it")
                return
            else:
                break
        world.note("the shop's answer to {}: {}", key, answer)
        self.accepted[answer.id] = Asked(_deliveries(request), key, disputed, since)
        if world.chance.random() < 0.1 and not disputed:
            await passing(world.chance.uniform(0, 6))
            await self._call_off(answer.id)

    async def _call_off(self, notification: UUID) -> None:
        """Until somebody has heard it; a promise that is not drained yet is not found, and stays."""
        world = self.world
        for _ in range(20):
            member = await self.fleet.api()
            cancel = partial(member.assembly.container.notification.cancel(), notification, Mode.LIVE)
            try:
                tally = await member.process.request(cancel)
            except Exception as fault:  # noqa: BLE001  whatever it is: again
                world.note("calling {} off: {!r}", notification, fault)
                await passing(world.chance.uniform(0.2, 2))
            else:
                world.note("{} is called off: {}", notification, tally)
                return

    async def _order(self, order: str) -> None:
        """An event, published until it is confirmed; now and then twice."""
        world = self.world
        await passing(world.chance.uniform(0, LOAD))
        body = {"orderId": order, "userId": f"c{world.chance.randrange(CUSTOMERS)}"}
        self.published.append(order)
        await self._publish("order.created", order, body)
        if world.chance.random() < 0.2:
            await self._publish("order.created", order, body)

    async def _publish_customer(self, n: int) -> None:
        await passing(self.world.chance.uniform(0, LOAD))
        body = {"userId": f"c{n}", "email": _email(n)}
        await self._publish("user.updated", f"customer-{n}", body)

    async def _publish(self, key: str, id_: str, body: dict[str, str]) -> None:
        event = OutgoingEvent(
            routing_key=key, body=msgspec.json.encode(body), message_id=id_, content_type="application/json"
        )
        while True:
            if Part.BROKER not in self.world.random_faults.away:
                await self.world.broker.emit("shop.events", event)
                return
            await passing(self.world.chance.uniform(0.2, 2))

    async def _opt_out(self, n: int) -> None:
        world = self.world
        await passing(world.chance.uniform(0, LOAD))
        address = ("email", VAULT.index("email", _email(n)))
        world.note("{} opts out", _email(n))
        world.rows.suppressions[address] = "unsubscribed"
        world.opted_out[address] = world.clock.now()


def _deliveries(request: Request) -> int:
    return len(request.recipients) * max(len(request.channels), 1)


def _email(n: int) -> str:
    return f"{FLAVOURS[n % len(FLAVOURS)]}{n}@shop.test"
