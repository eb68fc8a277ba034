"""One connection within bounds: uvicorn's, which knows none before a request has come in whole.

Bounded are the head of a request in bytes, number and time, the time a body takes, what is pipelined, and
how long an answer may lie unread. Whatever cannot be read is answered as a problem, after what came before;
and the connection ends in stages (RFC 9112, 9.6), since a reset would take the answer away from who is still
sending. uvicorn's callbacks are overridden, its state machine is not: tests/api hold this to the
release that is locked.
"""

import asyncio
from typing import Any, NoReturn, cast

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from entrypoints.http.problems.problem import MEDIA_TYPE, Rejected, to_problem
from entrypoints.http.server.buffered_transport import BufferedTransport
from entrypoints.http.server.request_head import head_refusal, parser_refusal
from entrypoints.http.server.supervisor import ConnectionSupervisor


class Connection(HttpToolsProtocol):
    """Implements `SupervisedConnection`."""

    def __init__(self, *args: Any, supervisor: ConnectionSupervisor, **kwargs: Any) -> None:  # uvicorn's
        super().__init__(*args, **kwargs)
        self.supervisor, self.limits = supervisor, supervisor.limits
        self.heard_at = self.loop.time()
        self._running: RequestResponseCycle | None = None
        """The request that is being answered."""
        self._waiting_since: float | None = self.heard_at
        """Since when the peer owes the rest of a head or a body."""
        self._in_message, self._in_head = False, True
        self._head_bytes = self._empty_bytes = 0
        """`_empty_bytes`: received since something was made of them."""
        self._keeps_alive = True
        self._refusal: Rejected | None = None
        self._unread, self._unread_since = 0, 0.0
        self._discards_input, self._discarded_bytes = False, 0
        """Deaf is who has given up reading: what still comes is thrown away."""
        self._half_closed_at: float | None = None
        self._patient = True

    # What asyncio calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection; above the limit an idle one is closed for it, or it is refused."""
        super().connection_made(BufferedTransport(transport, self.loop, self._close_in_stages))  # type: ignore[arg-type]
        others = cast("set[Connection]", self.connections)
        if len(others) > self.limits.connections and not self.supervisor.make_room(others, self):
            detail = f"{self.limits.connections:,} connections are open, and all are worked for"
            self._refuse(Rejected("overloaded", detail, {"Retry-After": "1"}))

    def data_received(self, data: bytes) -> None:
        """Parse, and bound what the parser keeps to itself."""
        self.heard_at = self.loop.time()
        if self._discards_input:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > self.limits.linger_bytes:
                self.abort()
            return
        self._unset_keepalive_if_required()
        if self._waiting_since is None:
            self._waiting_since = self.heard_at
        self._empty_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as wish:  # not granted (RFC 9110, 7.8): what follows is HTTP/1.1
            if rest := data[wish.args[0] :]:
                self.data_received(rest)  # as often as requests may be pipelined
            return
        except httptools.HttpParserError as error:
            self._refuse(self._refusal or parser_refusal(error))
            return
        if self._empty_bytes > self.limits.head_bytes:
            self._refuse(self._head_too_large())

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client may close its half before it has read the answer."""
        if self._in_message and not self._discards_input:
            self._refuse(Rejected("malformed", "the connection ended within the request"))
            return False
        last = self._last_unanswered()
        if self._half_closed_at is not None or last is None or last.response_started:
            return False
        last.keep_alive = False
        return True

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins; refuse it if too many wait."""
        if len(self.pipeline) >= self.limits.pipelined:
            self._stop(Rejected("overloaded", "too many requests wait for the answer of an earlier one"))
        super().on_message_begin()
        self._in_message = self._in_head = True
        self._head_bytes = 0
        if self._waiting_since is None:
            self._waiting_since = self.heard_at

    def on_url(self, url: bytes) -> None:
        """The target, or a piece of it."""
        super().on_url(url)
        self._head_bytes += len(url)
        if len(self.url) > self.limits.target_bytes:
            self._stop(Rejected("target-too-long", f"it has more than {self.limits.target_bytes:,} bytes"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers are not read."""
        if not self._in_head:
            return
        super().on_header(name, value)
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self.limits.head_bytes:
            self._stop(self._head_too_large())

    def on_headers_complete(self) -> None:
        """Hand the request to the application, if it is one."""
        if len(self.headers) > self.limits.headers:
            self._stop(self._head_too_large())
        refusal = head_refusal(
            self.parser.get_http_version(), self.headers, upgrade=self.parser.should_upgrade()
        )
        if refusal is not None:
            self._stop(refusal)
        super().on_headers_complete()
        self._in_head = False
        self._empty_bytes = 0
        self._waiting_since = self.heard_at
        # Who is answered before the request has come in whole is not kept; its end takes that back.
        self._keeps_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_body(self, body: bytes) -> None:
        """A piece of the body has come."""
        self._empty_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come in whole."""
        self.cycle.keep_alive = self._keeps_alive
        self._in_message, self._in_head = False, True
        self._waiting_since = None
        self._empty_bytes = 0
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # as uvicorn has it
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    # What the supervisor and the server call.

    @property
    def busy(self) -> bool:
        """Whether a request of it is being worked on, rather than still coming in."""
        last = self._last_unanswered()
        coming_in = self._in_message and not self._in_head and last is self._running
        return self._half_closed_at is None and last is not None and not coming_in

    def sweep(self, now: float) -> None:
        """End what has taken too long."""
        if self._takes_nothing(now) or self._lingers_too_long(now):
            self.abort()
        elif self._discards_input or self._waiting_since is None:
            return
        elif self.flow.read_paused:  # it is we who do not read
            self._waiting_since = now
        elif now > self._waiting_since + (
            patience := self.limits.head if self._in_head else self.limits.body
        ):
            if self._in_message or self._empty_bytes:
                part = "head" if self._in_head else "body"
                self._refuse(Rejected("timeout", f"the {part} took more than {patience:g} s"))
            else:
                self.transport.close()

    def abort(self) -> None:
        """Close at once, without sending what is buffered."""
        self.transport.abort()

    def shutdown(self) -> None:
        """The server stops: no other request after those that have begun."""
        self._keeps_alive = self._patient = False
        if self._half_closed_at is not None:
            self.abort()
        else:
            super().shutdown()

    def _takes_nothing(self, now: float) -> bool:
        """Whether the answer has lain unread for too long."""
        unread = self.transport.get_write_buffer_size()
        if not self._unread or unread < self._unread:
            self._unread_since = now
        self._unread = unread
        return now > self._unread_since + self.limits.unread

    def _lingers_too_long(self, now: float) -> bool:
        return self._half_closed_at is not None and (
            now > self._half_closed_at + self.limits.linger
            or now > max(self._half_closed_at, self.heard_at) + self.limits.linger_silent
        )

    # How it ends.

    def _stop(self, refusal: Rejected) -> NoReturn:
        """Refuse from within the parser, which makes an error of its own of every exception."""
        self._refusal = refusal
        raise refusal

    def _head_too_large(self) -> Rejected:
        most = f"{self.limits.head_bytes // 1024} KiB and {self.limits.headers} headers"
        return Rejected("head-too-large", f"a request's head has at most {most}")

    def _refuse(self, refusal: Rejected) -> None:
        """Read no more; answer, unless an earlier request is to be answered first."""
        trace = self.supervisor.note_refused(refusal.kind)
        begun = None if self._in_head else self.cycle
        if begun is not None and not begun.response_started:
            begun.disconnected = True
            begun.message_event.set()
            if self.pipeline and self.pipeline[0][0] is begun:
                self.pipeline.popleft()
        self._discards_input = True
        last = self._last_unanswered()
        if last is not None:
            last.keep_alive = False
            return
        problem, headers = to_problem(refusal, instance="", trace_id=trace)
        body = msgspec.json.encode(problem)
        headers |= {"content-type": MEDIA_TYPE, "content-length": str(len(body)), "connection": "close"}
        lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
        self.transport.write(STATUS_LINE[problem.status] + lines.encode() + b"\r\n" + body)
        self.transport.close()

    def _last_unanswered(self) -> RequestResponseCycle | None:
        """The newest request that somebody waits for."""
        if self.pipeline:
            return self.pipeline[0][0]
        running = self._running
        return None if running is None or running.response_complete or running.disconnected else running

    def _close_in_stages(self) -> bool:
        """Asked when the connection is to be closed: whether the peer may still be sending."""
        if not (self._patient and (self._in_message or self._discards_input)):
            return False
        self._discards_input = True
        self._half_closed_at = self.loop.time()
        self.flow.resume_reading()
        return True
