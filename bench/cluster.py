"""What a message takes from one node to a member of another, beside one of its own node.

`python -m bench.cluster [MESSAGES-A-SECOND]` starts two `hubbub serve` and a Redis.
`python -m bench.cluster rejoin [MEMBERS ROOMS]` kills one of them, and its members go to the other.
`python -m bench.cluster beside [MESSAGES-A-SECOND ROOMS]` tells what a node pays for rooms
that only the other one has.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import cast

from websockets.asyncio.client import ClientConnection, connect

from bench.wire import HANDSHAKE, masked
from tests.command import Server, serving
from tests.redis import redis_server

SECONDS = 5


async def join(url: str, name: str, room: str = "general") -> ClientConnection:
    socket = await connect(url.replace("http", "ws", 1) + "/ws", compression=None)
    await socket.send(json.dumps({"type": "join", "room": room, "username": name}))
    while json.loads(await socket.recv())["type"] != "roster":
        pass
    return socket


async def delays(socket: ClientConnection, count: int) -> list[float]:
    found: list[float] = []
    while len(found) < count:
        frame = json.loads(await socket.recv())
        if frame["type"] == "chat":
            found.append((time.perf_counter() - float(frame["text"])) * 1000)
    return sorted(found)


async def paced(rate: int, count: int) -> AsyncIterator[int]:
    """The numbers below `count`, each when it is due, `rate` a second."""
    start = time.perf_counter()
    for number in range(count):
        wait = start + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        yield number


async def measure(one: str, two: str, rate: int) -> None:
    author, near, far = await join(one, "author"), await join(one, "near"), await join(two, "far")
    count = rate * SECONDS
    hearing = asyncio.gather(delays(author, count), delays(near, count), delays(far, count))
    async for _ in paced(rate, count):
        await author.send(json.dumps({"type": "chat", "text": str(time.perf_counter())}))
    _, *heard = await hearing
    for name, found in zip(("own node", "other node"), heard, strict=True):
        middle, worst = found[count // 2], found[count * 99 // 100]
        print(f"{rate}/s, member of {name}: p50 {middle:.2f} ms, p99 {worst:.2f} ms")


class Member(asyncio.Protocol):
    """A socket that joins a room and reads until its welcome; all else it throws away."""

    def __init__(self, name: str, room: str, session: str | None) -> None:
        self.join = {"type": "join", "room": room, "username": name, "session": session}
        self.session = asyncio.get_running_loop().create_future()
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if self.session.done():
            return
        before, self.data = self.data, self.data + data
        if b"\r\n\r\n" in self.data and b"\r\n\r\n" not in before:
            self.transport.write(masked({k: v for k, v in self.join.items() if v}))
        found = re.search(rb'"session":"([^"]+)"', self.data)
        if found:
            self.session.set_result(found[1].decode())
            self.data = b""
        elif b'"type":"error"' in self.data:
            self.session.set_exception(AssertionError(self.data[-300:]))


async def come(url: str, members: Sequence[tuple[str, str, str | None]]) -> list[Member]:
    """Let all come in, 500 at a time."""
    turns, loop = asyncio.Semaphore(500), asyncio.get_running_loop()
    host, port = url.rpartition("//")[2].split(":")

    async def one(who: tuple[str, str, str | None]) -> Member:
        async with turns:
            _, member = await loop.create_connection(lambda: Member(*who), host, int(port))
            await member.session
            return member

    return list(await asyncio.gather(*map(one, members)))


async def rejoin(one: Server, two: Server, count: int, rooms: int) -> None:
    members = [(f"m{number}", f"r{number % rooms}", None) for number in range(count)]
    begun = time.perf_counter()
    there = await come(one.url, members)
    print(
        f"{count} members in {rooms} rooms joined one node in {time.perf_counter() - begun:.1f} s"
    )
    one.process.kill()
    begun = time.perf_counter()
    back = [
        (name, room, member.session.result())
        for (name, room, _), member in zip(members, there, strict=True)
    ]
    await come(two.url, back)
    print(f"when it was killed, the other let them in in {time.perf_counter() - begun:.1f} s")
    socket = await connect(two.url.replace("http", "ws", 1) + "/ws", compression=None)
    await socket.send(json.dumps({"type": "join", "room": "r0", "username": "late"}))
    print(f"in the first room are then {json.loads(await socket.recv())['count'] - 1}")


def cpu(server: Server) -> float:
    """Seconds of it that a server has taken."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def beside(one: Server, two: Server, rate: int, rooms: int) -> None:
    authors = [await join(one.url, "author", f"r{number}") for number in range(rooms)]
    await join(two.url, "idle", "another room")
    before = cpu(two)
    await asyncio.sleep(SECONDS)
    idle, before = cpu(two) - before, cpu(two)
    start, count = time.perf_counter(), rate * SECONDS
    async for number in paced(rate, count):
        await authors[number % rooms].send(json.dumps({"type": "chat", "text": "x"}))
    seconds = time.perf_counter() - start
    busy = cpu(two) - before
    print(
        f"{count / seconds:,.0f} messages/s in {rooms} rooms of one node only; the other one took"
    )
    idle, busy = idle / SECONDS * 1000, busy / seconds * 1000
    print(f"{idle:.0f} ms of CPU a second before, and {busy:.0f} then")


def main() -> None:
    mode = sys.argv[1] if sys.argv[1:2] in (["rejoin"], ["beside"]) else ""
    rate = int(sys.argv[1]) if len(sys.argv) > 1 and not mode else 1000
    numbers = (
        sys.argv[2:4] if len(sys.argv) > 3 else (10_000, 1) if mode == "rejoin" else (1000, 100)
    )
    count, rooms = map(int, numbers)
    with (
        redis_server() as redis,
        tempfile.TemporaryDirectory() as folder,
        serving(
            *("--addr", "127.0.0.1:0", "--store", redis.url, "--rate", "0"), cwd=Path(folder)
        ) as one,
        serving(
            *("--addr", "127.0.0.1:0", "--store", redis.url, "--rate", "0"), cwd=Path(folder)
        ) as two,
    ):
        if mode == "rejoin":
            asyncio.run(rejoin(one, two, count, rooms))
        elif mode == "beside":
            asyncio.run(beside(one, two, count, rooms))
        else:
            asyncio.run(measure(one.url, two.url, rate))


if __name__ == "__main__":
    main()
