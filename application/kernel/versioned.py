"""A value with its version: what operators keep, read often and written seldom.

Every `put` takes `expected`: the version the caller has seen (If-Match), 0 to create only, None to not care.
"""

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Versioned(msgspec.Struct, Generic[T], frozen=True):
    """A value, how often it was written (its ETag), and when last."""

    value: T
    version: int
    updated_at: datetime
