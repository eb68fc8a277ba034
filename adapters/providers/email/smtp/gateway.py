"""E-mail over SMTP (RFC 5321): one message a transaction, over kept connections.

The library is driven command by command: its own `sendmail` raises the same time-out for an unanswered DATA,
where the server has nothing yet, and for an unanswered message, which may be under way.
"""

import asyncio
from email.errors import MessageError

from aiosmtplib import SMTPDataError, SMTPException, SMTPResponseException, SMTPServerDisconnected

from adapters.providers.email.smtp.connections import Busy, Connection, Connections
from adapters.providers.email.smtp.message import Letter, Letters
from adapters.providers.email.smtp.options import SmtpOptions
from adapters.providers.email.smtp.replies import Progress, Stage, answered, broken, unanswered
from adapters.providers.kit.redaction import known_words
from application.kernel.ports import Clock
from application.provider.ports import Message
from domain.provider.outcome import Accepted, NotCalled, Outcome, Refused

_START_INPUT = 354
_CLOSING = 421


class _Unable(Exception):
    """This server cannot carry this letter."""


class SmtpGateway:
    """Implements `Gateway`; held to tests/contract/gateway.py.  What answers mean: `answers`."""

    def __init__(self, *, options: SmtpOptions, clock: Clock) -> None:
        """Nothing is connected yet.

        Raises:
            Misconfigured: the sender is no address, or the authority's file cannot be read.
        """
        self._letters = Letters(sender=options.sender, reply_to=options.reply_to)
        self._connections = Connections(options, hello=options.hello or self._letters.domain)
        self._timeout = options.timeout.total_seconds()
        self._answer_max = options.answer_max.total_seconds()
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """Make one call; Accepted's reference is the Message-ID, which bounces quote."""
        try:
            letter = self._letters.write(message, self._clock.now())
        except (ValueError, MessageError) as error:
            return Refused(f"cannot be an e-mail: {known_words(str(error))}", looked_at=False)
        progress = Progress()
        try:
            async with asyncio.timeout(self._timeout) as bound, self._connections.slot():
                await self._carry(letter, progress, bound)
        except Busy:
            return NotCalled("all connections are at work")
        except _Unable as error:
            return Refused(str(error), looked_at=False)
        except TimeoutError:
            waited = self._answer_max if progress.stage is Stage.CONTENT else self._timeout
            return unanswered(progress.stage, f"no answer within {waited:g} s")
        except SMTPResponseException as error:
            return answered(progress.stage, error.code, error.message, letter.recipient)
        except (OSError, SMTPException) as error:
            return broken(progress.stage, error)
        return Accepted(letter.message_id)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._connections.aclose()

    async def _carry(self, letter: Letter, progress: Progress, bound: asyncio.Timeout) -> None:
        while True:
            connection = await self._connections.rested() or await self._connections.open(progress)
            connection.served += 1
            try:
                await self._hand_over(connection, letter, progress, bound)
            except (OSError, SMTPException) as error:
                self._part(connection, error)
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

    async def _hand_over(
        self, connection: Connection, letter: Letter, progress: Progress, bound: asyncio.Timeout
    ) -> None:
        """One mail transaction.

        Raises:
            OSError, SMTPException: it did not work; `progress` says how far it came.
        """
        smtp = connection.smtp
        progress.stage = Stage.SENDER
        if letter.utf8 and not smtp.supports_extension("smtputf8"):
            raise _Unable("the address needs SMTPUTF8, which the server does not offer")
        options, encoding = (["SMTPUTF8"], "utf-8") if letter.utf8 else ([], "ascii")
        await smtp.mail(letter.sender, options=options, encoding=encoding)
        progress.stage = Stage.RECIPIENT
        await smtp.rcpt(letter.recipient, encoding=encoding)
        progress.stage = Stage.DATA
        answer = await smtp.execute_command(b"DATA")
        if answer.code != _START_INPUT:
            raise SMTPDataError(answer.code, answer.message)
        if (protocol := smtp.protocol) is None:
            raise SMTPServerDisconnected("Connection lost")
        protocol.write(letter.content)  # raises when the connection is gone: then not a byte went out
        progress.stage = Stage.CONTENT
        bound.reschedule(asyncio.get_running_loop().time() + self._answer_max)
        answer = await protocol.read_response()
        if answer.code // 100 != 2:
            raise SMTPDataError(answer.code, answer.message)

    def _part(self, connection: Connection, error: Exception) -> None:
        """Keep a connection whose server said no and is still there; its next user resets it."""
        if isinstance(error, SMTPResponseException) and 400 <= error.code < 600 and error.code != _CLOSING:
            connection.dirty = True
            self._connections.keep(connection)
        else:
            connection.abort()


def _was_stale(connection: Connection, error: Exception, progress: Progress) -> bool:
    """A kept connection that the server had closed meanwhile: nothing was said on it yet, so take another."""
    gone = isinstance(error, ConnectionError) or getattr(error, "code", None) == _CLOSING
    return gone and connection.served > 1 and progress.stage is Stage.SENDER
