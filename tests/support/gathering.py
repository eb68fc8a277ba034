"""Calls that are made at the same time."""

import asyncio
from collections.abc import Sequence

from application.provider.ports import Gateway, OutboundMessage
from domain.provider.outcome import Outcome


async def together(gateway: Gateway, messages: Sequence[OutboundMessage]) -> list[Outcome]:
    """Send them at once."""
    return list(await asyncio.gather(*(gateway.send(each) for each in messages)))
