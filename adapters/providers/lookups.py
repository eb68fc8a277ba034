"""Asking providers for messages whose calls they did not answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from uuid import UUID

from application.provider.ports import Gateways
from domain.provider.capabilities import Capabilities
from domain.provider.lookup import Certainty, Finding, Unclear


@runtime_checkable
class AskableGateway(Protocol):
    """A gateway whose provider can be asked for a message.  Held to tests/contract/lookup.py."""

    async def find(self, delivery: UUID, attempts: Collection[int]) -> Finding:
        """Ask for the message of a delivery, sent by one of these attempts.  Raises nothing of its own."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderLookups:
    """Implements `Lookups`.

    Args:
        capabilities: of each configured provider.
    """

    gateways: Gateways
    capabilities: Mapping[str, Capabilities]

    def certainty(self, provider: str) -> Certainty | None:
        """See `Lookups`."""
        can = self.capabilities.get(provider)
        return None if can is None else can.certainty()

    async def find(self, provider: str, delivery: UUID, attempts: Collection[int]) -> Finding:
        """See `Lookups`."""
        gateway: object = self.gateways.named(provider)
        if not isinstance(gateway, AskableGateway):
            return Unclear("it cannot be asked")
        try:
            return await gateway.find(delivery, attempts)
        except Exception as bug:  # noqa: BLE001  the gateway's
            return Unclear(type(bug).__name__)
