"""`posthorn sandbox` as a process: every look-alike is there, and its ledger says what was taken."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.providers.email.postmark import PostmarkSettings
from adapters.providers.kit.http import HttpSettings
from adapters.providers.registry import KINDS
from config.catalog import load_presets
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, Refused
from entrypoints.simulator.server import LOOK_ALIKES
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT

HTTP_2 = {"apns"}
"""Its other side speaks HTTP/2 alone, which the look-alikes' server does not."""


def test_every_kind_with_an_http_api_and_every_preset_has_a_look_alike() -> None:
    kinds = {kind for kind, each in KINDS.items() if issubclass(each, HttpSettings)}
    presets = {preset.name for preset in load_presets()}
    assert set(LOOK_ALIKES) == (kinds | presets) - HTTP_2


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """The URLs by kind, and the ledger."""
    ledger = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-m", "entrypoints.cli", "sandbox", "--port", "0", "--ledger", str(ledger)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in LOOK_ALIKES]
    yield dict(re.findall(r'kind = "(.+?)"  url = "(.+?)"', "".join(lines))), ledger
    process.terminate()
    assert process.wait(timeout=20) == 0
    process.stdout.close()


async def test_it_takes_messages_and_writes_them_down(served: tuple[dict[str, str], Path]) -> None:
    urls, ledger = served
    assert set(urls) == set(LOOK_ALIKES)
    settings = PostmarkSettings(url=urls["postmark"], token=Secret("any"), timeout=timedelta(seconds=5))
    good, bad = message(), message("refuse@shop.test")
    async with closing(settings.gateway(CONTEXT)) as gateway:
        assert isinstance(await gateway.send(good), Accepted)
        assert isinstance(await gateway.send(bad), Refused)
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [(line["delivery"], line["outcome"]) for line in lines] == [
        (str(good.delivery), "accepted"),
        (str(bad.delivery), "refused"),
    ]
