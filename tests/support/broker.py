"""What the tests can do with any RabbitMQ, private or given: URLs, management API, virtual hosts."""

import base64
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from uuid import uuid4

PLUGINS = ("rabbitmq_management", "rabbitmq_shovel", "rabbitmq_shovel_management")
START_MAX = 90  # seconds
ALARM_MAX = 30  # seconds
RUNG = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": "",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
ALARMS = {
    "memory": (("set_vm_memory_high_watermark",), ("absolute", "1000000"), ("0.4",)),
    "disk": (("set_disk_free_limit",), ("1000000000000000",), ("50000000",)),
}
"""Resource -> command, arguments that raise the alarm, arguments that end it."""
_CONSUMER_TIMEOUT = (
    "application:set_env(rabbit, consumer_timeout, {timeout}), "
    "application:set_env(rabbit, channel_tick_interval, {tick})."
)


class VHost(NamedTuple):
    """A virtual host of its own, with the credentials of one who may do everything in it."""

    name: str
    amqp_url: str
    management_url: str


class RabbitServer:
    """What every kind of broker can do: its URLs, its management API, virtual hosts.

    Attributes:
        amqp_url: of virtual host `/`, with credentials.
        management_url: with credentials.
        private: it belongs to the tests, who may stop and kill it.
    """

    private = True

    def __init__(self, amqp_url: str, management_url: str) -> None:
        self.amqp_url = amqp_url
        self.management_url = management_url

    def start(self) -> None:
        """Return when it takes connections and its management API answers."""
        raise RuntimeError(f"{self.amqp_url} is not ours to start")

    def stop(self) -> None:
        """Shut down in order."""
        raise RuntimeError(f"{self.amqp_url} is not ours to stop")

    def kill(self) -> None:
        """SIGKILL."""
        raise RuntimeError(f"{self.amqp_url} is not ours to kill")

    def wipe(self) -> None:
        """Kill it and delete all its data; virtual hosts are gone too."""
        raise RuntimeError(f"{self.amqp_url} is not ours to wipe")

    def ctl(self, *arguments: str) -> str:
        """What `rabbitmqctl ARGUMENTS` prints; it takes a second.

        Raises:
            RuntimeError: it failed, with what it said.
        """
        raise RuntimeError(f"{self.amqp_url} is not ours to control")

    @contextmanager
    def alarm(self, resource: str) -> Iterator[None]:
        """Short of `memory` or `disk`, as far as it can tell: it takes nothing from publishers meanwhile."""
        command, short, enough = ALARMS[resource]
        try:
            self.ctl(*command, *short)
            self._wait_for_alarm(True)
            yield
        finally:
            self.ctl(*command, *enough)
            self._wait_for_alarm(False)

    @contextmanager
    def consumer_timeout(self, seconds: int) -> Iterator[None]:
        """How long it waits for acks on channels that are opened meanwhile."""
        try:
            self.ctl("eval", _CONSUMER_TIMEOUT.format(timeout=seconds * 1000, tick=500))
            yield
        finally:
            self.ctl("eval", _CONSUMER_TIMEOUT.format(timeout=1_800_000, tick=60_000))

    def _wait_for_alarm(self, expected: bool) -> None:
        deadline = time.monotonic() + ALARM_MAX
        while (
            any(n.get("mem_alarm") or n.get("disk_free_alarm") for n in self.api("GET", "/nodes")) != expected
        ):
            if time.monotonic() > deadline:
                raise RuntimeError(f"its alarm did not go {'on' if expected else 'off'}")
            time.sleep(0.1)

    def restart(self) -> None:
        """Stop and start on the same ports, with the same data."""
        self.stop()
        self.start()

    def version(self) -> str:
        """As the running broker says."""
        return str(self.api("GET", "/overview")["rabbitmq_version"])

    def lacks_exchange_type(self, name: str) -> str | None:
        """Why what needs an exchange type cannot be tested here; None when it can."""
        overview = self.api("GET", "/overview")
        if name in {known["name"] for known in overview["exchange_types"]}:
            return None
        return f"RabbitMQ {overview['rabbitmq_version']} without exchange type {name}: no such plugin enabled"

    def create_vhost(self, name: str | None = None) -> VHost:
        """Make a virtual host, by default with a name of its own."""
        name = name or f"test-{uuid4().hex[:12]}"
        self.api("PUT", f"/vhosts/{quote(name, safe='')}", {})
        self.permit(name)
        amqp = urlunsplit(urlsplit(self.amqp_url)._replace(path=f"/{quote(name, safe='')}"))
        return VHost(name, amqp, self.management_url)

    def permit(self, name: str, *, write: bool = True) -> None:
        """What may be done in a virtual host, on channels that are opened from now on."""
        user = quote(unquote(urlsplit(self.amqp_url).username or "guest"), safe="")
        rights = {"configure": ".*", "write": ".*" if write else "^$", "read": ".*"}
        self.api("PUT", f"/permissions/{quote(name, safe='')}/{user}", rights)

    def delete_vhost(self, name: str) -> None:
        """With everything in it; its connections are closed by the broker."""
        self.api("DELETE", f"/vhosts/{quote(name, safe='')}")

    @contextmanager
    def fresh_vhost(self) -> Iterator[VHost]:
        """A virtual host, deleted at the end if it is still there; starts the server if it is down."""
        if self.private and not self.is_ready():
            self.start()
        vhost = self.create_vhost()
        if self.private and not self._takes_delays(vhost):
            self.restart()
        yield vhost
        if self.is_ready() and any(each["name"] == vhost.name for each in self.api("GET", "/vhosts")):
            self.delete_vhost(vhost.name)

    def _takes_delays(self, vhost: VHost) -> bool:
        """Whether it can make queues that dead-letter at least once.

        RabbitMQ 3.10 may lose the supervisor of all dead-letter workers when queues are deleted (seen once in
        thousands of deletions), and goes on without it until it is restarted.
        """
        try:
            self.api("PUT", f"/queues/{vhost.name}/probe", {"durable": True, "arguments": RUNG})
        except urllib.error.HTTPError:
            return False
        self.api("DELETE", f"/queues/{vhost.name}/probe")
        return True

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call the management API; `path` begins after `/api`.

        Raises:
            urllib.error.HTTPError: an error answer.
            OSError: it does not answer.
        """
        url = urlsplit(self.management_url)
        request = urllib.request.Request(
            f"{url.scheme}://{url.hostname}:{url.port}/api{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        login = f"{unquote(url.username or 'guest')}:{unquote(url.password or 'guest')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def connections_of(self, pid: int) -> list[str]:
        """The names of a process's connections; seen up to a second late."""
        known = self.api("GET", "/connections")
        return [c["name"] for c in known if str(c.get("user_provided_name", "")).endswith(f":{pid}")]

    def close_connections(self, names: Iterable[str]) -> None:
        """As an operator does."""
        for name in names:
            self.api("DELETE", f"/connections/{quote(name, safe='')}")

    def move(self, vhost: str, source: str, target: str) -> None:
        """As "Move messages" of the management UI does: a shovel that ends with what is in the queue now."""
        uri = f"amqp:///{quote(vhost, safe='')}"
        value = {
            "src-uri": uri,
            "src-queue": source,
            "src-delete-after": "queue-length",
            "dest-uri": uri,
            "dest-queue": target,
            "add-forward-headers": False,
            "ack-mode": "on-confirm",
        }
        self.api(
            "PUT", f"/parameters/shovel/{quote(vhost, safe='')}/move-{uuid4().hex[:8]}", {"value": value}
        )

    def depth(self, vhost: str, queue: str) -> int:
        """Messages in a queue, those in somebody's hands included; up to a second late."""
        found = self.api("GET", f"/queues/{quote(vhost, safe='')}/{quote(queue, safe='')}")
        return int(found.get("messages", 0))

    def is_ready(self) -> bool:
        """Whether it takes connections and its management API answers."""
        url = urlsplit(self.amqp_url)
        try:
            with socket.create_connection((url.hostname, url.port or 5672), timeout=5):
                self.api("GET", "/overview")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def wait_until_ready(self, *, is_dead: Callable[[], bool], log: Callable[[], str]) -> None:
        """Return when ready.

        Raises:
            RuntimeError: with the end of its log, when it died or took too long.
        """
        deadline = time.monotonic() + START_MAX
        while not self.is_ready():
            if is_dead() or time.monotonic() > deadline:
                raise RuntimeError(f"RabbitMQ did not start\n{log()}")
            time.sleep(0.1)


class GivenServer(RabbitServer):
    """Somebody else's broker: used, never stopped."""

    private = False

    def start(self) -> None:
        self.version()
