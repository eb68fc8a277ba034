"""The preheader of an e-mail: what mail programs show beside the subject, and nobody sees in the message."""

import re
from html import escape

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_LOOKED_AT = 65_536
"""Characters in which the body begins; a message without a body tag begins at once."""
_STYLE = "display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;opacity:0"
_PADDING = "&#847;&zwnj;&nbsp;" * 60
"""Keeps the first words of the message out of the preview: programs fill a short preheader up with them."""


def with_preheader(html: str, preheader: str) -> str:
    """The HTML with the preheader at its start, hidden.

    Args:
        preheader: plain text.
    """
    text = " ".join(preheader.split())
    if not text:
        return html
    hidden = f'<div style="{_STYLE}">{escape(text)}{_PADDING}</div>'
    found = _BODY.search(html, 0, _LOOKED_AT)
    at = found.end() if found else 0
    return f"{html[:at]}{hidden}{html[at:]}"
