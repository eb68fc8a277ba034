"""A list of all settings, each with its value and its source."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect, structs

from adapters.providers.kit.settings import ProviderSettings
from config.settings import POLICY_TEXTS


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One key, as `posthorn config show` lists it."""

    key: str
    value: Any  # as the setting has it
    source: str
    kind: inspect.Type
    description: str


def walk(section: msgspec.Struct, origins: Mapping[str, str], at: str = "") -> Iterator[Setting]:
    """Yield every setting of a section and of the sections below it.

    Args:
        origins: the source of each key that is not as by default.
        at: the section's own key, with a dot behind it; empty for all settings.
    """
    if isinstance(section, ProviderSettings):
        yield _listed(f"{at}kind", section.kind(), origins, inspect.StrType(), _one_line(type(section)))
    for field in structs.fields(section):
        value, key = getattr(section, field.name), f"{at}{field.encode_name}"
        if isinstance(value, msgspec.Struct):
            yield from walk(value, origins, f"{key}.")
        elif isinstance(value, dict):
            for name, each in value.items():
                if isinstance(each, msgspec.Struct):
                    yield from walk(each, origins, f"{key}.{name}.")
                else:
                    yield _listed(f"{key}.{name}", each, origins, inspect.StrType(), description(field))
        else:
            yield _listed(key, value, origins, inspect.type_info(field.type), description(field))


def description(field: structs.FieldInfo) -> str:
    """The description in the type of a setting; empty when it has none."""
    info = inspect.type_info(field.type)
    if not isinstance(info, inspect.Metadata):
        return POLICY_TEXTS.get(field.name, "")
    return str((info.extra_json_schema or {}).get("description", ""))


def _listed(key: str, value: object, origins: Mapping[str, str], kind: inspect.Type, text: str) -> Setting:
    return Setting(key=key, value=value, source=origins.get(key, "default"), kind=kind, description=text)


def _one_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
