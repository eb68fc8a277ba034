"""Complete what was rendered: an e-mail gets its preheader, its sender and the files that go along."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import msgspec

from application.delivery.ports import Files
from application.kernel.room import Room
from domain.channel.parts import ATTACHMENTS_BYTES
from domain.channel.preheader import with_preheader
from domain.kernel.errors import Fault, Invalid, Unfetched
from domain.kernel.json_values import Json
from domain.template.template import Rendered

FETCHED_BYTES = 64 * 1024 * 1024
"""Files of all messages that are on their way, as base64."""
WAIT_MAX = 10
"""Seconds that a message waits for room; later it comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteMessage:
    """What stands between rendering and a call.

    Args:
        senders: From addresses with their names (`The Shop <shop@example.org>`), by the names they have in
            the configuration.
    """

    files: Files
    senders: Mapping[str, str]
    room: Room = field(default_factory=lambda: Room(FETCHED_BYTES))
    wait_max: float = WAIT_MAX

    async def __call__(self, channel: str, words: Rendered, held: ExitStack) -> Rendered:
        """The message as a gateway takes it: the sender is a mailbox, attachments have contents.

        Args:
            held: closed once the message is sent; gives the room of its files back.

        Raises:
            Invalid: its sender is not configured.
            Unfetched: a file cannot be fetched now.
        """
        if channel != "email" or not words.parts:
            return words
        parts = dict(words.parts)
        if (named := parts.get("sender")) is not None:
            parts["sender"] = self._sender(str(named))
        if attachments := parts.get("attachments"):
            parts["attachments"] = await self._fetched(attachments, held)
        html, preheader = words.html_body, parts.pop("preheader", None)
        if html is not None and preheader:
            html = with_preheader(html, str(preheader))
        return msgspec.structs.replace(words, html_body=html, parts=parts)

    def _sender(self, named: str) -> str:
        if (mailbox := self.senders.get(named)) is None:
            raise Invalid(Fault("/parts/sender", "unknown_sender", f"no sender has the name '{named}'"))
        return mailbox

    async def _fetched(self, attachments: list[dict[str, Json]], held: ExitStack) -> list[dict[str, Json]]:
        """The same with contents in place of URLs."""
        if not any("url" in each for each in attachments):
            return attachments
        inline = sum(len(each.get("content") or "") for each in attachments) * 3 // 4
        left, most = ATTACHMENTS_BYTES - inline, _base64(ATTACHMENTS_BYTES)
        await self._enter(most)
        made: list[dict[str, Json]] = []
        fetched = 0
        try:
            for each in attachments:
                if (url := each.get("url")) is None:
                    made.append(each)
                    continue
                content = await self.files.fetch(url, left)
                fetched += len(content)
                left -= len(content) * 3 // 4
                made.append({"name": each["name"], "type": each["type"], "content": content})
        except BaseException:
            fetched = 0
            raise
        finally:
            kept = min(fetched, most)
            self.room.give(most - kept)
            held.callback(self.room.give, kept)
        return made

    async def _enter(self, size: int) -> None:
        try:
            async with asyncio.timeout(self.wait_max):
                await self.room.take(size)
        except TimeoutError:
            raise Unfetched("attachments of other messages take all the room there is") from None


def _base64(size: int) -> int:
    return (size + 2) // 3 * 4
