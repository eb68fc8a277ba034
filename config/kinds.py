"""The kinds of providers and the accounts of them, as commands list them."""

import msgspec

from adapters.providers.registry import KINDS
from adapters.providers.sandbox import SandboxSettings
from application.provider.list import ProviderAccount
from application.provider.ports import SANDBOX
from config.settings import Settings
from domain.provider.capabilities import Capabilities


class ListedProvider(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of provider, or an account of that kind."""

    name: str = ""
    """Of the account; empty: it is a kind."""
    kind: str
    description: str
    capabilities: Capabilities
    package: str | None = None
    """The installed package that brings the kind; None: Posthorn does."""


def every_kind() -> list[ListedProvider]:
    """Every kind there is, by name."""
    return [_listed(kind) for kind in sorted(KINDS)]


def accounts(settings: Settings) -> list[ProviderAccount]:
    """Every account that is configured, and the sandbox, which is always there."""
    named = {SANDBOX: SandboxSettings(), **settings.providers}
    return [
        ProviderAccount(name=name, kind=one.kind, description=one.description, capabilities=one.capabilities)
        for name, one in ((name, _listed(each.kind(), name)) for name, each in sorted(named.items()))
    ]


def configured(settings: Settings) -> list[ListedProvider]:
    """Every account that is configured, by name."""
    return [_listed(each.kind(), name) for name, each in sorted(settings.providers.items())]


def _listed(kind: str, name: str = "") -> ListedProvider:
    described = (KINDS[kind].__doc__ or "").partition("\n")[0]
    return ListedProvider(
        name=name,
        kind=kind,
        description=described,
        capabilities=KINDS[kind].capabilities,
        package=KINDS.origin(kind),
    )
