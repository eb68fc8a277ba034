"""Links that come from data: what a click may open.

`javascript:` and `data:` run or show foreign content in the name of the shop; browsers skip control
characters and spaces in a scheme and read a backslash as a slash.  So the allowed links are listed, not the
forbidden ones.
"""

import re

SCHEMES = ("http", "https", "mailto", "tel")
LINK_MAX = 2_048
"""Characters; mail programs and browsers take no longer ones for sure."""

_SEEN = r"[^\s\x00-\x20\x7f-\x9f\"<>\\\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
_HOST = r"[^\W_][\w.-]*(?::[0-9]{1,5})?"  # no user before it: `https://shop.example@elsewhere` leads there
_LINKS = {
    "http": re.compile(rf"http://{_HOST}(?:[/?#]{_SEEN}*)?", re.IGNORECASE),
    "https": re.compile(rf"https://{_HOST}(?:[/?#]{_SEEN}*)?", re.IGNORECASE),
    "mailto": re.compile(rf"mailto:[^\s@/?\x00-\x20\"<>\\]{_SEEN}*", re.IGNORECASE),
    "tel": re.compile(r"tel:\+?[0-9][0-9().;=a-z-]*", re.IGNORECASE),
}


def linked(value: str, schemes: tuple[str, ...]) -> bool:
    """Whether it is one link with one of these schemes; spaces around it do not count."""
    if len(value) > LINK_MAX:
        return False
    return any(_LINKS[scheme].fullmatch(value.strip()) for scheme in schemes)
