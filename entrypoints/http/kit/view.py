"""What all answers have in common."""

from typing import Any, Self

import msgspec


class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Camel case, as the requests."""

    @classmethod
    def copy(cls, source: Any, **others: Any) -> Self:
        """A view of a struct: `others`, and what bears the same name there."""
        same = {name: getattr(source, name) for name in cls.__struct_fields__ if name not in others}
        return cls(**same, **others)
