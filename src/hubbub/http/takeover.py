"""Taking a socket over from aiohttp after the upgrade.

aiohttp does what HTTP needs; a WebSocket needs only its socket. Left inside aiohttp a connection
costs 14 KB and a task to wake for each frame; taken over it costs a tenth of the memory, and a
frame is handled where it arrives. This is the one place that knows aiohttp's insides; the tests
in `tests/http/test_takeover.py` fail if a new aiohttp is not made so any more.
"""

import asyncio

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter


class Gone(web.StreamResponse):
    """What a handler returns whose socket is not aiohttp's any more: it writes nothing."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Nothing to prepare."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing to write."""


def take_over(request: web.Request) -> tuple[asyncio.Transport, bytes]:
    """The request's transport, free of aiohttp, and the bytes that came after the request.

    The caller gives the transport a protocol before the loop runs again, and returns `Gone()`.
    Raises `ConnectionResetError` where the client is gone already.
    """
    protocol = request.protocol
    transport = protocol.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client is gone")
    rest: bytes = protocol._message_tail
    paused = protocol._buffer_paused
    protocol._message_tail = b""
    # aiohttp believes that its connection is lost: it frees its parser, task and timers, and
    # without a transport it has nothing to close.
    protocol.transport = None
    protocol.connection_lost(None)
    if paused:
        transport.resume_reading()
    return transport, rest
