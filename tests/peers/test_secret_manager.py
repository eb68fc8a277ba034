"""The secret manager of the tests, and what we ask it: judged by hvac, a client of HashiCorp Vault."""

import asyncio

import hvac
import pytest

from adapters.secrets.manager import KeyValueManager
from domain.kernel.secret import Secret
from tests.support.secret_manager import TOKEN, secret_manager

ENTRY = {"token": "päss", "user": "shop"}


def client(url: str, token: str = TOKEN) -> hvac.Client:
    return hvac.Client(url=url, token=token, namespace="shop")


async def test_vaults_client_reads_what_we_read() -> None:
    async with secret_manager({"shop/mail": ENTRY}) as manager:
        read = client(manager.url).secrets.kv.v2.read_secret_version
        answer = await asyncio.to_thread(read, "shop/mail", raise_on_deleted_version=True)
        ours = await KeyValueManager(
            url=manager.url, mount="secret", token=lambda: Secret(TOKEN), namespace="shop"
        ).read("shop/mail")
    assert answer["data"]["data"] == {name: secret.reveal() for name, secret in ours.items()} == ENTRY
    assert manager.calls == ["shop/mail", "shop/mail"]  # the same path
    assert manager.namespaces == ["shop", "shop"]


async def test_vaults_client_understands_the_refusals() -> None:
    async with secret_manager({"shop/mail": ENTRY, "gone": None}) as manager:
        read = client(manager.url).secrets.kv.v2.read_secret_version
        for path in ("nowhere", "gone"):
            with pytest.raises(hvac.exceptions.InvalidPath):
                await asyncio.to_thread(read, path, raise_on_deleted_version=True)
        wrong = client(manager.url, "other").secrets.kv.v2.read_secret_version
        with pytest.raises(hvac.exceptions.Forbidden):
            await asyncio.to_thread(wrong, "shop/mail", raise_on_deleted_version=True)
        manager.status = 503
        with pytest.raises(hvac.exceptions.VaultDown):
            await asyncio.to_thread(read, "shop/mail", raise_on_deleted_version=True)
