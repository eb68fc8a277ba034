"""The SMTP gateway against real servers, and against one that misbehaves in every place it can."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.providers.email.smtp.connections import SmtpTls
from adapters.providers.email.smtp.gateway import SmtpGateway, SmtpSettings
from adapters.system import SystemClock
from domain.kernel.secret import Secret
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown
from tests.contract.gateway import message
from tests.support.eventually import eventually
from tests.support.smtp import DROP, HANG, certificate, mailbox, scripted

SHORT = timedelta(milliseconds=300)


@asynccontextmanager
async def gateway(port: int, **options: Any) -> AsyncIterator[SmtpGateway]:
    known = {"host": "127.0.0.1", "port": port, "sender": "The Shop <shop@shop.test>", "tls": SmtpTls.NONE}
    smtp = SmtpGateway(SmtpSettings(**(known | options)), SystemClock())
    try:
        yield smtp
    finally:
        await smtp.aclose()


async def outcome(port: int, **options: Any) -> Outcome:
    async with gateway(port, **options) as smtp:
        return await smtp.send(message())


async def test_a_message_arrives_as_it_was_written() -> None:
    async with mailbox() as box, gateway(box.port) as smtp:
        sent = message(
            subject="Grüße aus dem Shop – Bestellung A-1", html_body="<p>Danke, Ada ☕</p>", body="Danke ☕"
        )
        assert await smtp.send(sent) == Accepted(f"{sent.delivery}@shop.test")
        (mail,) = box.mails
        assert box.recipients == ["ada@shop.test"]
        assert (mail["From"], mail["Subject"]) == ("The Shop <shop@shop.test>", sent.subject)
        assert mail["Message-ID"] == f"<{sent.delivery}@shop.test>"
        plain, html = mail.iter_parts()
        assert (plain.get_content(), html.get_content()) == ("Danke ☕", "<p>Danke, Ada ☕</p>")


async def test_dots_and_long_lines_survive_the_wire() -> None:
    body = ".\n..\n.hidden\n" + "é" * 5_000 + "\n" + "x" * 5_000 + "\n."
    async with mailbox() as box, gateway(box.port) as smtp:
        assert isinstance(await smtp.send(message(body=body)), Accepted)
        assert str(box.mails[0].get_content()).replace("\r\n", "\n").rstrip("\n") == body


async def test_connections_are_kept_and_bounded() -> None:
    async with mailbox() as box, gateway(box.port, pool=3) as smtp:
        outcomes = await asyncio.gather(*(smtp.send(message()) for _ in range(60)))
        assert {type(one) for one in outcomes} == {Accepted}
        assert len(box.mails) == 60
        assert len(box.sessions) <= 3


async def test_a_connection_carries_so_many_messages_and_no_more() -> None:
    async with scripted() as server, gateway(server.port, pool=1, messages_max=2) as smtp:
        for _ in range(5):
            assert isinstance(await smtp.send(message()), Accepted)
        assert server.connections == 3
        await eventually(lambda: server.heard.count("QUIT") == 2)


async def test_an_idle_connection_is_closed_with_good_manners() -> None:
    async with scripted() as server, gateway(server.port, idle_max=timedelta(milliseconds=30)) as smtp:
        await smtp.send(message())
        await eventually(lambda: server.heard[-1] == "QUIT")
        assert isinstance(await smtp.send(message()), Accepted)
        assert server.connections == 2


async def test_closing_the_gateway_quits() -> None:
    async with scripted() as server:
        async with gateway(server.port) as smtp:
            await smtp.send(message())
        assert server.heard[-1] == "QUIT"


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced_unnoticed() -> None:
    async with scripted(MAIL="250 ok|drop|250 ok|421 4.4.2 idle too long|250 ok") as server:
        async with gateway(server.port) as smtp:
            for _ in range(3):
                assert isinstance(await smtp.send(message()), Accepted)
        assert server.connections == 3
        assert server.heard.count("content") == 3


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ({"content": f"250 ok|{DROP}|250 ok"}, Unknown),
        ({"content": f"250 ok|{HANG}|250 ok"}, Unknown),
        ({"content": "250 ok|421 bye|250 ok"}, Deferred),
        ({"DATA": f"354 go|{DROP}|354 go"}, Deferred),
        ({"RCPT": f"250 ok|{DROP}|250 ok"}, Deferred),
        ({"MAIL": f"250 ok|{HANG}|250 ok"}, Deferred),
    ],
)
async def test_only_an_unused_transaction_is_begun_again(script: dict[str, str], kind: type) -> None:
    async with scripted(**script) as server, gateway(server.port, timeout=SHORT, answer_max=SHORT) as smtp:
        assert isinstance(await smtp.send(message()), Accepted)
        before = server.heard.count("MAIL")
        assert type(await smtp.send(message())) is kind
        assert server.heard.count("MAIL") == before + 1
        assert isinstance(await smtp.send(message()), Accepted)


async def test_after_a_refusal_the_session_is_reset_and_used_again() -> None:
    async with scripted(RCPT="550 no|250 ok") as server, gateway(server.port) as smtp:
        assert isinstance(await smtp.send(message()), Refused)
        assert isinstance(await smtp.send(message()), Accepted)
        assert server.connections == 1
        assert server.heard == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA", "content"]


@pytest.mark.parametrize("reset", ["500 what?", DROP, "421 bye"])
async def test_a_session_that_cannot_be_reset_is_replaced(reset: str) -> None:
    async with scripted(RCPT="451 later|250 ok", RSET=reset) as server, gateway(server.port) as smtp:
        assert isinstance(await smtp.send(message()), Deferred)
        assert isinstance(await smtp.send(message()), Accepted)
        assert server.connections == 2


async def test_no_free_connection_is_no_call() -> None:
    async with (
        scripted(content=HANG) as server,
        gateway(server.port, pool=1, answer_max=SHORT * 3, wait_max=SHORT) as smtp,
    ):
        first = asyncio.create_task(smtp.send(message()))
        await eventually(lambda: "content" in server.heard)
        assert isinstance(await smtp.send(message()), NotCalled)
        assert isinstance(await first, Unknown)


MISBEHAVIOUR = [
    # before there is anything the server could deliver: definite
    ({"greeting": "421 4.3.2 too busy"}, Deferred, "connecting: 421"),
    ({"greeting": "554 5.7.1 go away"}, AccountFault, "connecting: 554"),
    ({"greeting": DROP}, Deferred, "connecting"),
    ({"greeting": HANG}, Deferred, "connecting: no answer"),
    ({"greeting": "hello there"}, Deferred, "connecting: -1"),
    ({"EHLO": DROP}, Deferred, "connecting"),
    ({"EHLO": HANG}, Deferred, "connecting: no answer"),
    ({"EHLO": "550 who?", "HELO": "550 who?"}, AccountFault, "connecting: 550"),
    ({"MAIL": "451 4.3.0 later"}, Deferred, "sender: 451"),
    ({"MAIL": "550 5.7.1 not from you"}, AccountFault, "sender: 550"),
    ({"MAIL": "421 4.7.0 too many messages"}, Deferred, "sender: 421"),
    ({"MAIL": DROP}, Deferred, "sender: "),
    ({"MAIL": HANG}, Deferred, "sender: no answer"),
    ({"MAIL": "garbage"}, Deferred, "sender: -1"),
    ({"RCPT": "450 4.2.0 greylisted"}, Deferred, "recipient: 450"),
    ({"RCPT": "452 4.2.2 mailbox full"}, Deferred, "recipient: 452"),
    ({"RCPT": "550 5.1.1 <ada@shop.test> no such user"}, Refused, "recipient: 550 5.1.1 … no such user"),
    ({"RCPT": "421 4.7.0 slow down"}, Deferred, "recipient: 421"),
    ({"RCPT": DROP}, Deferred, "recipient: "),
    ({"RCPT": HANG}, Deferred, "recipient: no answer"),
    ({"DATA": "451 4.3.1 not now"}, Deferred, "data: 451"),
    ({"DATA": "554 5.5.1 no valid recipients"}, Refused, "data: 554"),
    ({"DATA": "250 what?"}, Deferred, "data: 250"),
    ({"DATA": "421 4.3.2 bye"}, Deferred, "data: 421"),
    ({"DATA": DROP}, Deferred, "data: "),
    ({"DATA": HANG}, Deferred, "data: no answer"),
    # after the message went out: an answer is definite, silence is not
    ({"content": "451 4.7.1 greylisted, come back"}, Deferred, "message: 451"),
    ({"content": "421 4.3.2 shutting down"}, Deferred, "message: 421"),
    ({"content": "550 5.7.1 looks like spam"}, Refused, "message: 550"),
    ({"content": "552 5.3.4 too big"}, Refused, "message: 552"),
    ({"content": DROP}, Unknown, "message: "),
    ({"content": "drop early"}, Unknown, "message: "),
    ({"content": "\x00\x01 garbage"}, Unknown, "message: "),
    ({"content": "354 go on"}, Unknown, "message: "),
    # odd, but good
    ({"EHLO": "500 what?"}, Accepted, ""),
    ({"RCPT": "251 will forward"}, Accepted, ""),
    ({"greeting": "220-a banner\r\n220 of two lines"}, Accepted, ""),
    ({"content": "250-2.0.0\r\n250 ok"}, Accepted, ""),
    ({"content": "250 \udcff\udcfe"}, Accepted, ""),
]


@pytest.mark.parametrize(("script", "kind", "says"), MISBEHAVIOUR)
async def test_misbehaviour(script: dict[str, str], kind: type, says: str) -> None:
    async with scripted(**script) as server:
        found = await outcome(server.port, timeout=SHORT)
        assert type(found) is kind
        if isinstance(found, Deferred | Refused | Unknown | AccountFault):
            assert says in found.reason
            assert "ada@" not in found.reason
        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("after 0.8 250 scanned", Accepted),
        ("after 0.8 550 a virus", Refused),
        ("after 0.8 451 later", Deferred),
    ],
)
async def test_a_relay_may_scan_a_message_longer_than_a_call_may_take_to_begin(
    answer: str, kind: type
) -> None:
    async with scripted(content=answer) as server:
        assert type(await outcome(server.port, timeout=SHORT)) is kind
        assert server.heard.count("content") == 1


async def test_that_wait_has_an_end_of_its_own() -> None:
    async with scripted(content=HANG) as server:
        found = await outcome(server.port, timeout=timedelta(seconds=9), answer_max=SHORT)
        assert found == Unknown("message: no answer within 0.3 s")


async def test_a_dead_peer_is_noticed_while_we_wait() -> None:
    """The kernel asks it; without that, a server that vanished holds a connection for all of `answer_max`."""
    async with scripted() as server, gateway(server.port) as smtp:
        await smtp.send(message())
        [kept] = smtp._connections._idle
        connected = kept.smtp.get_transport_info("socket")
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60


async def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = await outcome(closed.getsockname()[1])
    assert isinstance(found, Deferred)
    assert found.reason.startswith("connecting: ")


async def test_a_name_that_does_not_resolve() -> None:
    found = await outcome(25, host="no-such-host.invalid")
    assert isinstance(found, AccountFault | Deferred)  # without a resolver nobody knows that there is none
    assert found.reason.startswith("connecting: ")


async def test_an_address_that_needs_smtputf8() -> None:
    async with mailbox(utf8=True) as box, gateway(box.port) as smtp:
        assert isinstance(await smtp.send(message("jörg@shop.test")), Accepted)
        assert box.recipients == ["jörg@shop.test"]
    async with mailbox() as box, gateway(box.port) as smtp:
        found = await smtp.send(message("jörg@shop.test"))
        assert isinstance(found, Refused)
        assert "SMTPUTF8" in found.reason
        assert isinstance(await smtp.send(message()), Accepted)
        assert len(box.sessions) == 1


@pytest.mark.parametrize("address", ["+4930901820", "a b@shop.test", "ada@shop.test\r\nDATA", ""])
async def test_what_is_no_mail_address_is_refused_without_a_connection(address: str) -> None:
    async with scripted() as server, gateway(server.port) as smtp:
        found = Refused("cannot be an e-mail: not an e-mail address", examined=False)
        assert await smtp.send(message(address)) == found
        assert server.connections == 0


@pytest.mark.parametrize(
    ("user", "password", "kind", "says"),
    [
        ("shop", "secret", Accepted, ""),
        ("shop", "wrong", AccountFault, "logging in: 535"),
        (None, None, AccountFault, "sender: 530"),
    ],
)
async def test_logging_in(user: str | None, password: str | None, kind: type, says: str) -> None:
    async with mailbox(login=("shop", "secret")) as box:
        found = await outcome(box.port, user=user, password=None if password is None else Secret(password))
        assert type(found) is kind
        if isinstance(found, AccountFault):
            assert found.certain
            assert says in found.reason
            assert "wrong" not in found.reason


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("454 4.7.0 temporary", AccountFault),
        ("535 5.7.8 bad", AccountFault),
        (DROP, Deferred),
        (HANG, Deferred),
    ],
)
async def test_troubles_with_logging_in(answer: str, kind: type) -> None:
    hello = "250-scripted.test\r\n250 AUTH PLAIN"
    async with scripted(EHLO=hello, AUTH=answer) as server:
        found = await outcome(server.port, user="shop", password=Secret("secret"), timeout=SHORT)
        assert type(found) is kind
        assert "logging in" in getattr(found, "reason", "")
        assert "MAIL" not in server.heard


async def test_a_server_without_logins_is_not_asked_for_one_in_vain() -> None:
    async with scripted() as server:
        found = await outcome(server.port, user="shop", password=Secret("secret"))
        assert isinstance(found, AccountFault)
        assert "AUTH" in found.reason


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_encrypted_and_verified(tls: str, tmp_path: Path) -> None:
    pem, context = certificate(tmp_path)
    async with mailbox(**{tls: context}) as box:
        good = await outcome(box.port, host="localhost", tls=tls, ca=pem)
        assert isinstance(good, Accepted)
        stranger = await outcome(box.port, host="localhost", tls=tls)
        assert isinstance(stranger, AccountFault)
        assert "certificate" in stranger.reason.lower()
        other_name = await outcome(box.port, host="127.0.0.1", tls=tls, ca=pem)
        assert isinstance(other_name, AccountFault)
        unverified = await outcome(box.port, host="127.0.0.1", tls=tls, verify=False)
        assert isinstance(unverified, Accepted)
        assert len(box.mails) == 2


async def test_a_server_that_does_not_encrypt_gets_nothing() -> None:
    async with scripted() as server:
        found = await outcome(server.port, tls="starttls", user="shop", password=Secret("secret"))
        assert isinstance(found, AccountFault)
        assert "STARTTLS" in found.reason
        assert not {"AUTH", "MAIL"} & set(server.heard)
    async with mailbox() as box:
        assert isinstance(await outcome(box.port, tls="tls", timeout=SHORT * 3), AccountFault)
        assert box.mails == []


async def test_logging_in_under_tls(tmp_path: Path) -> None:
    pem, context = certificate(tmp_path)
    async with mailbox(starttls=context, login=("shop", "secret")) as box:
        login = {"user": "shop", "password": Secret("secret")}
        assert isinstance(
            await outcome(box.port, host="localhost", tls="starttls", ca=pem, **login), Accepted
        )


async def test_a_cancelled_call_cuts_its_connection_and_frees_its_place() -> None:
    async with scripted(content=f"{HANG}|250 ok") as server, gateway(server.port, pool=1) as smtp:
        call = asyncio.create_task(smtp.send(message()))
        await eventually(lambda: "content" in server.heard)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert isinstance(await smtp.send(message()), Accepted)
        assert server.connections == 2


async def test_a_call_that_timed_out_does_not_finish_sending_later() -> None:
    """The server reads nothing until the call is over: what is still in our buffers must not follow."""
    over, done = asyncio.Event(), asyncio.Event()
    got = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        for answer in (b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            await reader.readline()
            writer.write(answer)
        await over.wait()
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                got.extend(chunk)
        writer.close()
        done.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1024)
    port = server.sockets[0].getsockname()[1]
    async with gateway(port, timeout=SHORT, answer_max=SHORT) as smtp:
        assert isinstance(await smtp.send(message(body=("x" * 900 + "\n") * 20_000)), Unknown)
        over.set()
        await done.wait()
    server.close()
    assert not got.endswith(b"\r\n.\r\n")


def test_the_password_is_not_shown() -> None:
    options = SmtpSettings(host="h", port=25, sender="a@b.c", user="shop", password=Secret("hunter2"))
    assert "hunter2" not in repr(options)
