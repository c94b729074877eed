"""Several `hubbub serve` on one Redis, each a process of its own."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import aiohttp
from websockets.asyncio.client import connect

from tests.command import serving
from tests.redis import RedisServer
from tests.server import Client
from tests.torture.link import Link


class Node:
    """One of the processes."""

    def __init__(self, url: str, process: Popen[str] | None = None) -> None:
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self._process = process

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[Client]:
        url = self.url.replace("http", "ws", 1) + "/ws"
        async with connect(url, compression=None, max_queue=None, **options) as socket:
            yield Client(socket)

    async def get(self, path: str) -> tuple[int, Any]:
        async with aiohttp.ClientSession() as http, http.get(self.url + path) as answer:
            return answer.status, await answer.json()

    async def health(self) -> tuple[int, str]:
        status, body = await self.get("/health")
        return status, body["status"]

    async def rooms(self) -> dict[str, int]:
        _, body = await self.get("/api/rooms")
        return {one["room"]: one["users"] for one in body["rooms"]}

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self) -> None:
        """Wait until it has ended."""
        assert self._process is not None
        self._process.wait(10)


@contextmanager
def started(redis: RedisServer | Link, folder: Path, name: str, *more: str) -> Iterator[Node]:
    """A node on a Redis, or on one that is reached through a link."""
    store = f"redis://127.0.0.1:{redis.port}/0"
    arguments = ["--addr", "127.0.0.1:0", "--store", store, "--rate", "0", *more]
    arguments += ["--mod-password", "hush"]
    with serving(*arguments, cwd=folder, log=f"{name}.log") as server:
        yield Node(server.url, server.process)
