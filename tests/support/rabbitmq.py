"""A private RabbitMQ, or the one that POSTHORN_TEST_AMQP_URL names.

    server = rabbitmq_server(sandbox)        # chosen as below; not started yet
    server.start(); server.stop(); server.kill(); server.restart()
    server.wipe()                            # kill, and lose all data; start() brings up an empty broker
    await asyncio.to_thread(server.restart)  # they block: in a test, in a thread
    vhost = server.create_vhost()            # VHost(name, amqp_url, management_url); a few ms
    server.delete_vhost(vhost.name)
    with server.fresh_vhost() as vhost: …    # both; starts the server if it is down
    server.api("GET", f"/queues/{vhost.name}")   # the management API, decoded

Chosen is the first that can be had (POSTHORN_TEST_RABBITMQ=docker|node insists):
- the broker at POSTHORN_TEST_AMQP_URL (POSTHORN_TEST_MANAGEMENT_URL; by default port 15672 there), which
  is never stopped;
- a container where a Docker engine answers;
- a private node of the installed `rabbitmq-server`, or of the one that POSTHORN_TEST_RABBITMQ_SERVER names;
- the same after `apt-get install` (Debian, as root; the machine's own service is not started).
Plugins: management, shovel, shovel management.
"""

import os
from urllib.parse import urlsplit, urlunsplit

from tests.support import rabbitmq_docker, rabbitmq_node
from tests.support.broker import GivenServer, RabbitServer
from tests.support.sandbox import Sandbox


def rabbitmq_server(sandbox: Sandbox, *, in_memory: bool = False) -> RabbitServer:
    """The broker to test against, not started yet."""
    if os.environ.get("POSTHORN_TEST_AMQP_URL"):
        return GivenServer(*_given())
    return private_server(sandbox, in_memory=in_memory)


def private_server(sandbox: Sandbox, *, in_memory: bool = False) -> RabbitServer:
    """One that may be killed, whatever POSTHORN_TEST_AMQP_URL says; `in_memory` concerns a node's data."""
    if _in_container():
        return rabbitmq_docker.RabbitContainer()
    return rabbitmq_node.RabbitNode(sandbox.folder("rabbitmq", in_memory=in_memory))


def describe() -> str:
    """Which RabbitMQ the tests will use, found out without starting it."""
    if os.environ.get("POSTHORN_TEST_AMQP_URL"):
        url = urlsplit(_given()[0])
        return f"the given broker at {url.hostname}:{url.port or 5672} (POSTHORN_TEST_AMQP_URL)"
    if _in_container():
        return f"a container of {rabbitmq_docker.IMAGE}"
    return rabbitmq_node.describe()


def _in_container() -> bool:
    wanted = "node" if rabbitmq_node.NAMED in os.environ else os.environ.get("POSTHORN_TEST_RABBITMQ")
    answers = wanted != "node" and rabbitmq_docker.engine_answers()
    if wanted == "docker" and not answers:
        raise RuntimeError("POSTHORN_TEST_RABBITMQ=docker, but no Docker engine answers")
    return answers


def _given() -> tuple[str, str]:
    """AMQP and management URL of the given broker."""
    amqp = urlsplit(os.environ["POSTHORN_TEST_AMQP_URL"])
    login = amqp.netloc.rpartition("@")[0] or "guest:guest"
    management = f"http://{login}@{amqp.hostname}:15672"
    return (
        urlunsplit(amqp._replace(netloc=f"{login}@{amqp.hostname}:{amqp.port or 5672}", path="/")),
        os.environ.get("POSTHORN_TEST_MANAGEMENT_URL", management),
    )
