"""An ASGI application as an actor: uvicorn without its own signal handling."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from domain.kernel.errors import Misconfigured
from entrypoints.http.cork import CorkedProtocol

GRACE = 5
"""Seconds in which open requests may end."""
BACKLOG = 2048
KEEP_ALIVE = 75
"""Seconds an idle connection is kept: longer than load balancers do (60), so that they close first."""


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


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's business."""
        yield


@dataclass(slots=True, kw_only=True)
class HttpActor:
    """Serves one application on one socket."""

    app: Any
    socket: socket.socket
    name: str = "http"
    before_stop: Callable[[], None] = lambda: None
    """Ends what would hold the shutdown up, such as streams."""
    _server: _Server | None = None
    _stopping: bool = field(default=False)

    async def run(self) -> None:
        """Serve until stopped."""
        if self._stopping:
            return
        config = uvicorn.Config(
            self.app,
            http=CorkedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
        )
        self._server = _Server(config)
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
