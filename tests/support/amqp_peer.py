"""The other end of an AMQP connection, by pamqp: does what a test says, also what no broker should.

async with Peer() as peer:
    link = Link([peer.endpoint], name="test"); await link.open()
    peer.on(commands.Basic.Publish, lambda peer, channel, method: peer.send(commands.Basic.Ack(1), channel))
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from pamqp import base, body, commands, frame, header

from adapters.rabbitmq.endpoint import Endpoint

Answer = Callable[["Peer", int, Any], None]
HEAD = 7

ANSWERS: dict[type[base.Frame], Answer] = {
    commands.Connection.StartOk: lambda peer, _, __: peer.send(commands.Connection.Tune(0, 0, 60)),
    commands.Connection.Open: lambda peer, _, __: peer.send(commands.Connection.OpenOk()),
    commands.Connection.Close: lambda peer, _, __: peer.send(commands.Connection.CloseOk()),
    commands.Channel.Open: lambda peer, channel, _: peer.send(commands.Channel.OpenOk(), channel),
    commands.Channel.Close: lambda peer, channel, _: peer.send(commands.Channel.CloseOk(), channel),
    commands.Confirm.Select: lambda peer, channel, _: peer.send(commands.Confirm.SelectOk(), channel),
    commands.Basic.Qos: lambda peer, channel, _: peer.send(commands.Basic.QosOk(), channel),
    commands.Basic.Consume: lambda peer, channel, heard: peer.consuming(channel, heard),
}


class Peer:
    """One listener; its latest connection."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.connections = 0
        self._consumer = (0, "")
        self._answers = dict(ANSWERS)
        self._reading = asyncio.Event()
        self._reading.set()
        self._tasks: set[asyncio.Task[None] | None] = set()

    def on(self, method: type[base.Frame], answer: Answer) -> None:
        """Answer this method so."""
        self._answers[method] = answer

    def send(self, method: Any, channel: int = 0) -> None:
        """Send one frame."""
        self.send_bytes(frame.marshal(method, channel))

    def send_bytes(self, data: bytes) -> None:
        """Send anything."""
        self._writer.write(data)

    def deliver(self, tag: int, content: bytes) -> None:
        """Deliver a message to the latest consumer."""
        channel, consumer = self._consumer
        self.send(commands.Basic.Deliver(consumer, tag, False, "", "key"), channel)
        self.send(header.ContentHeader(body_size=len(content)), channel)
        self.send(body.ContentBody(content), channel)

    def cancel(self) -> None:
        """Cancel the latest consumer."""
        channel, consumer = self._consumer
        self.send(commands.Basic.Cancel(consumer, True), channel)

    def consuming(self, channel: int, heard: commands.Basic.Consume) -> None:
        """Let it consume."""
        self._consumer = (channel, heard.consumer_tag)
        self.send(commands.Basic.ConsumeOk(heard.consumer_tag), channel)

    def give_back(self, message_id: str, channel: int = 1) -> None:
        """Return a message as unroutable."""
        self.send(commands.Basic.Return(312, "NO_ROUTE", "", "q"), channel)
        properties = commands.Basic.Properties(message_id=message_id)
        self.send(header.ContentHeader(body_size=0, properties=properties), channel)

    def stop_reading(self) -> None:
        """Take nothing more from the socket, and keep it."""
        self._reading.clear()

    def read_on(self) -> None:
        """Take what comes again."""
        self._reading.set()

    def hang_up(self) -> None:
        """Close the socket without a word."""
        self._writer.transport.abort()

    @property
    def message_ids(self) -> list[str]:
        """Of what was published."""
        return [one.properties.message_id for one in self.heard if isinstance(one, header.ContentHeader)]

    def of(self, kind: type[Any]) -> list[Any]:
        """What was heard of one kind."""
        return [one for one in self.heard if isinstance(one, kind)]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.endpoint = Endpoint(host="127.0.0.1", port=port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            if task:
                task.cancel()
        await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        self._writer = writer
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            assert await reader.readexactly(8) == b"AMQP\x00\x00\x09\x01"
            properties = {"capabilities": {"publisher_confirms": True, "basic.nack": True}}
            self.send(commands.Connection.Start(server_properties=properties, mechanisms="PLAIN"))
            while True:
                await self._reading.wait()
                head = await reader.readexactly(HEAD)
                rest = await reader.readexactly(int.from_bytes(head[3:], "big") + 1)
                _, channel, heard = frame.unmarshal(head + rest)
                self.heard.append(heard)
                if answer := self._answers.get(type(heard)):
                    answer(self, channel, heard)
        writer.close()
