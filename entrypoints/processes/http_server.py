"""An ASGI application as an actor: uvicorn without its own signal handling."""

import asyncio
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import uvicorn

from domain.kernel.errors import Misconfigured
from entrypoints.engine.telemetry import Telemetry
from entrypoints.http.server.connection import Connection
from entrypoints.http.server.supervisor import ConnectionLimits, ConnectionSupervisor

GRACE = 5
"""Seconds in which open requests may end."""
BACKLOG = 2048
_LIMITS = ConnectionLimits()
_SPARE_FILES = 128
"""Descriptors that connections leave to everything else: pools, links, files."""
_SWEEP_TICKS = 5
"""Of uvicorn's loop, which turns ten times a second."""


def listen(host: str, port: int, key: str) -> socket.socket:
    """Take the port before anything else is started: a port in use is said at once.

    Args:
        key: of the setting that names the port.

    Raises:
        Misconfigured: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    except OSError as fault:
        taken.close()
        raise Misconfigured(
            f"cannot listen on {host}:{port} ({fault.strerror}): set {key} to another"
        ) from None
    return taken


def bounded(limits: ConnectionLimits) -> ConnectionLimits:
    """No more connections than the process may open: who has none left cannot even refuse."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(files - _SPARE_FILES, files // 2)
    return replace(limits, connections=min(limits.connections, most))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, supervisor: ConnectionSupervisor) -> None:
        super().__init__(config)
        self._supervisor = supervisor

    async def on_tick(self, counter: int) -> bool:
        """Look at the connections twice a second."""
        if counter % _SWEEP_TICKS == 0:
            self._supervisor.sweep(self.server_state.connections, asyncio.get_running_loop().time())  # type: ignore[arg-type]
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's business."""
        yield


@dataclass(slots=True, kw_only=True)
class HttpActor:
    """Serves one application on one socket."""

    app: Any  # an ASGI application
    socket: socket.socket
    telemetry: Telemetry
    fresh: Callable[[], UUID]
    """Ids of requests that never reach the application."""
    limits: ConnectionLimits = _LIMITS
    name: str = "http"
    before_stop: Callable[[], None] = lambda: None
    """Ends what would hold the shutdown up, such as streams."""
    _server: _Server | None = None
    _stopping: bool = field(default=False)

    async def run(self) -> None:
        """Serve until stopped."""
        if self._stopping:
            return
        supervisor = ConnectionSupervisor(
            limits=bounded(self.limits), telemetry=self.telemetry, fresh=self.fresh
        )
        if supervisor.limits != self.limits:
            self.telemetry.wide(
                "http.connections_limited", limit=supervisor.limits.connections, reason="see `ulimit -n`"
            )
        config = uvicorn.Config(
            self.app,
            http=partial(Connection, supervisor=supervisor),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=supervisor.limits.idle,
            timeout_graceful_shutdown=GRACE,
        )
        self._server = _Server(config, supervisor)
        # uvicorn closes the sockets it is given; after a crash we serve on ours again.
        await self._server.serve(sockets=[self.socket.dup()])

    def stop(self) -> None:
        """Take no new connections; finish the requests in hand."""
        self._stopping = True
        self.before_stop()
        if self._server is not None:
            self._server.should_exit = True
        self.socket.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.socket.getsockname()[1])
