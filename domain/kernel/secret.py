"""A value that must not be shown: passwords and keys."""

MASK = "••••••"


class Secret:
    """Text that only `reveal` gives away; printed, logged or formatted it is masked."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself: hand it to what needs it, keep it nowhere."""
        return self._value

    def masked(self) -> str:
        """The text that is shown in place of the secret."""
        return MASK

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked()})"

    def __str__(self) -> str:
        return self.masked()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)
