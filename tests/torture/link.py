"""The network between a node and Redis: a proxy that can be cut, hung and slowed down."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Link:
    """Passes on what comes to `port`, to the port `target`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0
        """Seconds that whatever passes is late."""
        self.held = b""
        """What came to it while it was hung, and waits."""
        self._trap = b""
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._ends: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self.cut()
        self._server.close()
        self._flows.set()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Every connection is reset, and no new one comes about."""
        self._is_whole.clear()
        for end in self._ends:
            end.transport.abort()

    def hang(self, at: bytes = b"") -> None:
        """Nothing passes, and nobody is told; from when something comes that has `at` in it."""
        self.held = b""
        self._trap = at
        if not at:
            self._flows.clear()

    def mend(self) -> None:
        self.delay = 0.0
        self._is_whole.set()
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            if not self._is_whole.is_set():
                return
            from_there, there = await asyncio.open_connection("127.0.0.1", self.target)
            self._ends.add(there)
            if not self._is_whole.is_set():
                return
            await asyncio.gather(self._pass(reader, there), self._pass(from_there, writer))
        except OSError:
            pass  # Redis is away, or the other end
        finally:
            for end in (writer, there):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self._trap and self._trap in data:
                    self.hang()
                if not self._flows.is_set():
                    self.held += data
                await self._flows.wait()
                if sink.is_closing():  # it was cut while this was on its way
                    return
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
