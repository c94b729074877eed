"""A real Redis of the tests' own: in a temporary folder, and safe against any crash."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from redis import Redis

PROGRAM = os.environ.get("HUBBUB_REDIS", "redis-server")
"""Whose place Valkey's can take, to try it."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class RedisServer:
    """`redis-server` on a free port, with every append on the disk before it is answered."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis(port=self.port)
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def start(self, *more: str, until: str = "Ready to accept connections") -> None:
        """Start it, and wait until it says so."""
        # fmt: off
        command = [
            "setpriv", "--pdeathsig", "KILL",  # also where a time limit ends the tests at once
            PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1",
            "--dir", str(self.folder), "--save", "", "--appendonly", "yes",
            "--appendfsync", "always", "--unixsocket", str(self.folder / "redis.sock"),
            *self._options, *more,
        ]
        # fmt: on
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if until in line:
                return
        raise AssertionError("redis-server did not start")

    @property
    def at(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    def flush(self) -> None:
        """Empty it."""
        self.client.flushall()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, and leave its files."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.communicate()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        if self._process is not None:
            self.kill()


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    with (
        tempfile.TemporaryDirectory(prefix="hubbub-redis-") as folder,  # a socket's path is short
        RedisServer(Path(folder), *options) as server,
    ):
        yield server


def listeners(client: Redis, channel: str) -> int:
    """How many listen to a sharded channel there."""
    found: Any = client.pubsub_shardnumsub(channel)
    return int(found[0][1])
