"""Raw connections: whatever is sent is answered or ended in time, and costs no more than its bounds."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from entrypoints.http.server.supervisor import ConnectionLimits
from entrypoints.processes.http_server import bounded
from tests.api.test_server import Running, running
from tests.api.world import INLINE, World
from tests.support.eventually import eventually
from tests.support.telemetry import RecordedTelemetry

BODY = json.dumps(INLINE).encode()
LIMITS = ConnectionLimits()
SHORT = ConnectionLimits(head=0.3, body=0.6, idle=1, unread=0.3, linger=0.6, linger_silent=0.3)
MOMENT = 5.0
"""Longer than any of `SHORT` and a sweep."""


@pytest.fixture
async def server(world: World) -> AsyncIterator[Running]:
    async with running(world.app) as server:
        yield server


def request(world: World, method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: x", f"Authorization: Bearer {world.live_key}", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


async def talk(port: int, *pieces: bytes, end: bool = False, timeout: float = MOMENT) -> bytes:
    """All that comes back until the server closes; what is sent is sent to its end first.

    Raises:
        TimeoutError: it does not close.
        ConnectionError: it was reset.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(timeout):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if end:
                writer.write_eof()
            return await reader.read()
    finally:
        writer.transport.abort()


async def answered(port: int, *pieces: bytes) -> list[int]:
    """The statuses that come back on a connection that is kept."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        async with asyncio.timeout(MOMENT):
            for piece in pieces:
                writer.write(piece)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                got += head + await reader.readexactly(length)
    finally:
        writer.transport.abort()
    return statuses(got)


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def problem(answer: bytes, status: int) -> dict[str, object]:
    """The only answer, held to RFC 9457."""
    assert statuses(answer) == [status], answer[:200]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    problem: dict[str, object] = json.loads(body)
    assert problem["status"] == status
    assert problem["trace_id"]
    return problem


CHUNKED = "Transfer-Encoding: chunked"
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/notifications HTTP/1.1\r\nHost: x\r\n"

UNREADABLE = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "another version": (b"GET /livez HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    "no version": (b"GET /livez\r\n\r\n", 505),
    "no such version": (b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    "no such method": (b"FETCH /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "method in small letters": (b"get /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "CONNECT": (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "target beyond ASCII": ("GET /livez/ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400),
    "target too long": (b"GET /livez?" + b"a" * LIMITS.target_bytes + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "no host": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: y\r\n\r\n", 400),
    "NUL in a header": (GET + b"X: a\0b\r\n\r\n", 400),
    "bare CR": (GET + b"X: a\rb\r\n\r\n", 400),
    "bare LF": (b"GET /livez HTTP/1.1\nHost: x\n\n", 400),
    "folded header": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "space before the colon": (GET + b"X : a\r\n\r\n", 400),
    "header without a name": (GET + b": a\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12", 400),
    "length beyond reason": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "length in other digits": (POST + b"Content-Length: \xb2\r\n\r\n", 400),
    "length and chunks": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "another coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "no coding": (POST + b"Transfer-Encoding: identity\r\n\r\n", 501),
    "chunk without a size": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "chunk beyond reason": (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    "upgrade with a body": (
        POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}",
        400,
    ),
    "large header": (GET + b"X: " + b"y" * LIMITS.head_bytes + b"\r\n\r\n", 431),
    "huge header": (GET + b"X: " + b"y" * 20_000_000 + b"\r\n\r\n", 431),
    "huge name": (GET + b"y" * 20_000_000 + b": x\r\n\r\n", 431),
    "many headers": (GET + b"X: y\r\n" * (LIMITS.headers + 1) + b"\r\n", 431),
    "headers without end": (GET + b"X: y\r\n" * 3_000_000, 431),
    "empty lines without end": (b"\r\n" * 5_000_000, 431),
}


async def test_204_has_no_length_and_the_connection_goes_on(world: World, server: Running) -> None:
    await world.client.put("/api/users/1", json={"email": "ann@shop.test"})
    deleted = request(world, "DELETE", "/api/users/1")
    answer = await talk(server.port, deleted, request(world, "GET", "/livez", "Connection: close"))
    assert statuses(answer) == [204, 200]
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b"content-length" not in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert rest.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_answered_as_a_problem(server: Running, name: str) -> None:
    sent, status = UNREADABLE[name]
    problem(await talk(server.port, sent), status)
    assert statuses(await talk(server.port, GET + b"Connection: close\r\n\r\n")) == [200]


@pytest.mark.parametrize(("files", "connections"), [(4096, 1000), (1024, 896), (200, 100), (64, 32)])
def test_connections_leave_descriptors_to_the_rest(files: int, connections: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, before[1]))
    try:
        assert bounded(LIMITS) == replace(LIMITS, connections=connections)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_head_may_be_as_large_as_its_bound(server: Running) -> None:
    rest = LIMITS.head_bytes - len(GET) - 100
    assert await answered(server.port, GET + b"X: " + b"y" * rest + b"\r\n\r\n") == [200]
    assert await answered(server.port, GET + b"X: y\r\n" * (LIMITS.headers - 1) + b"\r\n") == [200]


async def test_a_head_in_single_bytes_is_bounded_too(world: World) -> None:
    async with running(world.app, replace(LIMITS, head_bytes=200)) as server:
        pieces = [bytes([each]) for each in GET + b"X: " + b"y" * 300]
        problem(await talk(server.port, *pieces), 431)


async def test_trailers_and_extensions_of_chunks_are_bounded_and_not_read(
    world: World, server: Running
) -> None:
    head = request(world, "POST", "/api/notifications", CHUNKED)
    chunk = b"%x;x=y\r\n" % len(BODY) + BODY + b"\r\n"
    trailer = f"Authorization: Bearer {world.live_key}\r\n\r\n".encode()
    assert await answered(server.port, head + chunk + b"0\r\n" + trailer) == [202]
    without = POST + CHUNKED.encode() + b"\r\n\r\n"
    assert await answered(server.port, without + chunk + b"0\r\n" + trailer) == [401]
    for flood in (b"1;" + b"x" * 10_000_000, chunk + b"0\r\nX: " + b"y" * 10_000_000):
        assert statuses(await talk(server.port, head + flood)) == [431]


async def test_requests_come_in_a_row_and_an_upgrade_is_not_granted(world: World, server: Running) -> None:
    ask = request(world, "POST", "/api/notifications", body=BODY)
    plain = request(world, "GET", "/livez", "Connection: upgrade", "Upgrade: websocket")
    last = request(world, "GET", "/livez", "Connection: close")
    assert statuses(await talk(server.port, b"\r\n\r\n" + ask + plain + ask + last)) == [202, 200, 202, 200]


async def test_what_is_pipelined_is_bounded(world: World) -> None:
    world.acceptance.hold = asyncio.Event()
    async with running(world.app, replace(LIMITS, pipelined=3)) as server:
        ask = request(world, "POST", "/api/notifications", body=BODY)
        talking = asyncio.create_task(talk(server.port, ask * 1_000))
        await eventually(lambda: world.acceptance.asked)
        world.acceptance.hold.set()
        got = statuses(await talking)
        assert set(got) == {202}
        assert len(got) < 10


async def test_garbage_does_not_take_the_answer_before_it_away(world: World, server: Running) -> None:
    ask = request(world, "POST", "/api/notifications", body=BODY)
    for garbage in (b"garbage\r\n\r\n", b"\0" * 5_000_000, POST + CHUNKED.encode() + b"\r\n\r\nzz\r\n"):
        assert statuses(await talk(server.port, ask + garbage)) == [202]
    assert len(world.rows.notifications) == 3


@pytest.mark.parametrize(
    ("target", "status", "key"),
    [("/api/notifications", 413, True), ("/api/x", 404, True), ("/api/users/1", 401, False)],
)
@pytest.mark.parametrize("coding", ["length", "chunked", "expect"])
async def test_who_reads_after_sending_gets_the_answer(
    world: World, server: Running, target: str, status: int, key: bool, coding: str
) -> None:
    size = 20_000_000
    head = [f"PUT {target} HTTP/1.1" if status == 401 else f"POST {target} HTTP/1.1", "Host: x"]
    head += [f"Authorization: Bearer {world.live_key}"] if key else []
    head += [CHUNKED] if coding == "chunked" else [f"Content-Length: {size}"]
    head += ["Expect: 100-continue"] if coding == "expect" else []
    sent = (
        [b"x" * size]
        if coding != "chunked"
        else [b"%x\r\n" % 65_536 + b"x" * 65_536 + b"\r\n"] * (size // 65_536)
    )
    answer = await talk(server.port, "\r\n".join([*head, "\r\n"]).encode(), *sent)
    problem(answer, status)
    assert b"connection: close" in answer


async def test_an_answer_before_the_whole_body_says_that_it_is_the_last(
    world: World, server: Running
) -> None:
    """And one after it does not."""
    head = b"PUT /api/users/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    assert b"connection: close" in await talk(server.port, head)
    assert await answered(server.port, head + b"x" * 10, GET + b"\r\n") == [401, 200]


async def test_a_client_may_close_its_half_before_it_reads(world: World, server: Running) -> None:
    ask = request(world, "POST", "/api/notifications", body=BODY)
    assert statuses(await talk(server.port, ask, end=True)) == [202]
    problem(await talk(server.port, ask[:-1], end=True), 400)
    problem(await talk(server.port, GET, end=True), 400)
    assert await talk(server.port, end=True) == b""


async def test_nobody_is_waited_for_for_ever(world: World) -> None:
    """Not for a first byte, the rest of a head or a body, the next request, or for somebody to read."""
    body = request(world, "POST", "/api/notifications", "Content-Length: 100")
    async with running(world.app, SHORT) as server:
        silent, half, begun, silent_body, begun_body, kept, again = await asyncio.gather(
            talk(server.port),
            talk(server.port, GET),
            talk(server.port, b"\r\n"),
            talk(server.port, body),
            talk(server.port, body + b"{"),
            talk(server.port, GET + b"\r\n"),
            talk(server.port, GET + b"\r\n" + GET),
        )
    assert silent == b""
    for answer in (half, begun, silent_body, begun_body):
        assert "took more than" in str(problem(answer, 408)["detail"])
    assert statuses(kept) == [200]
    assert statuses(again) == [200, 408]


async def test_who_sends_a_byte_now_and_then_gains_nothing(world: World) -> None:
    async with running(world.app, SHORT) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET + b"X: ")

        reading = asyncio.create_task(reader.read())

        async def ended() -> bool:
            if not reading.done():
                writer.write(b"y")
            return reading.done()

        await eventually(ended, timeout=MOMENT)
        problem(await reading, 408)
        writer.transport.abort()


async def test_who_does_not_read_is_left(world: World) -> None:
    async def large(scope: object, receive: object, send: object) -> None:
        length = (b"content-length", b"50000000")
        await send({"type": "http.response.start", "status": 200, "headers": [length]})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"x" * 50_000_000})  # type: ignore[operator]

    async with running(large, SHORT) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(GET + b"\r\n")
        await reader.read(1)
        await eventually(lambda: not connections(server), timeout=MOMENT)
        writer.transport.abort()


async def test_who_goes_on_sending_after_the_last_answer_is_left(world: World) -> None:
    async with running(world.app, SHORT) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"PUT /api/users/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")

        async def sent() -> bool:
            writer.write(b"x")
            return not connections(server)

        await eventually(sent, timeout=MOMENT)
        writer.transport.abort()
        endless = replace(SHORT, linger=600.0, linger_silent=600.0, linger_bytes=1_000_000)
    async with running(world.app, endless) as server:
        with pytest.raises(ConnectionError):
            await talk(server.port, b"garbage\r\n\r\n", *[b"x" * 1_000_000] * 100)


def connections(server: Running) -> int:
    assert server.actor._server is not None
    return len(server.actor._server.server_state.connections)


async def test_the_longest_idle_makes_room_and_the_log_says_so(world: World) -> None:
    telemetry = RecordedTelemetry()
    async with running(world.app, replace(LIMITS, connections=4), telemetry) as server:
        await eventually(lambda: not connections(server))
        idle = [await asyncio.open_connection("127.0.0.1", server.port)]
        await eventually(lambda: connections(server) == 1)
        clock = asyncio.get_running_loop().time
        began = clock()
        await eventually(lambda: clock() > began + 0.01)  # uvloop counts milliseconds
        idle += [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        await eventually(lambda: connections(server) == 4)
        assert await answered(server.port, GET + b"\r\n") == [200]
        first, *others = [reader for reader, _ in idle]
        assert await asyncio.wait_for(first.read(), MOMENT) == b""
        assert not any(reader.at_eof() for reader in others)
        await eventually(lambda: telemetry.troubled_by("http.connections_full"))
        [said] = telemetry.troubled_by("http.connections_full")
        assert said["limit"] == 4
        for _, writer in idle:
            writer.transport.abort()


async def test_silent_bodies_make_room_too(world: World) -> None:
    async with running(world.app, replace(LIMITS, connections=4)) as server:
        await eventually(lambda: not connections(server))
        silent = request(world, "POST", "/api/notifications", "Content-Length: 100")
        talks = [asyncio.create_task(talk(server.port, silent)) for _ in range(6)]
        await eventually(lambda: sum(talking.done() for talking in talks) == 2)
        assert await answered(server.port, GET + b"\r\n") == [200]
        assert busy(server) == 0
        for talking in talks:
            talking.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def test_when_all_are_worked_for_the_next_is_told_to_come_again(world: World) -> None:
    world.acceptance.hold = asyncio.Event()
    telemetry = RecordedTelemetry()
    async with running(world.app, replace(LIMITS, connections=2), telemetry) as server:
        await eventually(lambda: not connections(server))
        ask = request(world, "POST", "/api/notifications", body=BODY)
        held = [asyncio.create_task(answered(server.port, ask)) for _ in range(2)]
        await eventually(lambda: world.acceptance.asked)
        await eventually(lambda: busy(server) == 2)
        answer = await talk(server.port, GET + b"\r\n")
        problem(answer, 503)
        assert b"retry-after: 1" in answer
        world.acceptance.hold.set()
        assert await asyncio.gather(*held) == [[202], [202]]
        await eventually(lambda: telemetry.troubled_by("http.connections_full"))
        assert telemetry.troubled_by("http.connections_full")[0]["refused"]["overloaded"] == 1


def busy(server: Running) -> int:
    assert server.actor._server is not None
    return sum(each.busy for each in server.actor._server.server_state.connections)  # type: ignore[union-attr]


async def test_who_is_turned_away_is_counted_in_one_line(server: Running) -> None:
    telemetry = server.actor.telemetry
    assert isinstance(telemetry, RecordedTelemetry)
    await asyncio.gather(*(talk(server.port, b"garbage\r\n\r\n") for _ in range(20)))
    await eventually(lambda: telemetry.wides)
    assert sum(each["refused"]["malformed"] for _, each in telemetry.wides) <= 20
    assert len(telemetry.wides) == 1
