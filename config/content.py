"""What messages are made of beside their texts: senders of e-mail by name, and files that go along."""

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import formataddr, parseaddr
from typing import Annotated

from msgspec import Meta

from adapters.http.egress import networks_of
from adapters.http.files import FetchedFiles, Network
from application.kernel.ports import Clock
from config.section import Section
from domain.kernel.errors import Misconfigured

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}")


class SenderSettings(Section, frozen=True):
    """A sender of e-mail that templates and requests choose by its name."""

    address: Annotated[str, Meta(description="From address; the provider must be allowed to use it")] = ""
    name: Annotated[str, Meta(description="what mail programs show for it")] = ""


class AttachmentSettings(Section, frozen=True):
    """Files of the shop that go along with e-mails, fetched by their URLs."""

    networks: Annotated[
        tuple[str, ...],
        Meta(description="such as 10.0.0.0/8: not public, and files may be fetched there; also by http"),
    ] = ()
    fetch_max: Annotated[timedelta, Meta(description="for fetching one file")] = timedelta(seconds=10)
    kept: Annotated[
        timedelta, Meta(description="a fetched file is used again for so long, as for a campaign")
    ] = timedelta(minutes=1)


def mailboxes(senders: Mapping[str, SenderSettings]) -> dict[str, str]:
    """Each sender as a From header has it, by name.

    Raises:
        Misconfigured: a name or an address is none.
    """
    made = {}
    for name, sender in senders.items():
        if not _NAME.fullmatch(name):
            raise Misconfigured(f"senders.{name}: a sender's name has up to 50 letters, digits, - and _")
        address = sender.address
        if parseaddr(address)[1] != address or not re.fullmatch(r"[!-~]+@[!-~]+", address):
            raise Misconfigured(f"senders.{name}.address is {address!r}: give an address: shop@example.org")
        if not sender.name.isprintable():
            raise Misconfigured(f"senders.{name}.name has a line break or another control character")
        made[name] = (
            formataddr((sender.name, address))
            if sender.name.isascii()
            else (f'"{sender.name.translate(_QUOTED)}" <{address}>')
        )
    return made


_QUOTED = str.maketrans({'"': '\\"', "\\": "\\\\"})


def networks(settings: AttachmentSettings) -> tuple[Network, ...]:
    """What `networks` stands for.

    Raises:
        Misconfigured: one is none.
    """
    return networks_of(settings.networks, "attachments.networks")


def files(settings: AttachmentSettings, clock: Clock) -> FetchedFiles:
    """What fetches attachments."""
    return FetchedFiles(
        networks=networks(settings),
        timeout=settings.fetch_max,
        kept=settings.kept,
        monotonic=clock.monotonic,
    )
