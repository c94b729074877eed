"""The load client of `bench/load`, told what to do and heard out: a command, a line of figures."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.run import machine
from bench.run.servers import Running

SOURCES = machine.ROOT / "bench" / "load"
Figures = dict[str, Any]


class LoadError(Exception):
    """The load client gave up; the words are its own."""


def build() -> None:
    """Compile the load client where it has changed."""
    folder = machine.CACHE / "load"
    stamp, told = folder / "stamp", machine.digest(SOURCES)
    if stamp.exists() and stamp.read_text() == told:
        return
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(map(str, SOURCES.glob("*.c")))
    flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, "-o", str(folder / "load"), *sources], check=True)
    stamp.write_text(told)


class Load:
    """A load client at work on one server."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child

    def tell(self, command: str, **options: float) -> Figures:
        """Let it do one thing; gives its figures (see `load.c`). LoadError if it has ended."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        words = [command, *(f"{name}={value:g}" for name, value in options.items())]
        try:
            self.child.stdin.write(" ".join(words) + "\n")
            self.child.stdin.flush()
        except BrokenPipeError as error:
            raise LoadError(f"the load client ended before {command}") from error
        line = self.child.stdout.readline()
        if not line:
            raise LoadError(f"the load client ended at {command}")
        figures: Figures = json.loads(line)
        return figures

    def connect(self, rooms: int, members: int, **options: float) -> Figures:
        """Let all enter; LoadError if one could not."""
        figures = self.tell("connect", rooms=rooms, members=members, **options)
        if figures["entered"] < rooms * members:
            raise LoadError(
                f"{figures['entered']} of {rooms * members} entered: {figures['trouble']}"
            )
        return figures


@contextmanager
def load(server: Running, text: int = 128) -> Iterator[Load]:
    """A load client for a server, on its own core; `text` is the size of a message in bytes."""
    binary = machine.CACHE / "load" / "load"
    pids = ",".join(map(str, server.processes))
    command = machine.pinned(
        machine.LOAD_CORE, binary, server.kind.adapter, str(server.port), str(text), pids
    )
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield Load(child)
        finally:
            child.kill()
