"""The package of docs/adding-a-provider.md, built and installed: a message goes out by it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.support.eventually import eventually
from tests.support.process import Child
from tests.support.sandbox import PROJECT, Sandbox, free_port

DOCUMENT = PROJECT / "docs" / "adding-a-provider.md"
PHONE = "+491701234567"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, installed; nothing is fetched."""
    source, target = tmp_path_factory.mktemp("pigeon"), tmp_path_factory.mktemp("installed")
    text = DOCUMENT.read_text()
    (source / "pigeon_post.py").write_text(text.partition("```python\n")[2].partition("```")[0])
    packaged = text.partition("## As a package of its own")[2]
    (source / "pyproject.toml").write_text(packaged.partition("```toml\n")[2].partition("```")[0])
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    done = subprocess.run(
        [*pip, "--no-index", "--no-deps", "--no-build-isolation", "--target", target, source],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


@asynccontextmanager
async def pigeon_post() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """The service that the package calls: its URL, and what it was sent."""
    got: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer feather"
        got.append(await request.json())
        return web.Response(status=202, text=f"pigeon-{len(got)}")

    app = web.Application()
    app.router.add_post("/messages", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", got
    finally:
        await runner.cleanup()


async def test_a_message_goes_out_by_a_kind_that_a_package_brings(
    posthorn: Callable[..., Child], sandbox: Sandbox, installed: Path
) -> None:
    data, port = sandbox.folder("embedded"), free_port()
    url = f"http://127.0.0.1:{port}"
    async with pigeon_post() as (service, got):
        toml = f'[providers.bird]\nkind = "pigeon"\nurl = "{service}"\ntoken = "env:PIGEON_TOKEN"\n'
        environ = {"PYTHONPATH": f"{PROJECT}:{installed}", "PIGEON_TOKEN": "feather"}
        child = posthorn(
            "all", "--embedded", "--data", str(data), "--port", str(port), env=environ, toml=toml
        )
        await child.ready(f"{url}/readyz")
        made = await asyncio.to_thread(
            _posthorn, "key", "create", "t", "--embedded", "--data", str(data), path=environ["PYTHONPATH"]
        )
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        async with aiohttp.ClientSession(url, headers=headers, raise_for_status=True) as session:
            async with session.get("/api/channels/sms") as answer:
                etag = answer.headers["ETag"]
            wanted = {"providers": ["bird"]}
            async with session.put("/api/channels/sms", json=wanted, headers={"If-Match": etag}):
                pass
            told = {
                "notificationType": "order_shipped",
                "channelType": "sms",
                "recipients": [{"phone": PHONE}],
                "body": "It is on its way.",
            }
            async with session.post("/api/notifications", json=told) as answer:
                sent = (await answer.json())["id"]

            async def completed() -> bool:
                async with session.get(f"/api/notifications/{sent}") as answer:
                    return (await answer.json())["status"] == "completed"

            await eventually(completed, timeout=20)
        assert await child.terminate() == 0
    assert [(each["to"], each["text"]) for each in got] == [(PHONE, "It is on its way.")]


def test_its_kind_is_listed_with_the_package(installed: Path) -> None:
    listed = json.loads(_posthorn("provider", "ls", "--kinds", "--json", path=f"{installed}").stdout)
    [pigeon] = [each for each in listed if each["kind"] == "pigeon"]
    assert pigeon["package"] == "posthorn-pigeon 1.0"
    assert pigeon["capabilities"]["size_max"] == 1_600


def test_a_package_that_cannot_be_imported_is_named_in_one_line(installed: Path, tmp_path: Path) -> None:
    [info] = installed.glob("*.dist-info")
    (tmp_path / info.name).mkdir()
    for file in ("METADATA", "entry_points.txt"):  # its module is missing
        (tmp_path / info.name / file).write_text((info / file).read_text())
    (tmp_path / "posthorn.toml").write_text('[providers.bird]\nkind = "pigeon"\n')
    for command in (
        ("provider", "ls", "--kinds"),
        ("--config", f"{tmp_path}/posthorn.toml", "config", "show"),
    ):
        done = _posthorn(*command, path=f"{tmp_path}")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "posthorn: the package posthorn-pigeon 1.0 does not deliver the provider kind 'pigeon' that it "
            "announces: ModuleNotFoundError: No module named 'pigeon_post'\n"
        )


def _posthorn(*arguments: str, path: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", *arguments],
        env={**os.environ, "PYTHONPATH": f"{PROJECT}:{path}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
