"""NAME=VALUE on a command line: JSON if it is any, else text."""

import json
from collections.abc import Sequence

import click

from domain.kernel.json_values import Json


def fields(given: Sequence[str]) -> dict[str, Json]:
    """All of them, by name.

    Raises:
        click.BadParameter: one is none.
    """
    return dict(map(_field, given))


def _field(text: str) -> tuple[str, Json]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--with")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
