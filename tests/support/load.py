"""Load on a shop, by clients as they should be: they keep their keys and ask again until answered."""

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import aiohttp

from tests.support.shop import Shop

AGAIN = frozenset({409, 503})
"""In flight, or away for now: the same request may be sent again."""
TWICE = 10
"""Every so manieth request is sent again though it was answered, as a client does that lost the answer."""


class Requests:
    """Notifications over REST, each with an idempotency key of its own.

    Args:
        pace: seconds that each client waits between two requests.
    """

    def __init__(
        self,
        shop: Shop,
        names: Sequence[str],
        *,
        recipients: int = 1,
        clients: int = 16,
        pace: float = 0.0,
    ) -> None:
        self.shop = shop
        self.names = names
        self.recipients = recipients
        self.clients = clients
        self.pace = pace
        self.accepted: dict[str, UUID] = {}
        """By idempotency key: the first answer."""
        self.answers: dict[str, set[UUID]] = defaultdict(set)
        """By idempotency key: more than one only where one of them was a promise."""
        self.promised: set[UUID] = set()
        """Those that were answered as `degraded`."""
        self.refusals: Counter[int] = Counter()
        """Answers after which a request was sent again, by status; 0: no answer."""
        self._numbers = itertools.count()

    @property
    def retries(self) -> int:
        """How often a request was sent again because it was not taken."""
        return self.refusals.total()

    async def run(self, count: int) -> None:
        """Send `count` requests and return when each is answered with 202."""
        await self._all(iter([next(self._numbers) for _ in range(count)]))

    async def until(self, stop: asyncio.Event) -> None:
        """Send requests until `stop` is set and each is answered."""
        await self._all(itertools.takewhile(lambda _: not stop.is_set(), self._numbers))

    @property
    def ids(self) -> set[UUID]:
        """Of all notifications that were answered with 202."""
        return set().union(*self.answers.values())

    def key(self, number: int) -> str:
        """The idempotency key of a request; it ends in the number."""
        return f"request-{number}"

    async def shown(self) -> dict[str, list[Any]]:
        """How the API shows each id that was answered, by idempotency key."""
        found: dict[str, list[Any]] = {}

        async def look(keys: Iterator[str]) -> None:
            async with aiohttp.ClientSession() as session:
                for key in keys:
                    paths = [f"/api/notifications/{id_}" for id_ in self.answers[key]]
                    answers = [await self.shop.call("GET", path, session=session) for path in paths]
                    assert {answer.status for answer in answers} == {200}, answers
                    found[key] = [answer.body for answer in answers]

        keys = iter(list(self.answers))
        await asyncio.gather(*(look(keys) for _ in range(self.clients)))
        return found

    async def _all(self, numbers: Iterator[int]) -> None:
        keys = (self.key(number) for number in numbers)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.clients):
                group.create_task(self._client(keys))

    async def _client(self, keys: Iterator[str]) -> None:
        async with aiohttp.ClientSession() as session:
            for key in keys:
                answered = await self._until_answered(session, key)
                self.accepted[key] = answered
                if int(key.rpartition("-")[2]) % TWICE == 0:
                    again = await self._until_answered(session, key)
                    assert again == answered or self.promised & {again, answered}, (
                        f"{key}: two answers, {again} and {answered}, and none of them a promise"
                    )
                await asyncio.sleep(self.pace)

    async def _until_answered(self, session: aiohttp.ClientSession, key: str) -> UUID:
        body = self.body(key)
        while True:
            try:
                answer = await self.shop.call(
                    "POST", "/api/notifications", body, session=session, idempotency=key
                )
            except (aiohttp.ClientError, OSError):
                self.refusals[0] += 1
            else:
                if answer.status not in AGAIN:
                    self.answers[key].add(answer.id)
                    if answer.body.get("degraded"):
                        self.promised.add(answer.id)
                    return answer.id
                assert "Retry-After" in answer.headers, answer
                self.refusals[answer.status] += 1
            await asyncio.sleep(0.3)

    def body(self, key: str) -> dict[str, Any]:
        """The request of this idempotency key, the same each time."""
        first = int(key.rpartition("-")[2]) * self.recipients
        names = [self.names[(first + n) % len(self.names)] for n in range(self.recipients)]
        return {
            "notificationType": "order_confirmation",
            "channelType": "email",
            "priority": "high",
            "templateId": "order_confirmation_email",
            "recipients": names,
            "data": {"orderId": key, "total": 99.99, "items": []},
        }


async def publish_orders(shop: Shop, names: Sequence[str], count: int) -> None:
    """Events of `count` orders, each confirmed by the broker; every tenth is published twice."""
    async with shop.events() as publish:
        for start in range(0, count, 100):
            numbers = range(start, min(start + 100, count))
            again = [n for n in numbers if n % TWICE == 0]
            await asyncio.gather(*(_order(publish, names, n) for n in [*numbers, *again]))


async def _order(publish: Any, names: Sequence[str], number: int) -> None:
    body = {"orderId": f"order-{number}", "userId": names[number % len(names)], "total": 9.5, "items": []}
    await publish("order.created", body, message_id=f"event-{number}")
