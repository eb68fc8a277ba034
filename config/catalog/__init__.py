"""The templates and triggers that Posthorn ships, as data files: a first day works without writing any.

`templates/<id>.toml` describes a template, `<id>.txt` and `<id>.html` are its parts; the HTML stands inside
`_frame.html`.  `triggers/<id>.toml` is a trigger, with the reason for its key and a sample of its event.
`providers/<name>.toml` describes a well-known service.
"""

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from application.provider.presets import ProviderPreset
from domain.kernel.channel import Priority
from domain.template.template import Template, Variable
from domain.trigger.trigger import ShopEvent, Trigger


class Catalog(msgspec.Struct, frozen=True):
    """What is shipped."""

    templates: tuple[Template, ...]
    triggers: tuple[Trigger, ...]
    samples: dict[str, ShopEvent]
    """An event for each trigger, by the trigger's id."""


def load_catalog() -> Catalog:
    """Read the files."""
    here = files(__name__)
    samples: dict[str, ShopEvent] = {}
    triggers = tuple(_trigger(file, samples) for file in _tomls(here / "triggers"))
    return Catalog(
        tuple(_template(file, here / "templates") for file in _tomls(here / "templates")), triggers, samples
    )


def load_presets() -> tuple[ProviderPreset, ...]:
    """Read the descriptions of well-known services, in the order of their names."""
    return tuple(
        msgspec.convert({"name": file.name.removesuffix(".toml"), **_toml(file)}, ProviderPreset)
        for file in _tomls(files(__name__) / "providers")
    )


def _tomls(folder: Traversable) -> list[Traversable]:
    found = (
        file for file in folder.iterdir() if file.name.endswith(".toml") and not file.name.startswith("_")
    )
    return sorted(found, key=lambda file: file.name)


def _template(file: Traversable, folder: Traversable) -> Template:
    id_ = file.name.removesuffix(".toml")
    read = _toml(file)
    marketing = read.get("marketing", False)
    variables = dict(read["variables"])
    for common in ("_common.toml", "_marketing.toml") if marketing else ("_common.toml",):
        variables |= _toml(folder / common)["variables"]
    frame = {
        "preview": read["preview"],
        "content": _text(folder / f"{id_}.html"),
        "footer": _text(folder / ("_footer_marketing.html" if marketing else "_footer.html")),
    }
    html = _text(folder / "_frame.html")
    for name, part in frame.items():
        html = html.replace(f"<!-- {name} -->", part.strip())
    return Template(
        id=id_,
        version=1,
        name=read["name"],
        channel=read["channel"],
        subject=read["subject"],
        body=_text(folder / f"{id_}.txt"),
        html_body=html,
        variables=msgspec.convert(variables, dict[str, Variable]),
    )


def _trigger(file: Traversable, samples: dict[str, ShopEvent]) -> Trigger:
    id_ = file.name.removesuffix(".toml")
    read = _toml(file)
    data = read.pop("sample")
    read["priority"] = Priority.of(read["priority"])
    read["klass"] = read.pop("class")
    trigger = msgspec.convert({"id": id_, **read}, Trigger)
    samples[id_] = ShopEvent(id=f"sample-{id_}", source="/shop", type=trigger.event, data=data)
    return trigger


def _toml(file: Traversable) -> dict[str, Any]:  # TOML
    return tomllib.loads(_text(file))


def _text(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")
