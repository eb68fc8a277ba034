"""The kinds of providers and the accounts of them, as commands list them."""

from collections.abc import Sequence
from datetime import timedelta

from adapters.providers.registry import KINDS
from adapters.providers.sandbox import SandboxSettings
from application.provider.list import ProviderAccount
from application.provider.ports import SANDBOX
from config.settings import Settings


class ListedProvider(ProviderAccount, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of provider, or an account of that kind."""

    name: str = ""
    """Of the account; empty: it is a kind."""
    package: str | None = None
    """The installed package that brings the kind; None: Posthorn does."""


def every_kind() -> list[ListedProvider]:
    """Every kind there is, by name."""
    return [_listed(kind) for kind in sorted(KINDS)]


def accounts(settings: Settings) -> Sequence[ProviderAccount]:
    """Every account that is configured, and the sandbox, which is always there."""
    return [_listed(SandboxSettings.kind(), SANDBOX), *configured(settings)]


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


_HEAD = (
    "channel",
    "kind",
    "what",
    "messages a call",
    "repeats recognised for",
    "can be asked",
    "receipts",
    "bytes",
)


def kinds_table() -> str:
    """Every shipped kind with what it can do, as Markdown: one row for each channel."""
    rows = [
        (channel, *_cells(each))
        for each in every_kind()
        if each.package is None
        for channel in each.capabilities.channels or ("any",)
    ]
    lines = [_HEAD, ("---",) * len(_HEAD), *sorted(rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(kind: ListedProvider) -> tuple[str, ...]:
    can = kind.capabilities
    return (
        f"`{kind.kind}`",
        kind.description.rstrip("."),
        f"{can.batch_max:,}",
        "–" if can.idempotency is None else _span(can.idempotency),
        "yes" if can.lookup else "–",
        "yes" if can.receipts else "–",
        "–" if can.size_max is None else f"{can.size_max:,}",
    )


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
