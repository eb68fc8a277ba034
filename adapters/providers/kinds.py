"""Every kind of provider there is: those in this folder, and those of installed packages.

A kind is found by its file being there: each module below this folder is imported, but the kit, and what
settings of providers it defines are kinds.  A package brings kinds of its own by entry points of the group
`posthorn.gateways`, which have the kind's name and lead to its settings; it is imported when somebody uses
the kind, so a package that is broken does not stop a process that does without it.
"""

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint
from types import ModuleType

from adapters.providers.kit.settings import ProviderSettings
from domain.kernel.channel import CHANNELS
from domain.kernel.errors import Misconfigured

_HERE = __name__.rpartition(".")[0]
_APART = frozenset({f"{_HERE}.kit", f"{_HERE}.registry", __name__})

Kind = type[ProviderSettings]


class Kinds(Mapping[str, Kind]):
    """The settings of each kind, by its name: what is shipped, then what packages bring.

    Packages are looked for when they are first needed.  Whatever walks through all kinds, or gets one, raises
    `Misconfigured` when a package does not deliver the kind that it announces; names are known without
    importing it.
    """

    def __init__(self, shipped: Mapping[str, Kind], announced: Callable[[], Iterable[EntryPoint]]) -> None:
        """
        Args:
            announced: entry points of packages, named as their kinds.
        """
        self._shipped = shipped
        self._find = announced
        self._announced: Mapping[str, EntryPoint] | None = None
        self._loaded: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        if name in self._shipped:
            return self._shipped[name]
        if name not in self._loaded:
            self._loaded[name] = _loaded(self._of_packages()[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._shipped, *self._of_packages()))

    def __len__(self) -> int:
        return len(self._shipped) + len(self._of_packages())

    def origin(self, name: str) -> str | None:
        """Name and version of the package that brings this kind; None: Posthorn does."""
        return None if name in self._shipped else _package(self._of_packages()[name])

    def _of_packages(self) -> Mapping[str, EntryPoint]:
        """
        Raises:
            Misconfigured: two of them, or one and Posthorn, have the same kind.
        """
        if self._announced is None:
            found: dict[str, EntryPoint] = {}
            for point in sorted(self._find(), key=lambda point: point.name):
                if point.name in self._shipped or point.name in found:
                    raise Misconfigured(
                        f"the package {_package(point)} brings the provider kind '{point.name}', which there "
                        "is already: uninstall it, or have it renamed"
                    )
                found[point.name] = point
            self._announced = found
        return self._announced


def shipped_kinds() -> Mapping[str, Kind]:
    """The kinds of this folder, in the order of the built-in channels, then by name."""
    return {each.kind(): each for each in sorted(_shipped(), key=_place)}


def _place(kind: Kind) -> tuple[int, str]:
    first = min(map(CHANNELS.index, kind.capabilities.channels), default=len(CHANNELS))
    return first, kind.kind()


def _shipped() -> Iterator[Kind]:
    for module in _modules(import_module(_HERE)):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, ProviderSettings) and _defined(each, module):
                yield each


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name in _APART:
            continue
        module = import_module(found.name)
        yield module
        if found.ispkg:
            yield from _modules(module)


def _defined(kind: Kind, module: ModuleType) -> bool:
    return kind.__module__ == module.__name__ and hasattr(kind, "capabilities")


def _loaded(point: EntryPoint) -> Kind:
    try:
        found = point.load()
    except Exception as fault:
        raise Misconfigured(_broken(point, f"{type(fault).__name__}: {fault}")) from fault
    if not (isinstance(found, type) and issubclass(found, ProviderSettings)):
        raise Misconfigured(_broken(point, f"{point.value} is no subclass of ProviderSettings"))
    if not hasattr(found, "capabilities"):
        raise Misconfigured(_broken(point, f"{point.value} states no capabilities"))
    if found.kind() != point.name:
        raise Misconfigured(_broken(point, f"{point.value} has the tag '{found.kind()}'"))
    return found


def _broken(point: EntryPoint, why: str) -> str:
    return (
        f"the package {_package(point)} does not deliver the provider kind '{point.name}' that it announces: "
        f"{why}"
    )


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else f"of {point.value}"
