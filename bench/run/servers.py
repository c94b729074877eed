"""The servers that are measured: Hubbub on its stores, and each folder of `bench/peers`.

A peer's `peer.toml` says what it is called, which adapter of the load client speaks its protocol,
which tools it needs, and how to build and start it; `{cache}`, `{port}` and `{python}` stand for a
folder of its own, the port to listen on and this Python. A peer whose tools are not here is
skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.run import machine

PEERS = machine.ROOT / "bench" / "peers"
HUBBUB = Path(sys.executable).parent / "hubbub"
DISK = "/var/tmp" if Path("/var/tmp").is_dir() else None
PATIENCE = 30.0
"""Seconds within which a server must accept its first connection."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A server that can be measured."""

    name: str
    label: str
    adapter: str
    says: str
    start: tuple[str, ...]
    needs: tuple[str, ...] = ()
    build: tuple[tuple[str, ...], ...] = ()
    version: tuple[str, ...] = ()
    redis: bool = False
    folder: Path = field(default=machine.ROOT)

    @property
    def is_ours(self) -> bool:
        return self.name.startswith("hubbub")

    @property
    def cache(self) -> Path:
        return machine.CACHE / self.name

    def filled(self, words: tuple[str, ...], port: int = 0, scratch: str = "") -> list[str]:
        """The command, with what is known now in its places."""
        known = {"cache": self.cache, "port": port, "python": sys.executable, "scratch": scratch}
        return [word.format(**known) for word in words]


def _ours(name: str, label: str, says: str, *arguments: str, redis: bool = False) -> Kind:
    start = (str(HUBBUB), "serve", "--addr", "127.0.0.1:{port}", "--rate", "0")
    return Kind(
        name,
        label,
        "hubbub",
        says,
        (*start, "--log-level", "error", *arguments),
        needs=("redis-server",) if redis else (),
        redis=redis,
    )


OURS = (
    _ours("hubbub", "Hubbub, memory", "--store memory:", "--store", "memory:"),
    _ours(
        *("hubbub-sqlite", "Hubbub, SQLite", "--store sqlite: --sync normal"),
        *("--store", "sqlite:{scratch}/chat.db"),
    ),
    _ours(
        *("hubbub-full", "Hubbub, SQLite full", "--store sqlite: --sync full"),
        *("--store", "sqlite:{scratch}/chat.db", "--sync", "full"),
    ),
    _ours(
        *("hubbub-redis", "Hubbub, Redis", "--store redis: on the same core, its time counted"),
        *("--store", "unix://{scratch}/redis.sock"),
        redis=True,
    ),
)


def peer(folder: Path) -> Kind:
    """The peer that a folder's `peer.toml` describes."""
    told = tomllib.loads((folder / "peer.toml").read_text())
    return Kind(
        folder.name,
        told["label"],
        told["adapter"],
        told["says"],
        tuple(told["start"]),
        tuple(told["needs"]),
        tuple(tuple(command) for command in told["build"]),
        tuple(told["version"]),
        folder=folder,
    )


def peers() -> list[Kind]:
    """All peers, the limit first."""
    found = [peer(path.parent) for path in sorted(PEERS.glob("*/peer.toml"))]
    return sorted(found, key=lambda kind: kind.name != "limit")


def missing(kind: Kind) -> str:
    """Which tools it lacks here; nothing if it can be built."""
    return " and ".join(tool for tool in kind.needs if shutil.which(tool) is None)


def build(kind: Kind) -> str:
    """Build it unless it is built; gives what went wrong, or nothing.

    Gently, on whatever core is free: this is not what is measured.
    """
    stamp = kind.cache / "stamp"
    told = machine.digest(kind.folder) if kind.build else ""
    if not kind.build or (stamp.exists() and stamp.read_text() == told):
        return ""
    kind.cache.mkdir(parents=True, exist_ok=True)
    for command in kind.build:
        done = subprocess.run(
            ["nice", "-n", "10", *kind.filled(command)],
            cwd=kind.folder,
            env={**os.environ, "CARGO_BUILD_JOBS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stdout.strip().splitlines() or ["no word of why"]
            return f"{' '.join(command[:2])} failed: {lines[-1][:200]}"
    # What was built may have changed files that are kept (a lock): the digest is taken again.
    stamp.write_text(machine.digest(kind.folder))
    return ""


def version_of(kind: Kind) -> str:
    return machine.said_by(*kind.filled(kind.version), cwd=kind.folder) if kind.version else ""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections."""

    kind: Kind
    port: int
    processes: tuple[int, ...]

    def memory(self) -> int:
        """Bytes of resident memory."""
        return machine.memory_of(*self.processes)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def unset(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment without anyone's own settings of Hubbub; whether to use C is no setting."""
    return {
        name: value
        for name, value in variables.items()
        if name == "HUBBUB_NATIVE" or not name.startswith(("HUBBUB_", "CHAT_ADDR"))
    }


@contextmanager
def process(command: list[str], cwd: Path, log: Path, **variables: str) -> Iterator[int]:
    """A process that ends with the context, and with us: gives its number."""
    with (
        log.open("w") as lines,
        subprocess.Popen(
            # Also where this program is killed, its servers go.
            ["setpriv", "--pdeathsig", "KILL", *command],
            cwd=cwd,
            env={**unset(os.environ), "NODE_ENV": "production", **variables},
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
        ) as child,
    ):
        try:
            yield child.pid
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()


def wait_for(path: Path) -> None:
    """Wait until a socket's file is there."""
    until = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > until:
            raise machine.NotHereError(f"{path.name} did not come")
        time.sleep(0.02)


def accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def running(kind: Kind, scratch: Path | None = None, *more: str) -> Iterator[Running]:
    """Start a server on its core and wait until it accepts; `scratch` is a folder for its files."""
    with ExitStack() as stack:
        if scratch is None:
            # On a disk, not in memory as /tmp may be: what is kept is kept for real.
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="hubbub-bench-", dir=DISK)
            )
            scratch = Path(folder)
        port, log = free_port(), scratch / "log"
        processes: list[int] = []
        if kind.redis:
            path = scratch / "redis.sock"
            command = ["redis-server", "--port", "0", "--save", "", "--appendonly", "yes"]
            command += ["--dir", str(scratch), "--unixsocket", str(path)]
            pinned = machine.pinned(machine.SERVER_CORE, *command)
            processes.append(stack.enter_context(process(pinned, scratch, scratch / "redis.log")))
            wait_for(path)
        command = [*kind.filled(kind.start, port, str(scratch)), *more]
        pinned = machine.pinned(machine.SERVER_CORE, *command)
        where = scratch if kind.is_ours else kind.folder  # without anyone's hubbub.toml
        number = stack.enter_context(process(pinned, where, log, PORT=str(port)))
        until = time.monotonic() + PATIENCE
        while not accepts(port):
            if time.monotonic() > until or not Path(f"/proc/{number}/fd/1").exists():
                words = log.read_text().strip().splitlines()[-1:] or ["without a word"]
                raise machine.NotHereError(f"{kind.label} does not start: {words[0]}")
            time.sleep(0.02)
        yield Running(kind, port, (number, *processes))
