"""Our SMTP gateway against `smtp-sink`, the test server of Postfix (Debian `postfix`)."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.providers.email.smtp.connections import SmtpTls
from adapters.providers.email.smtp.gateway import SmtpSettings
from application.provider.ports import OutboundMessage
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.peers.servers import running, smtp_sink
from tests.support.gathering import together
from tests.support.sandbox import free_port

HARD, SOFT, HANGS_UP, SLOW = "-f", "-r", "-q", "-w"


@asynccontextmanager
async def sink(folder: Path, *options: str) -> Any:
    port = free_port()
    async with running(smtp_sink(*options, port=port), folder / "sink.log", port):
        settings = SmtpSettings(
            host="127.0.0.1", port=port, tls=SmtpTls.NONE, sender="The Shop <shop@shop.test>"
        )
        async with closing(settings.gateway(CONTEXT)) as gateway:
            yield gateway


async def outcomes(folder: Path, options: Sequence[str], *messages: OutboundMessage) -> list[Outcome]:
    async with sink(folder, *options) as gateway:
        return list(await together(gateway, messages))


async def test_it_takes_what_we_send_over_several_connections(tmp_path: Path) -> None:
    sent = [message(f"ada{n}@shop.test", body=f"Grüße {n} 🎉\n.\n..") for n in range(50)]
    assert all(isinstance(each, Accepted) for each in await outcomes(tmp_path, (), *sent))


def kept_mails(folder: Path) -> list[bytes]:
    return [each.read_bytes() for each in (folder / "kept").iterdir()]


@pytest.fixture
def writable(tmp_path: Path) -> Path:
    """A folder, with a folder `kept`, for one who runs as nobody."""
    for folder in (tmp_path, tmp_path / "kept"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    return tmp_path


async def test_what_it_writes_down_is_the_message(writable: Path) -> None:
    async with sink(writable, "-d", "kept/mail.") as gateway:
        assert isinstance(await gateway.send(message(subject="Grüße", body="one\n.\ntwo")), Accepted)
    [mail] = kept_mails(writable)
    assert re.search(rb"(?m)^X-Rcpt-Args: <ada@shop.test>", mail)
    assert b"=?utf-8?" in mail


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ((HARD, "CONNECT"), AccountFault),
        ((HARD, "MAIL"), AccountFault),
        ((HARD, "RCPT", "-B", "550 5.1.1 no such user"), Refused),
        ((HARD, "RCPT"), AccountFault),  # 500 5.3.0: the server's own trouble, as it says
        ((HARD, "DATA"), AccountFault),
        ((HARD, "."), Refused),
        ((SOFT, "CONNECT"), Deferred),
        ((SOFT, "MAIL"), Deferred),
        ((SOFT, "RCPT"), Deferred),
        ((SOFT, "DATA"), Deferred),
        ((SOFT, "."), Deferred),
        ((HANGS_UP, "CONNECT"), Deferred),
        ((HANGS_UP, "MAIL"), Deferred),
        ((HANGS_UP, "RCPT"), Deferred),
        ((HANGS_UP, "DATA"), Deferred),
        ((HANGS_UP, "."), Unknown),
    ],
)
async def test_an_error_at_any_stage(tmp_path: Path, options: Sequence[str], kind: type) -> None:
    [outcome] = await outcomes(tmp_path, options, message())
    assert isinstance(outcome, kind), outcome


async def test_one_that_is_slow_with_data_is_waited_for(tmp_path: Path) -> None:
    async with asyncio.timeout(20):
        [outcome] = await outcomes(tmp_path, (SLOW, "1"), message())
    assert isinstance(outcome, Accepted)
