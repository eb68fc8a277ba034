"""The composition root: everything in it can be made, in both modes, and is made once."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dependency_injector import providers

from adapters.memory.broker import MemoryBroker
from application.intake.submit_with_intake import SubmitWithIntake
from application.notification.submit import SubmitNotification
from config.container import Container
from config.lifecycle import built
from config.load import load
from domain.kernel.errors import Misconfigured

SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U="
ENVIRON = {
    "POSTHORN_DB__URL": "postgresql://shop@localhost/posthorn",
    "POSTHORN_AMQP__URL": "amqp://localhost",
    "POSTHORN_VAULT__SECRET": SECRET,
}


def container(folder: Path | None = None, **environ: str) -> Container:
    return built(load(ENVIRON | environ).settings, folder)


def rooms(of: Container) -> Iterator[tuple[str, Any]]:
    """Each room by its name; what a room needs of others is not in it again."""
    for name, room in of.providers.items():
        if isinstance(room, providers.Container):
            yield name, room.container


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_everything_can_be_made(folder: Path) -> None:
    whole = container()
    made = {
        f"{name}.{part}": provider()
        for name, room in rooms(whole)
        for part, provider in room.providers.items()
        if not isinstance(provider, providers.DependenciesContainer) and part != "embedded_postgres"
    }
    await whole.template.rendering_pool().close()
    assert {name for name, one in made.items() if one is None} == {"alert.hook", "kernel.folder"}


def test_every_argument_has_a_parameter_and_every_parameter_an_argument(folder: Path) -> None:
    """Constructors are called at the first use; what does not fit shall be seen here."""
    for name, room in rooms(container()):
        for provider in room.traverse([providers.Singleton]):
            assert inspect.signature(provider.provides).bind(*provider.args, **provider.kwargs), name


def test_rooms_share_what_they_name(folder: Path) -> None:
    whole = container()
    assert whole.delivery.begin().deliveries is whole.dead_letter.give_up().deliveries
    assert whole.intake.commit_intake().commit is whole.notification.submit().commit
    assert whole.notification.submit() is not container().notification.submit()


def test_embedded_mode_has_its_own_servers_and_promises_nothing(folder: Path) -> None:
    embedded = built(load({}).settings, folder)
    embedded.kernel.embedded_postgres().dsn = "postgresql://postgres@/postgres"
    assert isinstance(embedded.broker.consumer(), MemoryBroker)
    assert isinstance(embedded.intake.accept(), SubmitNotification)
    assert isinstance(container().intake.accept(), SubmitWithIntake)


def test_without_a_url_the_database_says_how_to_give_one(folder: Path) -> None:
    with pytest.raises(Misconfigured, match=r"db\.url is not set"):
        container(POSTHORN_DB__URL="").kernel.database()
