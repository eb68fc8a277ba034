"""The settings as tables of Markdown: `posthorn config reference`, and a part of docs/configuration.md."""

from collections.abc import Iterable

from msgspec import structs

from config.listing import Setting, description, walk
from config.providers import KINDS
from config.settings import Settings, VaultKeys
from config.values import expected, shown


def reference() -> str:
    """All there are, section by section."""
    sections: dict[str, list[str]] = {}
    for setting in walk(Settings(), {}):
        if not setting.key.startswith("providers."):
            sections.setdefault(setting.key.partition(".")[0], []).append(_row(setting))
    sections["vault"].insert(1, f"| `vault.keys.N` |  | text | {_keys()} |")
    for kind, provider in KINDS.items():
        settings = walk(provider(), {}, "providers.NAME.")
        sections[f'providers, `kind = "{kind}"`'] = [
            _row(each) for each in settings if each.key[-4:] != "kind"
        ]
    return "\n".join(f"### {name}\n\n{_table(rows)}\n" for name, rows in sections.items())


def _table(rows: Iterable[str]) -> str:
    return "\n".join(["| key | default | takes | |", "|---|---|---|---|", *rows])


def _row(setting: Setting) -> str:
    default = shown(setting.value)
    takes = expected(setting.kind).partition(" such as")[0]
    return f"| `{setting.key}` | {f'`{default}`' if default else ''} | {takes} | {setting.description} |"


def _keys() -> str:
    return next(description(field) for field in structs.fields(VaultKeys) if field.name == "keys")
