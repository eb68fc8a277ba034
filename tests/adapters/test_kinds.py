"""Kinds of providers: found by their files, or brought by packages, which may be broken."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from adapters.providers.kinds import Kinds, shipped_kinds
from adapters.providers.sandbox import SandboxSettings
from domain.kernel.errors import Misconfigured

FOLDER = Path(__file__).parents[2] / "adapters" / "providers"


def announced(name: str, value: str) -> Kinds:
    return Kinds({"sandbox": SandboxSettings}, lambda: [EntryPoint(name, value, "posthorn.gateways")])


def test_a_kind_is_found_by_its_file() -> None:
    tagged = [path for path in FOLDER.rglob("*.py") if 'frozen=True, tag="' in path.read_text()]
    assert len(shipped_kinds()) == len(tagged) > 10
    assert list(shipped_kinds())[-1] == "sandbox"  # of any channel


def test_a_package_brings_a_kind() -> None:
    kinds = announced("mailgun", "adapters.providers.email.mailgun:MailgunSettings")
    assert list(kinds) == ["sandbox", "mailgun"]
    assert len(kinds) == 2
    assert kinds["mailgun"].kind() == "mailgun"
    assert kinds.origin("sandbox") is None
    with pytest.raises(KeyError):
        kinds["pigeon"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module:Settings", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("adapters.providers.sandbox:NoSuchThing", "AttributeError"),
        ("adapters.providers.sandbox:SandboxGateway", "is no subclass of ProviderSettings"),
        ("adapters.providers.kit.http:HttpSettings", "states no capabilities"),
        ("adapters.providers.email.mailgun:MailgunSettings", "has the tag 'mailgun'"),
    ],
)
def test_a_broken_package_is_named_when_its_kind_is_used(value: str, why: str) -> None:
    kinds = announced("pigeon", value)
    assert "pigeon" in list(kinds)
    assert kinds["sandbox"] is SandboxSettings  # others work
    with pytest.raises(Misconfigured, match="does not deliver the provider kind 'pigeon'") as told:
        kinds["pigeon"]
    assert why in str(told.value)


def test_a_package_cannot_take_the_place_of_a_kind() -> None:
    kinds = announced("sandbox", "adapters.providers.sandbox:SandboxSettings")
    assert kinds["sandbox"] is SandboxSettings
    with pytest.raises(Misconfigured, match="'sandbox', which there is already"):
        list(kinds)
