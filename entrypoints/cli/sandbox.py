"""`posthorn sandbox`: simulated providers on one port."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import click

from entrypoints.cli.shell import out, run_process


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8026, show_default=True, help="0: a free one.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds that every call takes.")
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that gets a JSON line for each message, before its sender is answered.",
)
def sandbox(host: str, port: int, latency: float, ledger: Path | None) -> None:
    """Serve look-alikes of the providers' APIs, which send nothing.

    They do with a message what its address asks for: refuse@, defer@, throttle@, silent@, slow-500@; phone
    numbers that end in 999100 … 999400 likewise. All others are accepted. PUT /_faults/KIND breaks a provider
    for everybody ({"status": 503}, {"fails": "hangs"}), DELETE mends it.
    """
    from config.simulated import ids, writing
    from entrypoints.simulator.kit import Simulator
    from entrypoints.simulator.server import LOOK_ALIKES, serve

    simulator = Simulator(
        ids=ids(), latency=timedelta(seconds=latency), ledger=None if ledger is None else writing(ledger)
    )

    async def work() -> None:
        stopping = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, stopping.set)
        runner = await serve(simulator, host, port)
        try:
            taken = runner.addresses[0][1]
            for kind in LOOK_ALIKES:
                out().print(f'kind = "{kind}"  url = "http://{host}:{taken}/{kind}"', soft_wrap=True)
            await stopping.wait()
        finally:
            await runner.cleanup()

    run_process(work)
