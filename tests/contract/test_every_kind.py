"""Every kind of provider is held to `AcceptingContract`."""

import importlib
import pkgutil
from collections.abc import Iterator

import tests.contract
from adapters.providers.registry import KINDS
from tests.contract.gateway import AcceptingContract


def test_every_kind_is_held_to_the_contract() -> None:
    for module in pkgutil.iter_modules(tests.contract.__path__):
        if "gateway" in module.name:
            importlib.import_module(f"tests.contract.{module.name}")
    assert {each.kind for each in _subclasses(AcceptingContract)} - {None} == set(KINDS)


def _subclasses(of: type[AcceptingContract]) -> Iterator[type[AcceptingContract]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)
