"""A real Redis Cluster: three Redis with a third of the slots each, and a replica of each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from hubbub.redis_url import CLUSTER
from tests.redis import RedisServer, free_port

PRIMARIES = 3
SLOTS = 16384


class Member(RedisServer):
    """One of its Redis."""

    def __init__(self, folder: Path, *options: str, papers: Path | None = None) -> None:
        self.bus = str(free_port())
        if papers is not None:
            self.tls_port = free_port()
            options += ("--tls-port", str(self.tls_port), "--tls-cluster", "yes")
            options += ("--tls-ca-cert-file", str(papers / "ca.pem"))
            options += ("--tls-cert-file", str(papers / "server.pem"))
            options += ("--tls-key-file", str(papers / "server.key"))
        super().__init__(
            folder,
            *("--cluster-enabled", "yes", "--cluster-node-timeout", "1000"),
            *("--cluster-port", self.bus, "--repl-diskless-sync-delay", "0"),
            *("--repl-ping-replica-period", "1"),  # before the first the others do not count it
            *options,
        )
        self.client = Redis(port=self.port, socket_timeout=2)

    def do(self, *command: Any) -> Any:
        """Give it a command."""
        return self.client.execute_command(*command)  # type: ignore[no-untyped-call]


class RedisCluster:
    """Its servers by port. `url` names one that is not there first."""

    def __init__(self, servers: Sequence[Member]) -> None:
        self.servers = {server.port: server for server in servers}
        hosts = ",".join(["127.0.0.1:1", *(server.at for server in servers[:2])])
        self.url = f"{CLUSTER}://{hosts}"

    @property
    def primaries(self) -> list[Member]:
        """Those that have slots now."""
        return [one for one in self.servers.values() if _role(one) == b"master"]

    def holder(self, key: str) -> Member:
        """Who has this key now, as one that lives knows it."""
        for server in self.servers.values():
            try:
                slot: Any = server.do("CLUSTER KEYSLOT", key)
                shards: Any = server.do("CLUSTER SLOTS")
            except OSError:
                continue
            except Exception as problem:
                if "onnect" in type(problem).__name__ or "Timeout" in type(problem).__name__:
                    continue
                raise
            for first, last, primary, *_ in shards:
                if first <= slot <= last:
                    return self.servers[primary[1]]
        raise AssertionError("nobody has it")

    def flush(self) -> None:
        """Empty it."""
        for one in self.primaries:
            one.client.flushall()

    def settle(self) -> None:
        """Wait until all live, and each knows that of the others."""
        wait(lambda: all(map(_is_well, self.servers.values())))

    def move(self, key: str, to: Member, *, finish: bool = True) -> None:
        """Give the slot of a key to another one, with what is in it; or be at it."""
        at = self.holder(key)
        slot: Any = at.do("CLUSTER KEYSLOT", key)
        ids = [one.do("CLUSTER MYID").decode() for one in (at, to)]
        to.do("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
        at.do("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
        keys: Any = at.do("CLUSTER GETKEYSINSLOT", slot, 1000)
        if keys:
            at.do("MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", *keys)
        if finish:
            for one in (to, at):
                one.do("CLUSTER SETSLOT", slot, "NODE", ids[1])


def _role(server: Member) -> bytes | None:
    try:
        found: Any = server.do("ROLE")
    except Exception:
        return None  # it is dead, or stands still
    role: bytes = found[0]
    return role


def _is_well(server: Member) -> bool:
    try:
        told: Any = server.do("CLUSTER INFO")
        nodes: Any = server.do("CLUSTER NODES")
    except Exception:
        return False  # it is dead, or stands still
    return "cluster_state:ok" in _text(told) and "fail" not in _text(nodes)


def _text(told: object) -> str:
    """What Redis said as lines, though the client makes a dictionary of it."""
    if isinstance(told, dict):
        return "\n".join(f"{name}:{value}" for name, value in told.items())
    return told.decode() if isinstance(told, bytes) else ""


@contextmanager
def redis_cluster(
    replicas: int = 0, *options: str, papers: Path | None = None
) -> Iterator[RedisCluster]:
    """Start it, and wait until all know of all. With `papers`, certificates, it speaks TLS, too."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubbub-redis-")))
        servers: list[Member] = []
        for number in range(PRIMARIES * (1 + replicas)):
            (folder / str(number)).mkdir()
            server = Member(folder / str(number), *options, papers=papers)
            servers.append(stack.enter_context(server))
        primaries = servers[:PRIMARIES]
        for number, server in enumerate(servers):
            server.do("CLUSTER SET-CONFIG-EPOCH", number + 1)
            if server in primaries:
                first, last = (SLOTS * (number + more) // PRIMARIES for more in (0, 1))
                server.do("CLUSTER ADDSLOTSRANGE", first, last - 1)
            if number:
                port, bus = server.port, int(server.bus)
                servers[0].do("CLUSTER MEET", "127.0.0.1", port, bus)
        wait(lambda: all(_knows(server, len(servers)) for server in servers))
        for number, server in enumerate(servers[PRIMARIES:]):
            of = primaries[number % PRIMARIES].do("CLUSTER MYID")
            server.do("CLUSTER REPLICATE", of)
        wait(lambda: all(_is_ready(server, replicas) for server in servers))
        yield RedisCluster(servers)


def wait(is_so: Callable[[], bool]) -> None:
    """Until something is so that can only be looked at."""
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "it did not come so far"
        time.sleep(0.02)


def _knows(server: Member, count: int) -> bool:
    nodes: Any = server.do("CLUSTER NODES")
    text = nodes.decode() if isinstance(nodes, bytes) else ""
    known = len(nodes) if isinstance(nodes, dict) else text.count("\n")
    return known == count and "handshake" not in text


def _is_ready(server: Member, replicas: int) -> bool:
    is_ok = "cluster_state:ok" in _text(server.do("CLUSTER INFO"))
    shards: Any = server.do("CLUSTER SLOTS")
    is_whole = sum(last - first + 1 for first, last, *_ in shards) == SLOTS
    has_all = all(len(shard) == 3 + replicas for shard in shards)
    role: Any = server.do("ROLE")
    is_linked = role[0] == b"master" or role[3] == b"connected"
    return bool(is_ok and is_whole and has_all and is_linked)
