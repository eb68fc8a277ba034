"""A demo that plays, and a browser to look at it."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.support.eventually import eventually
from tests.support.process import Child, posthorn_child
from tests.support.sandbox import Sandbox, free_port

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-features=IsolateSandboxedIframes"]
"""Frames of the page share its process: to start one takes long on a busy machine."""
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)


class Demo(NamedTuple):
    """One that plays."""

    child: Child
    url: str
    key: str


@asynccontextmanager
async def playing(sandbox: Sandbox) -> AsyncIterator[Demo]:
    port = free_port()
    folder = sandbox.folder("demo")
    child = posthorn_child(folder, "demo", "--port", str(port), "--data", str(folder / "data"))
    child.start()
    try:
        url = f"http://localhost:{port}"
        await child.ready(f"{url}/readyz")
        key = await eventually(lambda: re.search(r"Bearer (ph_live_\w+)", child.log_text()))
        yield Demo(child, url, key[1])
    finally:
        child.close()


@pytest.fixture
async def demo(sandbox: Sandbox) -> AsyncIterator[Demo]:
    """One of this test's own."""
    async with playing(sandbox) as demo:
        yield demo


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shared_demo(sandbox: Sandbox) -> AsyncIterator[Demo]:
    """One that no test ends."""
    async with playing(sandbox) as demo:
        yield demo


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()
