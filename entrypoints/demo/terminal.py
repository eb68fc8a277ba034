"""The demo on the terminal: a line for each message when its way is over, and the figures below."""

import shlex
from collections.abc import Mapping

import msgspec
from cachetools import LRUCache
from rich.console import Console
from rich.live import Live
from rich.text import Text

from entrypoints.demo import shop
from entrypoints.demo.expect import Expected
from entrypoints.demo.feed import KEPT_MAX, WORKING, Row
from entrypoints.demo.tally import Tally

_STYLES = {"sent": "green", "failed": "red", "deferred": "yellow", "absorbed": "dim", "unknown": "yellow"}
_WIDTHS = (9, 7, 26, 21, 26, 8, 11)
_HEADS = ("time", "shop", "event", "message", "recipient", "channel", "status")


class Terminal:
    """Prints rows above a line of figures; without a terminal the rows alone."""

    def __init__(self, tally: Tally) -> None:
        found = Console(highlight=False)
        self.console = found if found.is_terminal else Console(highlight=False, width=160)
        self._tally = tally
        self._shop_time = ""
        self._printed: LRUCache[str, tuple[str, int]] = LRUCache(KEPT_MAX)
        self._live = Live(self._figures(), console=self.console, refresh_per_second=8, transient=True)

    def open(self, url: str, key: str) -> None:
        """Say where everything is, and what can be tried."""
        say = self.console.print
        say(f"\n  [bold]{url}[/]  the same list, live, with every mail")
        say(f"  [bold]{url}docs[/]  the API's documentation\n")
        say("  Try it from another terminal:\n", style="dim")
        for text, line in commands(url, key):
            say(f"  [dim]# {text}[/]", soft_wrap=True)
            say(Text(f"  {line}\n"), soft_wrap=True)
        self.console.print(Text("  " + _columns(_HEADS) + "ms".rjust(7), style="dim"), no_wrap=True)
        if self.console.is_terminal:
            self._live.start()

    def close(self) -> None:
        """Take the figures away."""
        self._live.stop()

    def show(self, row: Row) -> None:
        """A row that is new or changed; what is still under way is not printed."""
        self._shop_time = row.shop_time or self._shop_time
        news = (row.status, row.attempts)
        if (row.status not in WORKING or row.status == "deferred") and self._printed.get(row.id) != news:
            self._printed[row.id] = news
            self.console.print(_line(row), no_wrap=True, overflow="ellipsis", crop=True)
        self._live.update(self._figures())

    def _figures(self) -> Text:
        tally = self._tally
        text = Text("\n  ")
        text.append(f"{self._shop_time or 'opening':<8}", style="bold")
        for name, count, style in (
            ("events", tally.published, ""),
            ("accepted", tally.accepted, ""),
            ("sent", tally.sent, "green"),
            ("failed", tally.failed, "red"),
            ("put off", tally.deferred, "yellow"),
            ("repetitions absorbed", tally.absorbed, "dim"),
        ):
            text.append(f" {count} ", style=f"bold {style}".strip())
            text.append(f"{name}  ", style="dim")
        text.append(f" {tally.p95():.0f} ms", style="bold")
        text.append(" p95   Ctrl-C ends", style="dim")
        return text


def commands(url: str, key: str) -> list[tuple[str, str]]:
    """Lines for the shell that work as they stand."""
    api, login = f"{url}api/notifications", f"-H 'Authorization: Bearer {key}'"
    order = {
        "notificationType": "order_confirmation",
        "templateId": "order_confirmation_email",
        "priority": "high",
        "recipientId": shop.MIRA.id,
        "data": {"orderId": "4711", "total": 59.9, "currency": "GBP", "shopName": shop.NAME},
    }
    guest = {
        "notificationType": "greeting",
        "channelType": "email",
        "recipients": [{"email": "you@mail.example.com", "name": "You"}],
        "subject": "Hello from the demo",
        "body": "Your own words, to somebody the shop does not know yet.",
    }
    return [
        (
            "a template, to a customer; run it twice: the second answer is a replay",
            _post(api, login, order, "first"),
        ),
        ("your own words, to a guest", _post(api, login, guest)),
        ("what became of the last three", f"curl -s '{api}?limit=3' {login}"),
    ]


def summary(console: Console, found: Expected, wanted: Expected, p95: float) -> list[str]:
    """Print figures beside what they must be; return the names of those that differ."""
    console.print()
    differ = []
    for name in Expected.__struct_fields__:
        is_, must = getattr(found, name), getattr(wanted, name)
        console.print(f"  {name:<12}{is_:>6}" + ("" if is_ == must else f"   [red]must be {must}[/]"))
        differ += [name] if is_ != must else []
    console.print(f"  {'p95':<12}{p95:>6.0f} ms from event to provider\n")
    return differ


def _post(url: str, login: str, body: Mapping[str, object], key: str | None = None) -> str:
    repeat = f" -H 'Idempotency-Key: {key}'" if key else ""
    data = shlex.quote(msgspec.json.encode(body).decode())
    return f"curl -s {url} {login}{repeat} -H 'Content-Type: application/json' -d {data}"


def _line(row: Row) -> Text:
    again = f" ({row.attempts} attempts)" if row.attempts > 1 and row.status == "sent" else ""
    why = f"  {row.reason}" if row.reason and row.status != "sent" else again
    status = Text(row.status.ljust(_WIDTHS[-1]), style=_STYLES.get(row.status, ""))
    cells = _columns((row.at, row.shop_time, row.event, row.what, f"{row.who} ({row.account})", row.channel))
    ms = "" if row.ms is None else f"{row.ms:.0f}"
    return Text.assemble(
        "  ", (cells, "dim" if row.status == "absorbed" else ""), status, ms.rjust(7), (why, "dim")
    )


def _columns(cells: tuple[str, ...]) -> str:
    return "".join(
        (cell if len(cell) < width else f"{cell[: width - 2]}…").ljust(width)
        for cell, width in zip(cells, _WIDTHS, strict=False)
    )
