"""An HTTP/2 server with TLS on this host (hypercorn), and a context for clients that trust it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config

from entrypoints.simulator.push.apns import Application
from tests.support.smtp import certificate


@asynccontextmanager
async def http2_server(application: Application, folder: Path) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """Its URL, and the context."""
    pem, _ = certificate(folder)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.certfile, config.keyfile = str(pem), str(folder / "key.pem")
    config.alpn_protocols = ["h2"]
    config.graceful_timeout = 0.1
    config.accesslog = config.errorlog = None
    stop = asyncio.Event()
    server = asyncio.create_task(serve(application, config, shutdown_trigger=stop.wait))
    try:
        yield f"https://localhost:{port}", ssl.create_default_context(cafile=pem)
    finally:
        stop.set()
        await server
