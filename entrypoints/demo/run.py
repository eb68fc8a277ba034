"""`posthorn demo`: everything in one process, a shop that plays its day, and a list that shows it live."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TextIO
from uuid import UUID

from application.channel.ports import Channel
from application.user.identity import customer, guest
from config.catalog import load_catalog
from config.connections import Http
from config.container import Container
from config.gateways import provider_settings
from config.lifecycle import built, install_catalog, opened, start_logging
from config.parts import Parts
from config.settings import Settings
from domain.kernel.channel import Mode
from domain.kernel.errors import Misconfigured
from entrypoints.demo import shop, watched_ports
from entrypoints.demo.channels import CHANNELS, TEMPLATES, TRIGGERS, DemoProviders, serve_providers
from entrypoints.demo.day import greet, plan
from entrypoints.demo.expect import Expected, expected
from entrypoints.demo.feed import Feed
from entrypoints.demo.page import pages
from entrypoints.demo.player import Player
from entrypoints.demo.sink import Mail, MailSink
from entrypoints.demo.tally import Tally
from entrypoints.demo.terminal import Terminal, summary
from entrypoints.demo.watch import Watch
from entrypoints.engine.actor import Actor, pause
from entrypoints.engine.supervisor import Supervisor
from entrypoints.processes.roles import ROLES, ProcessActors
from entrypoints.processes.run import report_crashes, signals

MAILER = "mailer"
PORTS = range(8025, 8045)
MINUTE, MINUTE_ONCE = 0.1, 0.008
"""Seconds that one of the shop's minutes takes."""
NIGHT = 4.0
SETTLE_MAX = 60.0
GRACE = 10.0
KEY_LIFETIME = timedelta(days=1)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


async def run_demo(*, once: bool, port: int | None, folder: Path) -> bool:
    """Play until Ctrl-C, or one day.

    Args:
        port: of the page and the API; None: the first free one of `PORTS`.
        folder: where the data is kept.

    Returns:
        Whether everything came out as it must.

    Raises:
        Misconfigured: the port or the folder cannot be used.
    """
    feed, tally = Feed(), Tally()
    terminal = Terminal(tally)
    sink = MailSink(lambda mail: _taken(feed, mail))
    simulated = await serve_providers()
    settings = _settings(await sink.start(), _free(port), simulated)
    with _log(folder) as log:
        start_logging(settings, log)
        container = built(settings, folder)
        try:
            async with opened(container, "demo") as parts:
                users = _users(container)
                watch = Watch(feed=feed, tally=tally, clock=container.kernel.clock(), users=users)
                demo = _assembled(parts, watch, sink, simulated)
                key = await _seeded(container)
                feed.watch(terminal.show)
                terminal.open(f"http://localhost:{settings.http.port}/", key)
                try:
                    must = await demo.run(once=once)
                finally:
                    terminal.close()
        finally:
            await sink.stop()
            await simulated.stop()
    if not once or demo.interrupted:
        return True
    return not summary(terminal.console, tally.figures, must, tally.p95())


