"""Who could be reached on a channel now: by an address, or by a device."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.channel.ports import Channel
from application.device.ports import Devices
from application.provider.ports import SANDBOX, Gateways
from domain.kernel.channel import Mode
from domain.notification.request import Profile

PUSH = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewReach:
    """As a delivery would find it, but for what only its call can tell."""

    devices: Devices
    gateways: Gateways

    async def __call__(
        self, name: str, channel: Channel | None, mode: Mode, who: Sequence[tuple[UUID, Profile]]
    ) -> list[str | None]:
        """The address of each, None for who has none; of who has devices it is the channel's name.

        Raises:
            StoreUnavailable.
        """
        by = None if channel is None else channel.addressed_by
        if name != PUSH or by is not None:
            return [profile.address(name, by) for _, profile in who]
        owners = await self.devices.owners([user for user, _ in who])
        knows_users = self._knows_users(channel, mode)
        return [
            profile.address(PUSH) or (PUSH if user in owners or (knows_users and profile.user_id) else None)
            for user, profile in who
        ]

    def _knows_users(self, channel: Channel | None, mode: Mode) -> bool:
        """A provider knows the devices of users itself, and is given the user's own id."""
        providers = (SANDBOX,) if mode is Mode.TEST or channel is None else channel.providers
        known = [each for each in providers if self.gateways.named(each) is not None]
        return any(not self.gateways.push_services(each) for each in known)
