"""Devices of users: registered, removed, listed."""

from dependency_injector import containers, providers

from adapters.postgres.device.devices import PostgresDevices
from application.device.list import ListDevices
from application.device.update import UpdateDevices
from config.wiring.kernel import KernelRoom
from config.wiring.privacy import PrivacyRoom
from config.wiring.rooms import needs
from config.wiring.user import UserRoom

Single = providers.Singleton


class DeviceRoom(containers.DeclarativeContainer):
    """Rows of devices, and the use cases around them."""

    kernel = needs(KernelRoom)
    privacy = needs(PrivacyRoom)
    user = needs(UserRoom)

    devices = Single(PostgresDevices, database=kernel.database)
    update = Single(
        UpdateDevices,
        devices=devices,
        users=user.users,
        make_users=user.update_users,
        vault=privacy.vault,
        addresses=user.addresses,
        clock=kernel.clock,
    )
    list = Single(ListDevices, devices=devices, users=user.users, vault=privacy.vault)