@dataclass(slots=True, kw_only=True)
class Demo:
    """One run."""

    groups: list[list[Actor]]
    actors: ProcessActors
    player: Player
    watch: Watch
    code: str
    """Makes this run's ids its own: the data of earlier runs is still there."""
    interrupted: bool = False

    async def run(self, *, once: bool) -> Expected:
        """Run the actors while the shop plays; returns what must have come of it."""
        supervisor = Supervisor(
            groups=self.groups,
            telemetry=self.actors.telemetry,
            tasks=self.actors.container.kernel.tasks(),
            grace=GRACE,
        )
        report_crashes(self.actors.telemetry)
        running = asyncio.create_task(supervisor.run())

        def interrupt(_number: int) -> None:
            self.interrupted = True
            self.player.stopping.set()
            self.watch.news.set()

        with signals(interrupt):
            try:
                return await self._play(once=once)
            finally:
                self.actors.draining = True
                supervisor.stop()
                await running

    async def _play(self, *, once: bool) -> Expected:
        """One day, or one after another until interrupted."""
        triggers, busy, day = (*load_catalog().triggers, *TRIGGERS), set[str](), 0
        users = greet(f"{self.code}0")
        must = expected(users, triggers, busy)
        await self.player.play(users, 0)
        await self._until(lambda: self.watch.tally.handled >= must.published)
        while not self.interrupted:
            day += 1
            happenings = plan(f"{self.code}{day}")
            must += expected(happenings, triggers, busy)
            await self.player.play(happenings, MINUTE_ONCE if once else MINUTE)
            if once:
                break
            await pause(NIGHT, self.player.stopping)
        await self._until(lambda: self.watch.tally.finished(must.published))
        return must

    async def _until(self, done: Callable[[], bool]) -> None:
        """Wait for it, at most `SETTLE_MAX` seconds: the figures show what is missing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_MAX):
                while not done() and not self.interrupted:
                    self.watch.news.clear()
                    await self.watch.news.wait()


def _assembled(parts: Parts, watch: Watch, sink: MailSink, simulated: DemoProviders) -> Demo:
    """The whole engine, with watched ports."""
    container = parts.container
    watched_ports.watch_ports(container, watch)
    actors = ProcessActors(container, ROLES["all"])
    groups = actors.groups(
        parts,
        handle=watched_ports.watched(container.event.handle(), watch),
        pages=pages(watch.feed, watch.tally, sink, simulated),
    )
    if actors.http is not None:
        actors.http.before_stop = watch.feed.close
    clock, ids = container.kernel.clock(), container.kernel.ids()
    player = Player(events=container.broker.shop_events(), watch=watch, clock=clock, ids=ids)
    return Demo(groups=groups, actors=actors, player=player, watch=watch, code=_code(ids.next().int))


async def _seeded(container: Container) -> str:
    """Templates, triggers, the providers of each channel; returns a fresh API key."""
    await install_catalog(container)
    await container.event.install_catalog()(TEMPLATES, TRIGGERS)
    for channel, providers in {"email": (MAILER,), **CHANNELS}.items():
        await container.channel.save()(Channel(channel=channel, providers=providers), expected=None)
    made = await container.access.create_key()("demo", Mode.LIVE, lifetime=KEY_LIFETIME)
    return made.secret.reveal()


def _settings(smtp_port: int, port: int, simulated: DemoProviders) -> Settings:
    """The demo's own: nobody's configuration may make it write to real people."""
    server = {"host": "127.0.0.1", "port": smtp_port, "tls": "none", "timeout": timedelta(seconds=10)}
    mailer = provider_settings("smtp", server | {"from": shop.SENDER})
    return Settings(http=Http(port=port), providers={MAILER: mailer, **simulated.settings})


def _users(container: Container) -> dict[UUID, shop.Shopper]:
    vault = container.privacy.vault()
    known = {customer(vault, user.id or "", Mode.LIVE): user for user in shop.CUSTOMERS}
    for user in shop.GUESTS:  # each address by itself makes a guest
        known[guest(vault, Mode.LIVE, email=user.email, phone=None)] = user
        known[guest(vault, Mode.LIVE, email=None, phone=user.phone)] = user
    return known


def _taken(feed: Feed, mail: Mail) -> None:
    row = feed.rows.get(mail.id)
    if row is not None:
        row.mail = mail.id
        feed.put(row)


def _log(folder: Path) -> TextIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / "demo.log").open("w", encoding="utf-8")
    except OSError as fault:
        raise Misconfigured(
            f"the data folder {folder} cannot be used ({fault.strerror}): name another with --data"
        ) from None


def _free(port: int | None) -> int:
    for candidate in PORTS if port is None else (port,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", candidate))
                return int(probe.getsockname()[1])
    tried = f"{PORTS.start} to {PORTS.stop - 1}" if port is None else str(port)
    raise Misconfigured(f"no free port among {tried}: name one with --port")


def _code(number: int) -> str:
    digits = ""
    for _ in range(4):
        number, rest = divmod(number, len(_ALPHABET))
        digits += _ALPHABET[rest]
    return digits
