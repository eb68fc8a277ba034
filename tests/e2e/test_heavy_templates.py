"""What one writes into a template holds nobody else up, and leaves no process behind."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import psutil

from tests.support.eventually import eventually
from tests.support.process import Child
from tests.support.sandbox import PROJECT, Sandbox, free_port

FORM = "%A %d %B %Y, " * 7
TEMPLATE = {
    "id": "heavy",
    "name": "Heavy",
    "channelType": "email",
    "subjectTemplate": "{{ title }}",
    "bodyTemplate": "{% for a in days %}{% for b in days if b|date('"
    + FORM
    + "') == title %}{{ b }}{% endfor %}{% endfor %}",
    "variables": {"title": {}, "days": {}},
}
HEAVY = {
    "notificationType": "heavy",
    "channelType": "email",
    "templateId": "heavy",
    "recipients": [{"email": f"guest-{n}@shop.example.com"} for n in range(6)],
    "data": {"title": "Days", "days": [0] * 600},
}
URGENT = {
    "notificationType": "password_reset",
    "channelType": "email",
    "templateId": "password_reset_email",
    "priority": "critical",
    "class": "otp",
    "recipients": [{"email": "ann@shop.example.com"}],
    "data": {"resetUrl": "https://shop.example.com/reset?token=1"},
}


async def test_a_heavy_template_holds_nobody_up(posthorn: Callable[..., Child], sandbox: Sandbox) -> None:
    data, port = sandbox.folder("heavy"), free_port()
    child = posthorn("all", "--embedded", "--data", str(data), "--port", str(port))
    url = f"http://localhost:{port}"
    await child.ready(f"{url}/readyz")
    made = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "entrypoints.cli", "key", "create", "t", "--embedded", "--data", str(data)],
        cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    async with aiohttp.ClientSession(url, headers=headers) as session:

        async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
            async with session.post(path, json=body) as answer:
                assert answer.status < 300, await answer.text()
                return dict(await answer.json())

        async def slowest(until: "asyncio.Task[Any]") -> float:
            worst = 0.0
            while not until.done():
                began = time.monotonic()
                async with session.get("/livez") as answer:
                    assert answer.status == 200
                worst = max(worst, time.monotonic() - began)
            return worst

        async def ended(id_: str) -> str:
            async with session.get(f"/api/notifications/{id_}") as answer:
                status = (await answer.json())["status"]
            return str(status) if status in {"completed", "failed"} else ""

        await post("/api/templates", TEMPLATE)
        dry = asyncio.create_task(post("/api/notifications?dry_run=true", HEAVY))
        assert await slowest(dry) < 2  # it was a minute: rendered to the end, one after the other
        assert all("too much work" in each["problem"] for each in (await dry)["rendered"])

        heavy = await post("/api/notifications", HEAVY)
        urgent = await post("/api/notifications", URGENT)
        assert await eventually(lambda: ended(urgent["id"]), timeout=10) == "completed"
        assert await eventually(lambda: ended(heavy["id"]), timeout=60) == "failed"
    helpers = psutil.Process(child.pid).children()
    assert any("rendering" in " ".join(each.cmdline()) for each in helpers)
    assert await child.terminate() == 0
    assert [each for each in helpers if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
