"""What a message takes from one node to a member of another, beside one of its own node.

`python -m bench.cluster [MESSAGES-A-SECOND]` starts two `hubbub serve` and a Redis.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from tests.command import serving
from tests.redis import redis_server

SECONDS = 5


async def join(url: str, name: str) -> ClientConnection:
    socket = await connect(url.replace("http", "ws", 1) + "/ws", compression=None)
    await socket.send(json.dumps({"type": "join", "room": "general", "username": name}))
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


async def measure(one: str, two: str, rate: int) -> None:
    author, near, far = await join(one, "author"), await join(one, "near"), await join(two, "far")
    count = rate * SECONDS
    hearing = asyncio.gather(delays(author, count), delays(near, count), delays(far, count))
    start = time.perf_counter()
    for number in range(count):
        wait = start + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        await author.send(json.dumps({"type": "chat", "text": str(time.perf_counter())}))
    _, *heard = await hearing
    for name, found in zip(("own node", "other node"), heard, strict=True):
        middle, worst = found[count // 2], found[count * 99 // 100]
        print(f"{rate}/s, member of {name}: p50 {middle:.2f} ms, p99 {worst:.2f} ms")


def main() -> None:
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
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
        asyncio.run(measure(one.url, two.url, rate))


if __name__ == "__main__":
    main()
