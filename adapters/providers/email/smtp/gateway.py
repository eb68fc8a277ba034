"""E-mail over SMTP (RFC 5321): one message a transaction, over kept connections.

The library is driven command by command: its own `sendmail` raises the same time-out for an unanswered DATA,
where the server has nothing yet, and for an unanswered message, which may be under way.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from email.errors import MessageError
from typing import Annotated, ClassVar

import msgspec
from aiosmtplib import SMTPDataError, SMTPException, SMTPResponseException, SMTPServerDisconnected
from msgspec import Meta

from adapters.providers.email.smtp.connections import Busy, Connections, SmtpConnection, SmtpServer
from adapters.providers.email.smtp.message import MailObject, MailWriter
from adapters.providers.email.smtp.replies import (
    CLOSING,
    CallProgress,
    Stage,
    outcome_of_error,
    outcome_of_reply,
    outcome_of_silence,
)
from adapters.providers.kit.email import refused_unsent
from adapters.providers.kit.redaction import redacted
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, NotCalled, Outcome, Refused

_START_INPUT = 354


class SmtpSettings(SmtpServer, frozen=True, tag="smtp"):
    """E-mail by SMTP."""

    capabilities: ClassVar = Capabilities(channels=("email",))

    sender: Annotated[
        str, Meta(description="From address, with a name if you like: `The Shop <shop@example.org>`")
    ] = msgspec.field(name="from", default="shop@localhost")
    reply_to: Annotated[str | None, Meta(description="Reply-To address")] = None
    hello: Annotated[str | None, Meta(description="our name in EHLO; none: the sender's domain")] = None
    timeout: Annotated[
        timedelta,
        Meta(description="longest time until the server wants the message; at most `engine.call_max`"),
    ] = timedelta(seconds=15)
    answer_max: Annotated[
        timedelta,
        Meta(  # RFC 5321, 4.5.3.2.6
            description="longest wait for its answer to the whole message, which it may scan first; what it "
            "takes after that is sent twice"
        ),
    ] = timedelta(minutes=10)

    def gateway(self, context: ProviderContext) -> "SmtpGateway":
        """See `ProviderSettings`."""
        return SmtpGateway(self, context.clock)

    @property
    def calls_max(self) -> int:
        """A call needs a connection."""
        return self.pool

    @property
    def begins_within(self) -> timedelta:
        """See `ProviderSettings`."""
        return self.timeout

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if (self.user is None) != (self.password is None):
            lacking = "password" if self.password is None else "user"
            yield lacking, "is not set: a login has a user and a password"


class _Unable(Exception):
    """This server cannot carry this message."""


class SmtpGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py.  What answers mean: `replies`."""

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        """Nothing is connected yet.

        Raises:
            Misconfigured: the sender is no address, or the authority's file cannot be read.
        """
        self._writer = MailWriter(sender=settings.sender, reply_to=settings.reply_to)
        self._connections = Connections(settings, hello=settings.hello or self._writer.domain)
        self._timeout = settings.timeout.total_seconds()
        self._answer_max = settings.answer_max.total_seconds()
        self._clock = clock

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the Message-ID, which bounces quote."""
        if message.parts and (unsent := refused_unsent(message)):
            return unsent
        try:
            mail = await self._mail(message)
        except (ValueError, MessageError) as error:
            return Refused(f"cannot be an e-mail: {redacted(str(error))}", examined=False)
        progress = CallProgress()
        try:
            async with asyncio.timeout(self._timeout) as deadline, self._connections.permit():
                await self._carry(mail, progress, deadline)
        except Busy:
            return NotCalled("all connections are at work")
        except _Unable as error:
            return Refused(str(error), examined=False)
        except TimeoutError:
            waited = self._answer_max if progress.stage is Stage.CONTENT else self._timeout
            return outcome_of_silence(progress.stage, f"no answer within {waited:g} s")
        except SMTPResponseException as error:
            return outcome_of_reply(progress.stage, error.code, error.message, mail.recipient)
        except (OSError, SMTPException) as error:
            return outcome_of_error(progress.stage, error)
        return Accepted(mail.message_id)

    async def _mail(self, message: OutboundMessage) -> MailObject:
        """Attachments, which may be megabytes, are put in by a thread.

        Raises:
            ValueError, MessageError: it cannot be an e-mail.
        """
        now = self._clock.now()
        if message.parts.get("attachments"):
            return await asyncio.to_thread(self._writer.write, message, now)
        return self._writer.write(message, now)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._connections.aclose()

    async def _carry(self, mail: MailObject, progress: CallProgress, deadline: asyncio.Timeout) -> None:
        """One mail transaction; a second one when the kept connection turns out to be closed."""
        while True:
            connection = await self._connections.kept() or await self._connections.open(progress)
            connection.transactions += 1
            try:
                await self._transact(connection, mail, progress, deadline)
            except (OSError, SMTPException) as error:
                self._release_failed(connection, error)
                if not _was_stale(connection, error, progress):
                    raise
            except _Unable:
                self._connections.keep(connection)
                raise
            except BaseException:
                connection.abort()
                raise
            else:
                self._connections.keep(connection)
                return

    async def _transact(
        self, connection: SmtpConnection, mail: MailObject, progress: CallProgress, deadline: asyncio.Timeout
    ) -> None:
        """One mail transaction.

        Raises:
            OSError, SMTPException: it did not work; `progress` says how far it came.
        """
        smtp = connection.smtp
        progress.stage = Stage.SENDER
        if mail.smtputf8 and not smtp.supports_extension("smtputf8"):
            raise _Unable("the address needs SMTPUTF8, which the server does not offer")
        options, encoding = (["SMTPUTF8"], "utf-8") if mail.smtputf8 else ([], "ascii")
        await smtp.mail(mail.sender, options=options, encoding=encoding)
        progress.stage = Stage.RECIPIENT
        await smtp.rcpt(mail.recipient, encoding=encoding)
        progress.stage = Stage.DATA
        reply = await smtp.execute_command(b"DATA")
        if reply.code != _START_INPUT:
            raise SMTPDataError(reply.code, reply.message)
        if (protocol := smtp.protocol) is None:
            raise SMTPServerDisconnected("Connection lost")
        protocol.write(mail.content)  # raises when the connection is gone: then not a byte went out
        progress.stage = Stage.CONTENT
        deadline.reschedule(asyncio.get_running_loop().time() + self._answer_max)
        reply = await protocol.read_response()
        if reply.code // 100 != 2:
            raise SMTPDataError(reply.code, reply.message)

    def _release_failed(self, connection: SmtpConnection, error: Exception) -> None:
        """Keep a connection whose server said no and is still there; its next user resets it."""
        if isinstance(error, SMTPResponseException) and 400 <= error.code < 600 and error.code != CLOSING:
            connection.needs_reset = True
            self._connections.keep(connection)
        else:
            connection.abort()


def _was_stale(connection: SmtpConnection, error: Exception, progress: CallProgress) -> bool:
    """A kept connection that the server had closed meanwhile: nothing was said on it yet, so take another."""
    gone = isinstance(error, ConnectionError) or getattr(error, "code", None) == CLOSING
    return gone and connection.transactions > 1 and progress.stage is Stage.SENDER
