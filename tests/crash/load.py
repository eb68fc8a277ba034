"""What the shop asks for while its Posthorn dies, and how each of it must end.

Over REST: single messages and shared ones, quick and slow ones, some deferred, refused or met with silence,
and one-time passwords, which must not go out twice: their class holds what is unknown.  Over AMQP: customers,
their orders, and a message that nobody can read.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from domain.delivery.delivery import DeliveryStatus
from tests.support.load import Requests
from tests.support.shop import Shop

SENT = frozenset({DeliveryStatus.SENT})
FAILED = frozenset({DeliveryStatus.FAILED})
HELD = frozenset({DeliveryStatus.UNKNOWN})


class Errand(NamedTuple):
    """One kind of request: whom it goes to (see the sandbox's instructions), and how it may end."""

    to: Sequence[str]
    ends: Collection[DeliveryStatus] = SENT
    held: bool = False
    """Of the class that is never sent again when nobody knows."""


ERRANDS = (
    Errand(["plain"]),
    Errand(["slow-100"]),
    Errand(["slow-200", "slow-700", "plain"]),
    Errand(["slow-700"]),
    Errand(["defer-1"]),
    Errand(["slow-100", "plain"]),
    Errand(["plain"]),
    Errand(["refuse"], FAILED),
    Errand(["refuse", "refuse"], FAILED),
    Errand(["defer-1"]),
    Errand(["silent-1"]),
    Errand(["plain"], SENT | HELD, held=True),
    Errand(["slow-700", "slow-100", "plain", "plain"]),
    Errand(["slow-200"]),
    Errand(["silent"], HELD, held=True),
    Errand(["plain"], SENT | HELD, held=True),
)
ORDERS = 6
CLIENTS, PACE = 3, 0.1
"""Few, with a little time between two requests: some are done and some have not begun when others are hit."""
PER_LIFE = sum(len(errand.to) for errand in ERRANDS) + ORDERS
"""Deliveries."""


class Load(Requests):
    """The errands of one life of the process, asked for until they are answered, in this life or the next."""

    def __init__(self, shop: Shop, life: int) -> None:
        super().__init__(shop, (), clients=CLIENTS, pace=PACE)
        self.life = life

    async def everything(self) -> None:
        """Ask for all of it; returns when each request is answered and each event is with the broker."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.run(len(ERRANDS)))
            group.create_task(self._events())

    @property
    def errands(self) -> list[tuple[UUID, Errand]]:
        """Those that were answered, each with one of its ids."""
        return [(min(ids), errand_of(key)) for key, ids in self.answers.items()]

    def body(self, key: str) -> dict[str, Any]:
        """One errand."""
        errand, name = errand_of(key), f"{self.life}-{key}"
        users = [f"{local}+{name}-{n}@example.com" for n, local in enumerate(errand.to)]
        return {
            "notificationType": "errand",
            "channelType": "email",
            "priority": "critical" if errand.held else "high",
            "class": "otp" if errand.held else "transactional",
            "templateId": "order_confirmation_email",
            "recipients": [{"email": address, "name": "Somebody"} for address in users],
            "data": {"orderId": name, "total": 99.99, "items": []},
            "metadata": {"life": self.life},
        }

    def key(self, number: int) -> str:
        """Keys of one life are not those of another."""
        return f"life-{self.life}-{number}"

    @property
    def orders(self) -> list[str]:
        """Their ids."""
        return [f"order-{self.life}-{number}" for number in range(ORDERS)]

    @property
    def rubbish(self) -> str:
        """Its message id."""
        return f"rubbish-{self.life}"

    async def _events(self) -> None:
        """Orders by customers whom only the event before made known; one message is rubbish."""
        async with self.shop.events() as publish:
            for order in self.orders:
                who = f"buyer-of-{order}"
                known = {"userId": who, "email": f"{who}@example.com", "name": "A buyer"}
                await publish("user.created", known, message_id=f"known-{order}")
                body = {"orderId": order, "userId": who, "total": 9.5, "items": []}
                await publish("order.created", body, message_id=f"event-{order}")
            await publish("order.created", b"{rubbish", message_id=self.rubbish)


def errand_of(key: str) -> Errand:
    """What is asked for under a key."""
    return ERRANDS[int(key.rpartition("-")[2]) % len(ERRANDS)]
