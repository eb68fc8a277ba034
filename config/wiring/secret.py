"""Secrets by reference, for what is saved over the API."""

from dependency_injector import containers, providers

from config.secret_sources import of_descriptions
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs


class SecretRoom(containers.DeclarativeContainer):
    """`secrets` reads what descriptions of providers refer to."""

    kernel = needs(KernelRoom)

    secrets = providers.Singleton(of_descriptions, kernel.settings.provided.secrets, kernel.clock)
