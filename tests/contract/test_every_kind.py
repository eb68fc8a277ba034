"""Every kind of provider is held to `GatewayContract`."""

import importlib
import pkgutil
from collections.abc import Iterator

import tests.contract
from adapters.providers.registry import KINDS
from tests.contract.gateway import GatewayContract


def test_every_kind_is_held_to_the_contract() -> None:
    for module in pkgutil.iter_modules(tests.contract.__path__):
        if "gateway" in module.name:
            importlib.import_module(f"tests.contract.{module.name}")
    assert {each.kind for each in _subclasses(GatewayContract)} - {None} == set(KINDS)


def _subclasses(of: type[GatewayContract]) -> Iterator[type[GatewayContract]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)
