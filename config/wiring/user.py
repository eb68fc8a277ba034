"""Users: the shop's customers and guests, and their addresses."""

from dependency_injector import containers, providers

from adapters.addresses.addresses import LocalAddresses
from adapters.postgres.user.people import PostgresPeople
from application.user.erase import ErasePeople
from application.user.find import FindUser
from application.user.mirror import MirrorPeople
from application.user.page import ListUsers
from config.wiring.kernel import KernelRoom
from config.wiring.privacy import PrivacyRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class UserRoom(containers.DeclarativeContainer):
    """Rows of users, and the use cases around them."""

    kernel = needs(KernelRoom)
    privacy = needs(PrivacyRoom)

    addresses = Single(LocalAddresses)
    people = Single(PostgresPeople, database=kernel.database)
    mirror = Single(MirrorPeople, people=people, vault=privacy.vault, addresses=addresses, clock=kernel.clock)
    erase = Single(ErasePeople, people=people, vault=privacy.vault, addresses=addresses)
    find = Single(FindUser, people=people, vault=privacy.vault)
    list = Single(ListUsers, people=people, vault=privacy.vault, addresses=addresses)
