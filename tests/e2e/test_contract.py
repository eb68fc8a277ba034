"""The contract against the running API: Schemathesis makes requests of it, and holds every answer to it.

`make fuzz SECONDS=600` does so for as long, at random and in sequences; the test run asks some two thousand.
"""

import asyncio
import os
import sys

import pytest

from tests.support.broker import RabbitServer
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox
from tests.support.shop import opened_shop

SECONDS = int(os.environ.get("POSTHORN_TEST_FUZZ_SECONDS", "0"))
BOUNDED = ("--phases", "examples,coverage,fuzzing", "--max-examples", "3", "--generation-deterministic")
LONG = ("--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(SECONDS))
NOT_HELD = """
[checks]
positive_data_acceptance.enabled = false  # what fits may still be refused: an address that is none, say
missing_required_header.expected-statuses = [422, 428]
negative_data_rejection.expected-statuses = [400, 401, 404, 405, 412, 413, 414, 415, 422, 428, 431]

[[operations]]
include-path = "/api/notifications/batch"
checks.negative_data_rejection.enabled = false  # items are refused one by one, within a 202

[[operations]]
include-path = ["/api/providers/{provider}", "/api/providers/{provider}:force"]
checks.allow_header_conformance.enabled = false  # one path for the router, which knows whole segments only
"""


@pytest.mark.timeout(0 if SECONDS else 400)
async def test_the_api_keeps_its_contract_whatever_is_asked(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> None:
    async with opened_shop(sandbox, postgres_server, rabbitmq_server) as shop:
        api = await shop.start("api")
        folder = sandbox.folder("schemathesis")
        (folder / "schemathesis.toml").write_text(NOT_HELD)
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{shop.urls['api']}/openapi.json"),
            *("--header", f"Authorization: Bearer {shop.key}", "--no-color", "--max-failures", "20"),
            *(LONG if SECONDS else BOUNDED),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await run.communicate()
        finally:
            if run.returncode is None:
                run.kill()
        assert run.returncode == 0, said.decode()
        assert api.running
        unexpected = [
            line for line in api.log_lines() if line.get("status") == 500 or "Traceback" in str(line)
        ]
        assert unexpected == []
