"""A client made of a plain socket, which reads only when a test says so."""

import asyncio
import json
import socket
from typing import Any, Protocol, Self

from tests.server import PATIENCE, House

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Listening(Protocol):
    """A server on this machine."""

    @property
    def port(self) -> int: ...


class Raw:
    """A plain socket with a small receive buffer; `async with` shakes hands and closes it.

    `eager` is sent in the handshake's own packet.
    """

    def __init__(self, here: Listening, eager: bytes = b"") -> None:
        self.eager = eager
        self.port = here.port
        self.data = bytearray()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", self.port))
        await loop.sock_sendall(self.socket, HANDSHAKE.encode() + self.eager)
        while b"\r\n\r\n" not in self.data:
            self.data += await loop.sock_recv(self.socket, 1)
        self.data.clear()
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.socket.close()

    async def say(self, **frame: Any) -> None:
        payload = json.dumps(frame).encode()
        head = bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0"
        await asyncio.get_running_loop().sock_sendall(self.socket, head + payload)

    async def read(self) -> dict[str, Any]:
        """The next text frame."""
        while True:
            opcode, payload = await self.next()
            if opcode == 1:
                frame: dict[str, Any] = json.loads(payload)
                return frame

    async def next(self) -> tuple[int, bytes]:
        """The next frame of any kind: its opcode and payload."""
        loop = asyncio.get_running_loop()
        while True:
            if len(self.data) >= 2:
                size, head = self.data[1], 2
                if size == 126:
                    size, head = int.from_bytes(self.data[2:4], "big"), 4
                elif size == 127:
                    size, head = int.from_bytes(self.data[2:10], "big"), 10
                if len(self.data) >= head + size:
                    payload, opcode = bytes(self.data[head : head + size]), self.data[0] & 15
                    del self.data[: head + size]
                    return opcode, payload
            async with asyncio.timeout(PATIENCE):
                data = await loop.sock_recv(self.socket, 1 << 16)
            assert data, "the server closed the connection"
            self.data += data

    async def until(self, kind: str) -> dict[str, Any]:
        while (frame := await self.read())["type"] != kind:
            pass
        return frame


async def flood(here: House, room: str, count: int, size: int = 4000) -> None:
    """`count` messages, all heard by their author."""
    async with here.client() as author:
        await author.join(room, "author")
        for number in range(count):
            await author.say("chat", text=f"{number} " + "x" * (size - 10))
            assert (await author.until("chat"))["text"].startswith(f"{number} ")
