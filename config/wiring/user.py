"""Users: the shop's customers and guests, and their addresses."""

from dependency_injector import containers, providers

from adapters.addresses.addresses import LocalAddresses
from adapters.postgres.user.users import PostgresUsers
from application.user.erase import EraseUsers
from application.user.find import FindUser
from application.user.page import ListUsers
from application.user.update import UpdateUsers
from config.wiring.kernel import KernelRoom
from config.wiring.privacy import PrivacyRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class UserRoom(containers.DeclarativeContainer):
    """Rows of users, and the use cases around them."""

    kernel = needs(KernelRoom)
    privacy = needs(PrivacyRoom)

    addresses = Single(LocalAddresses)
    users = Single(PostgresUsers, database=kernel.database)
    update_users = Single(
        UpdateUsers, users=users, vault=privacy.vault, addresses=addresses, clock=kernel.clock
    )
    erase = Single(EraseUsers, users=users, vault=privacy.vault, addresses=addresses)
    find = Single(FindUser, users=users, vault=privacy.vault)
    list = Single(ListUsers, users=users, vault=privacy.vault, addresses=addresses)
