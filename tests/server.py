"""A server in this process on a real port, and clients that nobody here wrote (`websockets`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection, connect

from hubbub.http.server import Server
from hubbub.settings import Settings

Frame = dict[str, Any]
PATIENCE = 10
"""Seconds within which what is promised must come; a busy machine needs some."""


class Client:
    """One socket. `hear` gives frames in the order in which they came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def hear(self) -> Frame:
        async with asyncio.timeout(PATIENCE):
            frame: Frame = json.loads(await self.socket.recv())
            return frame

    async def hear_all(self, count: int) -> list[Frame]:
        return [await self.hear() for _ in range(count)]

    async def until(self, kind: str, **fields: Any) -> Frame:
        """Pass over frames until one is such."""
        while True:
            frame = await self.hear()
            if frame["type"] == kind and all(frame.get(k) == v for k, v in fields.items()):
                return frame

    async def join(self, room: str, username: str, **fields: Any) -> Frame:
        """Join, and pass over everything up to the roster that has us in it."""
        await self.say("join", room=room, username=username, **fields)
        welcome = await self.until("welcome", room=room)
        while username not in (await self.until("roster", room=room))["users"]:
            pass
        return welcome

    async def nothing_more(self) -> None:
        """Nothing is on its way: the next frame is the answer to our own question."""
        await self.say("ping", id="still")
        assert await self.hear() == {"type": "pong", "id": "still"}

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait for the end; gives its close code and reason."""
        async with asyncio.timeout(PATIENCE):
            await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason


class House:
    """A running server."""

    def __init__(self, server: Server, url: str) -> None:
        self.server = server
        self.url = url
        self.ws = url.replace("http", "ws", 1) + "/ws"
        self.port = int(url.rpartition(":")[2])

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[Client]:
        # Who does not look at what came can close: a full queue would wait ten seconds for it.
        options = {"max_queue": None, **options}
        async with connect(self.ws, compression=None, **options) as socket:
            yield Client(socket)


def unlogged() -> None:
    """Servers within a test's process log nowhere, and not to a stream of another test."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@asynccontextmanager
async def house(**settings: Any) -> AsyncIterator[House]:
    """A server on a free port, with no limit of pace unless one is given."""
    unlogged()
    server = Server(
        Settings(**{"addr": "127.0.0.1:0", "store": "memory:", "rate": 0.0, **settings})
    )
    (url,) = await server.start()
    try:
        yield House(server, url)
    finally:
        await server.stop()
