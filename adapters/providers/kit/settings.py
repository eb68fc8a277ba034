"""What the settings of every provider have in common, and what every gateway is given beside them."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

import msgspec

from adapters.providers.kit.ledger import Ledger
from application.kernel.ports import Clock, Dice
from application.provider.ports import Gateway
from application.secret.ports import Secrets
from domain.kernel.errors import SecretUnavailable
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities


class ProviderGateway(Gateway, Protocol):
    """A gateway that holds connections."""

    async def aclose(self) -> None:
        """Close what is open; called once, after the last call."""
        ...


class NoSecrets:
    """Implements `Secrets` where nobody has put any."""

    async def get(self, reference: str) -> Secret:
        """See `Secrets`."""
        raise SecretUnavailable(f"{reference}: secrets are not looked up here")


NOWHERE = NoSecrets()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderContext:
    """What a gateway may need beside its own settings."""

    clock: Clock
    dice: Dice
    call_max: timedelta
    """`engine.call_max`."""
    ledger: Ledger | None = None
    """Where the sandbox writes what it was given; None: nowhere."""
    secrets: Secrets = NOWHERE
    """Of descriptions."""


class ProviderSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """One provider account, `[providers.NAME]` in the configuration.

    A provider's file has a subclass of it, whose tag is the `kind` that configuration names, and whose
    docstring begins with the line that documentation shows.
    """

    capabilities: ClassVar[Capabilities]

    @classmethod
    def kind(cls) -> str:
        """The name of its kind in configuration."""
        return str(cls.__struct_config__.tag)

    @abstractmethod
    def gateway(self, context: ProviderContext, /) -> ProviderGateway:
        """The gateway of this account.  It connects with the first message.

        Raises:
            Misconfigured: it cannot work as it is configured.
        """

    @property
    def push_services(self) -> frozenset[str]:
        """The push services whose tokens this account takes."""
        return frozenset(self.capabilities.push_services)

    @property
    def calls_max(self) -> int | None:
        """Calls that one process makes at a time; None: as many as there are deliveries in work."""
        return None

    @property
    def begins_within(self) -> timedelta:
        """Until the provider can act on a call it takes no longer than this, which is its setting `timeout`.

        Configuration holds it to `engine.call_max`.  Zero: the gateway sees to that by itself.
        """
        return timedelta()

    def faults(self) -> Iterator[tuple[str, str]]:
        """Settings that do not go together: the name of one, and what is wrong with it."""
        yield from ()
