"""Files in a mail object: base64 in lines, and names that every mail program reads."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from domain.channel.parts import Attachment

_LINE = 76  # RFC 2045, 6.8
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._ ()+-]")
_SPACE = dict.fromkeys(map(ord, " \t\r\n"))
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def mixed(body: list[str], attachments: Sequence[Attachment], boundary: str) -> list[str]:
    """The last headers and the content of a message with files; without any it is `body`.

    Args:
        body: headers and content of its texts.
        attachments: with their contents.
    """
    if not attachments:
        return body
    delimiter = f"--{boundary}"
    head = [f'Content-Type: multipart/mixed; boundary="{boundary}"', "", delimiter]
    files = [line for each in attachments for line in (delimiter, *_file(each))]
    return [*head, *body, *files, f"{delimiter}--"]


def _file(attachment: Attachment) -> Iterator[str]:
    content = (attachment.content or "").translate(_SPACE)
    yield f"Content-Type: {attachment.type}"
    yield "Content-Transfer-Encoding: base64"
    yield f"Content-Disposition: attachment;\r\n {_file_name(attachment.name)}"
    yield ""
    for start in range(0, len(content), _LINE):
        yield content[start : start + _LINE]


def _file_name(name: str) -> str:
    """The parameter with a file's name; in the extended form (RFC 2231) unless it is plain."""
    name = _CONTROLS.sub("", " ".join(name.split()))
    if _NOT_PLAIN.search(name):
        return f"filename*=utf-8''{quote(name, safe='')}"
    return f'filename="{name}"'
