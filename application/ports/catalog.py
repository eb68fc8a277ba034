"""What operators keep: templates, triggers, channels, keys; read often, written seldom.

Every `put` takes `expected`: the version the caller has seen (If-Match), 0 to create only, None to not care.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import msgspec

from domain.kernel.channel import Mode
from domain.notification.trigger import Trigger
from domain.template.template import Template

T = TypeVar("T")


class Versioned(msgspec.Struct, Generic[T], frozen=True):
    """A value, how often it was written (its ETag), and when last."""

    value: T
    version: int
    updated_at: datetime


class TemplateHead(msgspec.Struct, frozen=True, kw_only=True):
    """A template as a list shows it."""

    id: str
    name: str
    channel: str
    latest: int
    active: int | None
    """The version in use, or None."""


class Templates(Protocol):
    """Immutable versions; one of each template is active."""

    async def find(self, template: str, version: int | None = None) -> Template | None:
        """A version, or the active one."""
        ...

    async def add(self, draft: Template, *, expected: int | None, activate: bool) -> Template:
        """Save as the next version (the draft's own number is not looked at).

        Raises:
            Conflict: `expected` is not the latest version.
        """
        ...

    async def activate(self, template: str, version: int | None, *, expected: int | None) -> TemplateHead:
        """Use this version from now on; None: none (switched off).

        Raises:
            NotFound, Conflict.
        """
        ...

    async def page(
        self, after: str, limit: int, *, channel: str | None = None, template: str | None = None
    ) -> list[TemplateHead]:
        """Heads in id order, behind `after`."""
        ...


class Triggers(Protocol):
    """Rules from shop events to notifications."""

    async def get(self, trigger: str) -> Versioned[Trigger] | None:
        """One."""
        ...

    async def put(self, trigger: Trigger, *, expected: int | None) -> Versioned[Trigger]:
        """Create or replace.

        Raises:
            Conflict: see the module.
        """
        ...

    async def delete(self, trigger: str, *, expected: int | None) -> bool:
        """Remove; False when it was not there."""
        ...

    async def page(self, after: str, limit: int) -> list[Versioned[Trigger]]:
        """In id order, behind `after`."""
        ...


class WhenDisabled(StrEnum):
    """What becomes of new requests while a channel is disabled; what was accepted waits either way."""

    REFUSE = "refuse"
    """They are told so.  Events, which nobody can answer, are accepted and wait."""
    HOLD = "hold"
    """They are accepted and wait."""


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a channel is run; providers are names of `[providers.<name>]` in the configuration: no secrets."""

    channel: str
    enabled: bool = True
    """Off: its deliveries wait, and new requests are refused."""
    when_disabled: WhenDisabled = WhenDisabled.REFUSE
    paused: bool = False
    """On: its deliveries wait."""
    providers: tuple[str, ...] = ("sandbox",)
    """In order of preference."""


class Channels(Protocol):
    """The channel configurations."""

    async def get(self, channel: str) -> Versioned[Channel] | None:
        """One."""
        ...

    async def put(self, channel: Channel, *, expected: int | None) -> Versioned[Channel]:
        """Create or replace."""
        ...

    async def all(self) -> list[Versioned[Channel]]:
        """In name order: there are few."""
        ...


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept: its secret is not."""

    id: UUID
    name: str
    mode: Mode
    prefix: str
    """First characters of the secret, for people to tell keys apart."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """Keys by the keyed digest of their secret."""

    async def add(self, key: ApiKey, digest: bytes) -> None:
        """Save a new one."""
        ...

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key of a secret, revoked and expired ones too."""
        ...

    async def revoke(self, key: UUID, at: datetime) -> bool:
        """Use it no more; False when there is no such key."""
        ...

    async def all(self) -> Sequence[ApiKey]:
        """Oldest first."""
        ...
