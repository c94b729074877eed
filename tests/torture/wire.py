"""A WebSocket client with nothing in it that could be slow or kind: it can be cut and stalled."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

from tests.raw import HANDSHAKE

Frame = dict[str, Any]
PATIENCE = 3.0
"""Seconds that a handshake may take; then it is tried elsewhere."""
_MASK = b"\x5a\x5a\x5a\x5a"
_MASKED = bytes(byte ^ 0x5A for byte in range(256))


class Wire(asyncio.Protocol):
    """One socket. `hear` gets each frame as it comes; `ended` is told once, with the close code."""

    def __init__(
        self, narrow: int, hear: Callable[[Frame], None], ended: Callable[[int], None]
    ) -> None:
        self.narrow = narrow
        self.hear = hear
        self.ended = ended
        self.code = 1006
        self.stalled = False
        self.is_made = False
        self.dead = False
        """Ended, or given up by us: nothing that comes counts any more."""
        self.shaken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """The server has said 101: not before that may frames be sent."""
        self._data = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.is_made = True
        self.transport.write(HANDSHAKE.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.dead = True
        if self.shaken.done():
            self.ended(self.code)
        else:
            self.shaken.set_exception(ConnectionResetError("refused"))

    def data_received(self, data: bytes) -> None:
        buffer = self._data
        buffer += data
        if not self.shaken.done():
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in buffer[:end]:
                self.transport.abort()
                return
            self.shaken.set_result(None)
            del buffer[: end + 4]
        at = 0
        while not self.dead and len(buffer) - at >= 2:
            size, head = buffer[at + 1], at + 2
            if size == 126:
                size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if len(buffer) < head + size:
                break
            opcode, payload = buffer[at], bytes(buffer[head : head + size])
            at = head + size
            self._take(opcode, payload)
        del buffer[:at]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 0x81:
            self.hear(json.loads(payload))
        elif opcode == 0x89:
            self._send(0x8A, payload)
        elif opcode == 0x88:
            self.code = int.from_bytes(payload[:2], "big")
            self._send(0x88, payload[:2])
            self.transport.close()
        elif opcode != 0x8A:
            raise AssertionError(f"a frame begins with {opcode:#x}: {payload[:50]!r}")

    def say(self, frame: Frame) -> None:
        self._send(0x81, json.dumps(frame).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else struct.pack("!BH", 0xFE, size)
        self.transport.write(bytes((opcode,)) + length + _MASK + payload.translate(_MASKED))

    def stall(self) -> None:
        """Read no more, so that first our buffer fills, then the server's."""
        self.stalled = True
        self.transport.pause_reading()

    def read_on(self) -> None:
        if self.stalled and not self.dead:
            self.stalled = False
            self.transport.resume_reading()

    def widen(self) -> None:
        """Read as fast as it comes, from now on."""
        if self.narrow and not self.dead:
            there = self.transport.get_extra_info("socket")
            there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def cut(self) -> None:
        """A reset, as from a network that has gone."""
        self.dead = True
        there = self.transport.get_extra_info("socket")
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def hang_up(self) -> None:
        """An end of stream without a close frame, as from a client that was killed."""
        self.dead = True
        self.transport.close()

    def close(self) -> None:
        """As a polite client ends; what comes until the server has closed still counts."""
        self._send(0x88, b"\x03\xe8")


async def dial(
    port: int, narrow: int, hear: Callable[[Frame], None], ended: Callable[[int], None]
) -> Wire:
    """Connect. `narrow`: bytes of the receive buffer (0: the system's). May raise `OSError`."""
    loop = asyncio.get_running_loop()
    there = socket.socket()
    try:
        if narrow:  # before it connects: a window that was promised cannot be taken back
            there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, narrow)
        there.setblocking(False)
        await loop.sock_connect(there, ("127.0.0.1", port))
    except BaseException:
        there.close()
        raise
    wire = Wire(narrow, hear, ended)
    try:
        await loop.create_connection(lambda: wire, sock=there)
    finally:
        # uvloop 0.23 does not detach a socket whose connection was lost before it is done here,
        # nor one that it failed with: it would close whatever has its descriptor by the time.
        if wire.dead or not wire.is_made:
            there.detach()
    try:
        async with asyncio.timeout(PATIENCE):
            await wire.shaken
    except TimeoutError:  # a server that stands still
        wire.cut()
        raise
    if wire.dead:
        raise ConnectionResetError("lost at once")
    return wire
