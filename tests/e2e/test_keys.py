"""Keys of personal data, as operators get them wrong: nobody with others begins, nobody loses a message."""

import base64
from collections.abc import AsyncIterator

import pytest

from config import secrets
from config.load import load
from tests.e2e.conftest import QUICK
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox
from tests.support.shop import SECRET, Shop, opened_shop

OTHER = base64.b64encode(b"o" * 32).decode()


@pytest.fixture
async def shop(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Shop]:
    async with opened_shop(sandbox, postgres_server, rabbitmq_server, toml=QUICK) as shop:
        yield shop


def keys(*versions: int, current: int) -> dict[str, str]:
    """The settings of a rotation; key 1 is what `vault.secret` stood for."""
    known = secrets.spelled_out(load({"POSTHORN_VAULT__SECRET": SECRET}).settings)
    known |= {"vault.keys.2": OTHER}
    named = {"vault.index", "vault.pepper", *(f"vault.keys.{version}" for version in versions)}
    environment = {f"POSTHORN_{key.upper().replace('.', '__')}": known[key] for key in named}
    return environment | {"POSTHORN_VAULT__CURRENT": str(current), "POSTHORN_VAULT__SECRET": ""}


async def test_a_process_with_another_secret_does_not_begin(shop: Shop) -> None:
    await shop.users(1)
    child = shop.child("worker", env={"POSTHORN_VAULT__SECRET": OTHER})
    child.start()
    assert await child.wait(timeout=20) == 2
    said = [line for line in child.log_text().splitlines() if line.startswith("posthorn: ")]
    assert len(said) == 1
    assert "data on file is sealed under another key than vault.index (or vault.secret)" in said[0]


async def test_a_key_that_a_worker_was_not_told_costs_no_message(shop: Shop) -> None:
    worker = await shop.start("worker", env=keys(1, current=1))
    await shop.start("api", env=keys(1, 2, current=2))  # told in one step: the worker knows nothing of key 2
    body = {
        "notificationType": "note",
        "channelType": "email",
        "recipients": [{"email": "ann@example.com"}],
        "subject": "Hello",
        "body": "It waits",
    }
    accepted = (await shop.call("POST", "/api/notifications", body)).id

    async def said() -> None:
        readiness = await shop.readiness("worker")
        assert readiness.status == 503
        assert "set vault.keys.2" in readiness.body["parts"]["keys"]

    await eventually(said, timeout=20)
    [delivery] = await shop.listed(accepted, "deliveries")
    assert delivery["status"] == "queued", delivery
    assert await worker.terminate() == 0
    await shop.start("worker", env=keys(1, 2, current=1))  # what the first step would have told it
    await shop.status(accepted, "completed")
    assert [line.outcome for line in shop.calls()] == ["accepted"]
