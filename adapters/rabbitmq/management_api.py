"""Compares a running broker with the described topology and brings it there, by its management API.

async with ManagementApi(url, vhost="/") as management:
    for difference in await management.apply(definitions()): print(difference)
"""

import asyncio
import base64
import ssl
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, urlsplit

import aiohttp

from adapters.rabbitmq.topology import Definitions
from adapters.rabbitmq.topology_diff import (
    BrokerState,
    Difference,
    Item,
    differences,
    extra_bindings,
    missing,
    possible,
)
from domain.kernel.errors import BrokerUnavailable, Misconfigured
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret

KINDS = ("exchanges", "queues", "bindings", "policies")
"""In the order of making them."""
NAMING = frozenset({"vhost", "name", "source", "destination", "destination_type"})
"""What stands in the path of a request."""
PARALLEL = 16
SETTLING = 2.0
"""Seconds before queues that were just made may be used: a broker that is killed forgets what queues younger
than one second have confirmed (4.3.6), or does not answer for them any more (3.10.8)."""
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)


class ManagementApi:
    """One virtual host of a broker.

    The user needs the tags `policymaker` and `monitoring`, and all permissions on the virtual host.
    """

    def __init__(self, url: Secret, *, vhost: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url.reveal())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misconfigured(f"not a management URL (http://user:password@host:15672): {url}")
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port or 15672}{parts.path.rstrip('/')}/api"
        self._user = unquote(parts.username or "guest")
        login = f"{self._user}:{unquote(parts.password or 'guest')}"
        self._headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
        self._vhost = vhost
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=PARALLEL)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def check(self, described: Definitions, *, replicas: int = 3) -> list[Difference]:
        """What differs; changes nothing.

        Raises:
            BrokerUnavailable: no answer.
            Misconfigured: it refuses us, or has no such virtual host.
        """
        return differences(described, await self._found(), replicas)

    async def apply(
        self, described: Definitions, *, replicas: int = 3, settling: float = SETTLING
    ) -> list[Difference]:
        """Make what is missing, set policies, remove extra bindings; return the differences that are left.

        What exists keeps its arguments: they are immutable, and the differences say what to do.

        Args:
            settling: seconds to wait where queues were made.

        Raises:
            BrokerUnavailable, Misconfigured: as `check`.
        """
        found = await self._found()
        makeable = possible(described, found)
        wanting = {kind: missing(kind, makeable, found) for kind in KINDS}
        for kind, items in wanting.items():
            await asyncio.gather(*(self._put(kind, item) for item in items))
        if wanting["queues"]:
            await asyncio.sleep(settling)
        extra = extra_bindings(described, found.bindings)
        await asyncio.gather(*(self._unbind(binding) for binding in extra))
        return await self.check(described, replicas=replicas)

    @property
    def _host(self) -> str:
        return _quoted(self._vhost)

    async def _found(self) -> BrokerState:
        kinds = ("exchanges", "queues", "bindings", "policies", "operator-policies")
        answers = await asyncio.gather(*(self._call("GET", f"/{kind}/{self._host}") for kind in kinds))
        exchanges, queues, bindings, policies, operator_policies = answers
        overview = await self._call("GET", "/overview")
        return BrokerState(
            exchanges=exchanges,
            queues=queues,
            bindings=bindings,
            policies=policies,
            operator_policies=operator_policies,
            nodes=sum(node.get("running", False) for node in await self._call("GET", "/nodes")),
            exchange_types=frozenset(kind["name"] for kind in overview["exchange_types"]),
        )

    async def _put(self, kind: str, item: Item) -> None:
        body = {key: value for key, value in item.items() if key not in NAMING}
        if kind == "bindings":
            await self._call("POST", f"/bindings/{self._ends(item)}", body)
        else:
            await self._call("PUT", f"/{kind}/{self._host}/{_quoted(item['name'])}", body)

    async def _unbind(self, binding: Item) -> None:
        await self._call("DELETE", f"/bindings/{self._ends(binding)}/{_quoted(binding['properties_key'])}")

    def _ends(self, binding: Item) -> str:
        to = binding["destination_type"][0]  # q or e
        return f"{self._host}/e/{_quoted(binding['source'])}/{to}/{_quoted(binding['destination'])}"

    async def _call(self, method: str, path: str, body: object = None) -> Json:
        assert self._session is not None, "use `async with`"
        try:
            async with self._session.request(
                method, self._base + path, json=body, ssl=self._tls or True
            ) as answer:
                if answer.status < 400:
                    return await answer.json() if answer.content_type == "application/json" else None
                reason = (await answer.text())[:300]
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise BrokerUnavailable(
                f"management API at {self._base}: {str(fault) or 'no answer in time'}"
            ) from fault
        match answer.status:
            case 401 | 403:
                raise Misconfigured(f"management API at {self._base} refuses user {self._user}: {reason}")
            case 404:
                raise Misconfigured(f"management API at {self._base}: no virtual host {self._vhost} ({path})")
            case status if status >= 500:
                raise BrokerUnavailable(f"management API at {self._base}: {status} {reason}")
            case status:
                raise Misconfigured(f"management API at {self._base}: {method} {path}: {status} {reason}")


def _quoted(name: str) -> str:
    return quote(name, safe="")
