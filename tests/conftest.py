"""Fixtures of every tier.  A server starts when the first test asks for it; the unit tier asks for none.

    postgres_server    PostgresServer of the run       rabbitmq_server    RabbitServer of the run
    database           DSN of a fresh migrated one     vhost              a fresh VHost(name, amqp_url, …)
    module_database    the same, one per module        killable_rabbitmq  a private one, whatever was given
    posthorn           start a `posthorn` process      sandbox            a folder for files and processes

    async def test_a_worker_comes_back(posthorn, database, vhost):
        worker = posthorn("worker", env={"POSTHORN_DB__URL": database, "POSTHORN_AMQP__URL": vhost.amqp_url})
        await worker.ready(url)
        worker.kill9()

A test that stops a server may leave it stopped: `database` and `vhost` start it again.
See tests/support/{postgres,rabbitmq,process,eventually}.py for what each can do.
"""

import gc
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# A busy machine makes no example wrong.
hypothesis_settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("suite")

# Children get default dispositions, however the run was started (`nohup make test &` ignores two signals):
# what is ignored stays so in a child, what is caught does not.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)
signal.pthread_sigmask(signal.SIG_SETMASK, ())

pytest.register_assert_rewrite("tests.contract", "tests.support")

from adapters.postgres.core.migrate import migrate
from tests.support import postgres, rabbitmq
from tests.support.broker import RabbitServer, VHost
from tests.support.postgres import PostgresServer, Prepare
from tests.support.process import Child, posthorn_child
from tests.support.sandbox import Sandbox

TESTS = Path(__file__).parent


def pytest_report_header() -> list[str]:
    try:
        return [f"PostgreSQL: {postgres.describe()}", f"RabbitMQ: {rabbitmq.describe()}"]
    except RuntimeError as error:  # what was asked for cannot be had
        raise pytest.UsageError(str(error)) from error


_FIRST = ("simulation/test_seeds.py", "faults", "simulation", "e2e", "integration", "api")
"""What takes longest begins first, so that the processes of a parallel run end together.

The simulation only computes, the faults mostly wait: they run side by side.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(TESTS)
        return next((place for place, first in enumerate(_FIRST) if path.is_relative_to(first)), len(_FIRST))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay to the end: the garbage collector need not look through them."""
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """What may run against somebody else's broker is known by its fixtures: `make test-rabbitmq`."""
    needed = set(getattr(item, "fixturenames", ()))
    if "rabbitmq_server" in needed and "killable_rabbitmq" not in needed:
        item.add_marker("broker")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What each tier took: seconds of all processes of the run together."""
    seconds: dict[str, float] = defaultdict(float)
    tests: Counter[str] = Counter()
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        if isinstance(report, pytest.TestReport):
            tier = report.nodeid.split("/")[1]
            seconds[tier] += report.duration
            tests[tier] += report.when == "call"
    longest = sorted(seconds.items(), key=lambda item: -item[1])
    tiers = (f"{tier} {took:,.0f} s ({tests[tier]:,} tests)" for tier, took in longest)
    terminalreporter.write_line(f"tiers: {', '.join(tiers)}")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def postgres_server(sandbox: Sandbox) -> Iterator[PostgresServer]:
    server = PostgresServer(sandbox.folder("postgres", in_memory=True))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def prepare_database() -> Prepare:
    """Brings an empty database to the product's schema."""
    return migrate


@pytest.fixture
async def database(postgres_server: PostgresServer, prepare_database: Prepare) -> AsyncIterator[str]:
    async with postgres_server.fresh_database(prepare_database) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_database(postgres_server: PostgresServer, prepare_database: Prepare) -> AsyncIterator[str]:
    async with postgres_server.fresh_database(prepare_database) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def rabbitmq_server(sandbox: Sandbox) -> Iterator[RabbitServer]:
    server = rabbitmq.rabbitmq_server(sandbox, in_memory=True)
    server.start()
    yield server
    if server.private:
        server.wipe()


@pytest.fixture(scope="session")
def killable_rabbitmq(rabbitmq_server: RabbitServer, sandbox: Sandbox) -> Iterator[RabbitServer]:
    if rabbitmq_server.private:
        yield rabbitmq_server
        return
    server = rabbitmq.private_server(sandbox, in_memory=True)
    server.start()
    yield server
    server.wipe()


@pytest.fixture
def vhost(rabbitmq_server: RabbitServer) -> Iterator[VHost]:
    with rabbitmq_server.fresh_vhost() as vhost:
        yield vhost


@pytest.fixture
def posthorn(sandbox: Sandbox) -> Iterator[Callable[..., Child]]:
    """Start `posthorn ARGUMENTS`: `posthorn("worker", env={…}, toml="…")`."""
    children: list[Child] = []

    def start(*arguments: str, env: Mapping[str, str] | None = None, toml: str | None = None) -> Child:
        child = posthorn_child(sandbox.folder(arguments[0]), *arguments, env=env, toml=toml)
        children.append(child)
        child.start()
        return child

    yield start
    for child in children:
        child.close()
