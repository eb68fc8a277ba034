"""Complete what was rendered: an e-mail gets its preheader, its sender and the files that go along."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from application.delivery.ports import Files
from domain.channel.parts import ATTACHMENTS_BYTES
from domain.channel.preheader import with_preheader
from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import Json
from domain.template.template import Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteMessage:
    """What stands between rendering and a call.

    Args:
        senders: From addresses with their names (`The Shop <shop@example.org>`), by the names they have in
            the configuration.
    """

    files: Files
    senders: Mapping[str, str]

    async def __call__(self, channel: str, words: Rendered) -> Rendered:
        """The message as a gateway takes it: the sender is a mailbox, attachments have contents.

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
            parts["attachments"] = await self._fetched(attachments)
        html, preheader = words.html_body, parts.pop("preheader", None)
        if html is not None and preheader:
            html = with_preheader(html, str(preheader))
        return msgspec.structs.replace(words, html_body=html, parts=parts)

    def _sender(self, named: str) -> str:
        if (mailbox := self.senders.get(named)) is None:
            raise Invalid(Fault("/parts/sender", "unknown_sender", f"no sender has the name '{named}'"))
        return mailbox

    async def _fetched(self, attachments: list[dict[str, Json]]) -> list[dict[str, Json]]:
        """The same with contents in place of URLs."""
        inline = sum(len(each.get("content") or "") for each in attachments) * 3 // 4
        made, left = [], ATTACHMENTS_BYTES - inline
        for each in attachments:
            if (url := each.get("url")) is None:
                made.append(each)
                continue
            content = await self.files.fetch(url, left)
            left -= len(content) * 3 // 4
            made.append({"name": each["name"], "type": each["type"], "content": content})
        return made
