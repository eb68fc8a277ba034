"""The bounds of HTTP calls, by themselves."""

from datetime import timedelta

import msgspec


class HttpBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Of the calls of an account whose settings are none of `HttpSettings`."""

    pool: int
    """Connections, so calls at a time."""
    timeout: timedelta
    """Of a call."""
