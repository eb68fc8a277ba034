"""Oversized messages: their bytes are dropped as they arrive, and only their size is kept.

aiormq keeps every body in memory, and a broker carries bodies of up to 128 MiB: a prefetch of them would be
more than a machine has.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiormq import Channel
from aiormq.abc import DeliveredMessage
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from adapters.rabbitmq.tolerant_reader import TOO_LARGE

Read = Callable[[Any, ContentHeader], Awaitable[DeliveredMessage]]  # aiormq's frames


def install(channel: Channel, largest: int) -> None:
    """From now on bodies of more than `largest` bytes arrive empty on this channel."""

    async def read(frame: Any, header: ContentHeader) -> DeliveredMessage:  # passed on
        size, got = header.body_size or 0, 0
        pieces: list[bytes] = []
        while got < size:
            content = await channel._get_frame()  # noqa: SLF001  what its own `_read_content` reads from
            if not isinstance(content, ContentBody):
                raise ValueError(f"{content!r} instead of a piece of a body")  # noqa: TRY004  as aiormq's
            got += len(content.value)
            if size <= largest:
                pieces.append(content.value)
        return DeliveredMessage(delivery=frame, header=header, body=b"".join(pieces), channel=channel)

    channel._read_content = read  # type: ignore[method-assign]  # noqa: SLF001


def cut(message: DeliveredMessage) -> int:
    """The size in bytes of what was dropped of a message; 0 when it is whole."""
    headers: Mapping[Any, Any] = message.header.properties.headers or {}  # AMQP values
    if TOO_LARGE in headers:
        return int(headers[TOO_LARGE])
    size = message.header.body_size or 0
    return size if size > len(message.body) else 0
