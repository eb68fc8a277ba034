"""Processes as an operator meets them: start, health, drain, and what they say when they cannot."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.process import Child
from tests.support.sandbox import PROJECT, Sandbox, free_port

ADDRESS = "canary-9f3a@shop.example.com"
Start = Callable[..., Child]


@pytest.fixture
def data(sandbox: Sandbox) -> Path:
    return sandbox.folder("embedded")


async def test_everything_in_one_process_from_start_to_drained(posthorn: Start, data: Path) -> None:
    port = free_port()
    child = posthorn("all", "--embedded", "--data", str(data), "--port", str(port))
    url = f"http://localhost:{port}"
    await child.ready(f"{url}/readyz")
    key = _posthorn("key", "create", "test", "--embedded", "--data", str(data)).strip()
    assert "test" in _posthorn("key", "list", "--embedded", "--data", str(data))
    printed = _posthorn(
        *("send", ADDRESS, "--subject", "Hello", "--body", "It works", "--json", "--url", url), api_key=key
    )
    direct = _posthorn(
        *("send", ADDRESS, "--subject", "Hello", "--body", "Without the API", "--json"),
        *("--embedded", "--data", str(data)),
    )
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:

        async def completed() -> bool:
            return [await _status(session, url, sent) for sent in (printed, direct)] == ["completed"] * 2

        await eventually(completed, timeout=20)
    assert await child.terminate() == 0
    lines = child.log_lines()
    assert len(lines) == len(child.log_text().splitlines()), "every line is JSON"
    assert lines[0]["event"] == "process.started"
    assert (lines[-1]["event"], lines[-1]["drained"]) == ("process.stopped", True)
    assert [line for line in lines if "omitted" in line] == []
    assert ADDRESS.partition("@")[0] not in child.log_text()
    assert "It works" not in child.log_text()


async def test_the_data_folder_belongs_to_one_process(posthorn: Start, data: Path) -> None:
    first = posthorn("all", "--embedded", "--data", str(data), "--port", "0")
    await eventually(lambda: "process.started" in first.log_text(), timeout=30)
    second = posthorn("all", "--embedded", "--data", str(data), "--port", "0")
    assert await second.wait() == 2
    assert f"posthorn: {data} is in use by process {first.pid}" in second.log_text()
    assert first.running


async def test_a_second_signal_ends_it_at_once(posthorn: Start, data: Path) -> None:
    child = posthorn("all", "--embedded", "--data", str(data), "--port", "0")
    await eventually(lambda: "process.started" in child.log_text(), timeout=30)
    child.signal(signal.SIGSTOP)  # so that both signals are there when it looks
    child.signal(signal.SIGTERM)
    child.signal(signal.SIGINT)
    child.signal(signal.SIGCONT)
    assert await child.wait(timeout=10) in (128 + signal.SIGINT, 128 + signal.SIGTERM)


async def test_a_port_in_use_is_said_in_one_line(posthorn: Start, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        child = posthorn("api", "--port", str(port), env=_settings(database))
        assert await child.wait() == 2
    assert child.log_text() == (
        f"posthorn: cannot listen on 127.0.0.1:{port} (Address already in use): set http.port to another\n"
    )


async def test_with_its_broker_away_a_process_lives_is_not_ready_and_drains(
    posthorn: Start, database: str
) -> None:
    port = free_port()
    child = posthorn("relay", "--metrics-port", str(port), env=_settings(database))
    url = f"http://127.0.0.1:{port}"
    await child.ready(f"{url}/livez")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/readyz") as answer:
            state = await answer.json()
            assert (answer.status, state["ready"], state["parts"]["database"]) == (503, False, "ok")
            assert "refused" in state["parts"]["broker"]
        async with session.get(f"{url}/metrics") as answer:
            text = await answer.text()
            assert "posthorn_build_info" in text
            assert "posthorn_outbox_pending 0.0" in text
        async with session.get(f"{url}/elsewhere") as answer:
            assert answer.status == 404
    assert await child.terminate(timeout=15) == 0


async def test_an_api_without_its_broker_is_ready_and_accepts(posthorn: Start, database: str) -> None:
    port = free_port()
    settings = _settings(database)
    child = posthorn("api", "--port", str(port), env=settings)
    url = f"http://127.0.0.1:{port}"
    await child.ready(f"{url}/readyz")
    key = _posthorn("key", "create", "test", environ=settings).strip()
    printed = _posthorn(
        "send", ADDRESS, "--subject", "Hi", "--body", "Hi", "--url", url, "--json", api_key=key
    )
    assert json.loads(printed)["status"] == "queued"
    assert await child.terminate(timeout=15) == 0


def _settings(dsn: str) -> dict[str, str]:
    return {
        "POSTHORN_DB__URL": dsn,
        "POSTHORN_AMQP__URL": f"amqp://127.0.0.1:{free_port()}/",
        "POSTHORN_VAULT__SECRET": base64.b64encode(b"k" * 32).decode(),
    }


def _posthorn(*arguments: str, api_key: str = "", environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli", *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "POSTHORN_API_KEY": api_key, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def _status(session: aiohttp.ClientSession, url: str, sent: str) -> str:
    async with session.get(f"{url}/api/notifications/{json.loads(sent)['id']}") as answer:
        return (await answer.json())["status"]
