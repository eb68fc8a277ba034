"""A load generator that costs little: raw sockets, keep-alive, HTTP written and read by hand.

`python -m tests.bench.http_load URL KEY [--connections 64] [--seconds 10]` sends order confirmations.
"""

import argparse
import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

Body = Callable[[], tuple[bytes, dict[str, str]]]
"""Makes the next request: its body, and headers of its own."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    requests: int
    seconds: float
    rate: float
    """Answers per second."""
    p50_ms: float
    p99_ms: float
    max_ms: float
    statuses: dict[int, int]


class Unexpected(Exception):
    """An answer with another status than the load expects."""


async def load(
    url: str,
    *,
    key: str,
    body: Body,
    connections: int = 64,
    seconds: float = 20.0,
    warm_up: float = 1.0,
    expected: frozenset[int] = frozenset({202}),
) -> Report:
    """POST as fast as `connections` allow, each with one request under way; `warm_up` seconds do not count.

    Raises:
        Unexpected: an answer with a status that is not in `expected`.
    """
    target = urlsplit(url)
    head = (
        f"POST {target.path}{'?' + target.query if target.query else ''} HTTP/1.1\r\n"
        f"Host: {target.netloc}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    ).encode()
    began = time.perf_counter() + warm_up
    times: list[float] = []
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(connections):
        client = _Client(head, body, began, began + seconds, times, statuses, expected)
        await loop.create_connection(lambda client=client: client, target.hostname, target.port)
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    times.sort()
    return Report(
        requests=len(times),
        seconds=seconds,
        rate=len(times) / seconds,
        p50_ms=_percentile(times, 0.50),
        p99_ms=_percentile(times, 0.99),
        max_ms=_percentile(times, 1.0),
        statuses=dict(statuses),
    )


class _Client(asyncio.Protocol):
    """One connection: an answer read brings the next request."""

    def __init__(
        self,
        head: bytes,
        body: Body,
        begins: float,
        ends: float,
        times: list[float],
        statuses: Counter[int],
        expected: frozenset[int],
    ) -> None:
        self.head, self.body = head, body
        self.begins, self.ends = begins, ends
        self.times, self.statuses, self.expected = times, statuses, expected
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        content, headers = self.body()
        own = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.sent_at = time.perf_counter()
        self.transport.write(self.head + f"{own}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.received.lower().find(b"content-length:", 0, end)
        length = int(self.received[at + 15 : self.received.find(b"\r\n", at)]) if at >= 0 else 0
        if len(self.received) < end + 4 + length:
            return
        status, answer, self.received = int(self.received[9:12]), self.received, b""
        now = time.perf_counter()
        if status not in self.expected:
            self.finish(Unexpected(answer.decode(errors="replace")))
            return
        if self.sent_at >= self.begins and now <= self.ends:
            self.times.append((now - self.sent_at) * 1000)
            self.statuses[status] += 1
        if now < self.ends:
            self.next()
        else:
            self.finish(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.finish(error or ConnectionError("the server closed the connection"))

    def finish(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error) if error else self.done.set_result(None)
        self.transport.close()


def _percentile(ascending: list[float], share: float) -> float:
    if not ascending:
        return math.nan
    return round(ascending[min(len(ascending) - 1, int(share * len(ascending)))], 2)


def order_confirmations() -> Body:
    """Order confirmations to 1,000 customers, each with a key of its own."""
    numbers = itertools.count()
    run = time.time_ns()

    def body() -> tuple[bytes, dict[str, str]]:
        number = next(numbers)
        content = {
            "notificationType": "order_confirmation",
            "channelType": "email",
            "priority": "high",
            "templateId": "order_confirmation_email",
            "recipientId": f"customer-{number % 1000}",
            "data": {
                "orderId": f"{run}-{number}",
                "total": 99.99,
                "items": [{"name": "Brass horn", "quantity": 1, "price": 99.99}],
            },
        }
        return msgspec.json.encode(content), {"Idempotency-Key": f"{run}-{number}"}

    return body


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url", help="such as http://127.0.0.1:8000/api/notifications")
    parser.add_argument("key", help="an API key")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    report = asyncio.run(
        load(
            given.url,
            key=given.key,
            body=order_confirmations(),
            connections=given.connections,
            seconds=given.seconds,
        )
    )
    print(msgspec.json.encode(report).decode())


if __name__ == "__main__":
    main()
