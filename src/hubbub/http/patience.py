"""How long a client may take for a request head, and what it hears if it cannot send a good one.

aiohttp waits for a request as long as it waits between two, so that clients who send a byte now
and then, or none, hold their sockets for free. Here each connection notes since when it owes a
head, and one timer looks at all of them. Whoever is being answered, however slowly they read, owes
nothing; a socket that was taken over is not looked at any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from hubbub.http.answers import harden_headers, refuse

_TOO_LATE: Final = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b"
)


class Patient(web.RequestHandler):
    """aiohttp's side of one connection, which knows since when it waits."""

    __slots__ = ("owes_since", "started")

    owes_since: float | None
    """Since when the client owes a request head, by the loop's clock; None: it does not."""
    started: bool
    """Some of that head has come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there, and owes its first head."""
        self.owes_since, self.started = self._loop.time(), False
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of a client: whole heads pay what was owed, others begin or go on with one."""
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self.owes_since, self.started = None, False
        elif data:
            self.started = True
            if self.owes_since is None:
                self.owes_since = self._loop.time()

    def is_late(self, now: float, patience: float) -> bool:
        """Whether nothing goes on here but waiting for a head, for too long."""
        if self.owes_since is None:
            return False
        if self._waiter is None or self._waiter.done():
            self.owes_since = now  # while it is answered it may well wait for us
            return False
        return now - self.owes_since > patience

    def give_up(self) -> None:
        """End it, with a word if a request was begun."""
        if self.started and self.transport is not None:
            body = refuse(408, "request_timeout", "the request did not come in time").body
            assert isinstance(body, bytes)
            self.transport.write(_TOO_LATE % (len(body), body))
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Errors of aiohttp's own as JSON; what a client sent is neither logged nor sent back."""
        log = structlog.get_logger()
        if isinstance(exc, HttpProcessingError):
            log.debug("no request", remote=request.remote, reason=type(exc).__name__)
        else:
            log.error("request failed", remote=request.remote, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was begun already")
        if isinstance(exc, LineTooLong) or "Too many headers" in str(exc):
            answer = refuse(
                431, "request_header_fields_too_large", "the request has too many or long headers"
            )
        elif status == 400:
            answer = refuse(400, "bad_request", "this is not HTTP as it should be (RFC 9112)")
        else:
            answer = refuse(status, "internal_error", "the server failed; the log says how")
        # aiohttp answers what it cannot read as HTTP/1.0, which WebSocket clients cannot read.
        request._version = HttpVersion11
        harden_headers(answer, "")
        answer.force_close()
        return answer


class Patience:
    """Makes the handlers of all connections, and ends those that are late."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, **options: Any) -> None:
        self._loop = loop
        self._seconds = seconds
        self._options = options
        self._server: web.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._step = min(1.0, seconds / 4)
        """Seconds from one look to the next."""
        self._due = 0.0

    def start(self, server: web.Server) -> Callable[[], Patient]:
        """Begin to look at a server's connections; gives what makes a handler for a new one."""
        self._server = server
        self._due = self._loop.time()
        self._look()
        return lambda: Patient(server, loop=self._loop, **self._options)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        assert self._server is not None
        now = self._loop.time()
        # A look that comes late itself does nothing: what held us up may have held clients up.
        if now < self._due + self._step:
            for handler in self._server.connections:
                if isinstance(handler, Patient) and handler.is_late(now, self._seconds):
                    handler.give_up()
        self._due = now + self._step
        self._timer = self._loop.call_at(self._due, self._look)
