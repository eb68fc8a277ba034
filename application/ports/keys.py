"""The keys that data is sealed and indexed under: what is known of them, and what finding out needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import msgspec


@dataclass(slots=True)
class KeyState:
    """What is known of the keys of this process."""

    wrong: str | None = "the keys are not checked yet: that needs the database"
    """They are not those of the data (or nobody knows yet): nothing may be sealed, opened or looked up."""
    missing: dict[int, str] = field(default_factory=dict)
    """Versions that seal data and are not configured here, and what to do: that data cannot be opened."""

    @property
    def trouble(self) -> str | None:
        """For people; None: all keys are at hand."""
        return self.wrong or next(iter(self.missing.values()), None)


class Sample(msgspec.Struct, frozen=True):
    """A person on file, sealed by whoever wrote it."""

    person: UUID
    data_key: bytes
    profile: bytes


class Proofs(Protocol):
    """The canary rows: one for each key that data was sealed or indexed under, made with that key."""

    async def all(self) -> dict[str, bytes]:
        """By the key's name."""
        ...

    async def add(self, proofs: Mapping[str, bytes]) -> None:
        """Keep those that are not there yet; what stands is never overwritten."""
        ...

    async def sample(self) -> Sample | None:
        """Somebody with a profile; None: nobody is there yet."""
        ...


class Keyring(Protocol):
    """The configured keys, whether or not they are the right ones."""

    @property
    def current(self) -> int:
        """The version that seals."""
        ...

    def prove(self, version: int | None) -> bytes:
        """A proof of the key-encryption key of a version, or (None) of the index key.

        Raises:
            KeyUnavailable: it is not configured.
        """
        ...

    def proves(self, version: int | None, proof: bytes) -> bool:
        """Whether the same key made it.

        Raises:
            KeyUnavailable: it is not configured.
        """
        ...

    def opens(self, sample: Sample) -> bool:
        """Whether a person on file opens, and is found under the index key.

        Raises:
            KeyUnavailable: the key it is sealed under is not configured.
        """
        ...
