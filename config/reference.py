"""The settings as tables of Markdown: `posthorn config reference`, and a part of docs/configuration.md."""

from collections.abc import Iterable

from msgspec import structs

from adapters.providers.registry import KINDS
from config.content import SenderSettings
from config.listing import Setting, description, walk
from config.settings import Settings, VaultKeys
from config.values import expected, shown, span
from domain.provider.capabilities import Capabilities

_HEAD = "| key | default | takes | |"
_ABLE = (
    "channels",
    "messages a call",
    "idempotency keys",
    "receipts",
    "look-up",
    "bytes a message",
    "regions",
)
_CAPABILITIES = f"| `kind` | {' | '.join(_ABLE)} |"


def reference() -> str:
    """All settings as tables, one for each section."""
    sections: dict[str, list[str]] = {}
    for setting in walk(Settings(), {}):
        if not setting.key.startswith("providers."):
            sections.setdefault(setting.key.partition(".")[0], []).append(_row(setting))
    sections["vault"].insert(1, f"| `vault.keys.N` |  | text | {_keys()} |")
    sections["senders"] = [_row(each) for each in walk(SenderSettings(), {}, "senders.NAME.")]
    tables = {name: _table(_HEAD, rows) for name, rows in sections.items()}
    able = [_capable(kind, settings.capabilities) for kind, settings in KINDS.items()]
    tables["providers: what each kind can do"] = _table(_CAPABILITIES, able)
    for kind, settings in KINDS.items():
        listed = walk(settings(), {}, "providers.NAME.")
        rows = [_row(each) for each in listed if each.key[-4:] != "kind"]
        tables[f'providers, `kind = "{kind}"`'] = _table(_HEAD, rows)
    return "\n".join(f"### {name}\n\n{table}\n" for name, table in tables.items())


def _capable(kind: str, can: Capabilities) -> str:
    known = (
        ", ".join(can.channels) or "all",
        str(can.batch_max),
        f"for {span(can.idempotency)}" if can.idempotency else "no",
        "yes" if can.receipts else "no",
        (f"after {span(can.lookup_after)}" if can.lookup_after else "yes") if can.lookup else "no",
        f"{can.size_max:,}" if can.size_max else "no limit published",
        ", ".join(can.regions) or "no choice",
    )
    return f"| `{kind}` | {' | '.join(known)} |"


def _table(head: str, rows: Iterable[str]) -> str:
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *rows])


def _row(setting: Setting) -> str:
    default = shown(setting.value)
    takes = expected(setting.kind).partition(" such as")[0]
    return f"| `{setting.key}` | {f'`{default}`' if default else ''} | {takes} | {setting.description} |"


def _keys() -> str:
    return next(description(field) for field in structs.fields(VaultKeys) if field.name == "keys")
