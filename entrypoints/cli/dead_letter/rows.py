"""Tables of dead letters and of what belongs to one, on the terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click
import msgspec

from entrypoints.cli.shell import out, table


def print_rows(found: Sequence[msgspec.Struct], columns: Sequence[str]) -> None:
    """Print one line for each, with these fields; `None.` when there is none."""
    rows = table(*(column.removesuffix("_type").removesuffix("_at").replace("_", " ") for column in columns))
    for each in found:
        rows.row(*(_cell(getattr(each, column)) for column in columns))
    out().print(rows) if found else click.echo("None.")


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    return "" if value is None else str(value)
