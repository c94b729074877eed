"""A real master, its replica, and Sentinels that watch them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from hubbub.redis_url import SENTINEL
from tests.redis import PROGRAM, RedisServer, free_port

CONFIG = """port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor mymaster 127.0.0.1 {master} 2
sentinel down-after-milliseconds mymaster 500
sentinel failover-timeout mymaster 3000
"""


class Watch:
    """Two Redis servers, one of which is master, and three Sentinels: two have to agree."""

    def __init__(self, one: RedisServer, two: RedisServer, ports: list[int]) -> None:
        self.servers = {one.port: one, two.port: two}
        self.sentinels = [Redis(port=port, decode_responses=True) for port in ports]
        hosts = ",".join(f"127.0.0.1:{port}" for port in (free_port(), *ports))
        self.url = f"{SENTINEL}://{hosts}/mymaster/0"
        """The first of its Sentinels is not there."""

    @property
    def master(self) -> RedisServer:
        """The one that the Sentinels take for it."""
        found: Any = self.sentinels[0].sentinel_get_master_addr_by_name("mymaster")
        return self.servers[int(found[1])]

    @property
    def replica(self) -> RedisServer:
        (other,) = [one for one in self.servers.values() if one is not self.master]
        return other


@contextmanager
def watched(*options: str) -> Iterator[Watch]:
    """Start them, and wait until all know of all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubbub-redis-")))
        servers: list[RedisServer] = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            of = ["--replicaof", "127.0.0.1", str(servers[0].port)] if servers else []
            # A replica need not wait for more who want the same.
            server = RedisServer(folder / name, "--repl-diskless-sync-delay", "0", *of, *options)
            servers.append(stack.enter_context(server))
        ports = [free_port() for _ in range(3)]
        for port in ports:
            config = folder / f"{port}.conf"
            config.write_text(CONFIG.format(port=port, folder=folder, master=servers[0].port))
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", PROGRAM, str(config), "--sentinel"],
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        watch = Watch(servers[0], servers[1], ports)
        for one in watch.sentinels:
            stack.callback(one.close)
            while not _knows_all(one):
                pass
        yield watch


def _knows_all(sentinel: Redis) -> bool:
    try:
        seen: Any = sentinel.sentinel_master("mymaster")
    except OSError:
        return False
    except Exception as problem:
        if "No such master" in str(problem) or "Connection" in type(problem).__name__:
            return False
        raise
    return bool(seen["num-other-sentinels"] == 2 and seen["num-slaves"] == 1)
