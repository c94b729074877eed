"""What one Redis carries from one node: appends in batches and one at a time.

`python -m bench.redis` starts a `redis-server` of its own with `appendfsync always`, and with
`everysec` beside it, and tells what the disk does by itself.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.redis import RedisStore
from tests.redis import redis_server

AUTHOR = b"a" * 16


def rate(store: RedisStore, batch: int, rooms: int, seconds: float = 3.0) -> float:
    for room in range(rooms):
        store.open(f"r{room}", 0)
    count, start = 0, time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        store.append(
            [
                Draft(f"r{n % rooms}", AUTHOR, "ann", "x" * 40, f"i{n}", 0)
                for n in range(count, count + batch)
            ],
            time.time_ns() // 1_000_000,
        )
        count += batch
    return count / (now - start)


def disk(folder: Path, seconds: float = 1.0) -> float:
    """How often the disk alone takes as much as one message is in Redis' own log."""
    count, start = 0, time.perf_counter()
    with (folder / "alone").open("wb", buffering=0) as file:
        while (now := time.perf_counter()) - start < seconds:
            file.write(b"x" * 600)
            os.fdatasync(file.fileno())
            count += 1
    return count / (now - start)


def main() -> None:
    for sync in ("always", "everysec"):
        with redis_server("--appendfsync", sync) as server:
            print(f"the disk alone: {disk(server.folder):,.0f}/s")
            store = RedisStore(server.url, Settings(), lambda: os.urandom(8).hex())
            for batch, rooms in ((1, 1), (100, 1), (500, 1), (500, 100), (1000, 100)):
                server.client.flushall()
                print(f"{sync} batch {batch} rooms {rooms}: {rate(store, batch, rooms):,.0f}/s")
            store.close()


if __name__ == "__main__":
    main()
