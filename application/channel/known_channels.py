"""The names of the channels there are, as this process knows them."""

from collections.abc import Collection, Iterable, Iterator


class KnownChannels(Collection[str]):
    """The channels of the configuration, and those that the API has made, as they were read last."""

    def __init__(self, configured: Iterable[str]) -> None:
        self._configured = frozenset(configured)
        self._all = self._configured

    def learn(self, made: Iterable[str]) -> None:
        """These are all that the API has made."""
        self._all = self._configured.union(made)

    def configured(self, channel: str) -> bool:
        """Whether the configuration has it."""
        return channel in self._configured

    def __contains__(self, channel: object) -> bool:
        return channel in self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
