"""The real command on one store and one port, killed, stopped and started again."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from tests.command import Server, serving
from tests.torture.picture import UntrueError, check

T = TypeVar("T")
PATIENCE = 20
"""Seconds within which a server ends that was asked to; with a Redis that hangs it takes some."""
WRONG = re.compile(r"Traceback|\[(error|critical) *\]|exception|never retrieved", re.IGNORECASE)
"""What must stand in no log."""


class Victim:
    """`start`, then `kill` or `stop`, and so on; always the same port and the same store."""

    def __init__(self, folder: Path, name: str, store: str, flags: list[str]) -> None:
        self.folder = folder
        self.name = name
        self.store = store
        self.port = 0
        self.starts = 0
        self.kills = 0
        self._flags = flags
        self._running: AbstractContextManager[Server] | None = None
        self._busy: asyncio.Future[Any] | None = None

    async def start(self) -> None:
        self.starts += 1
        self._running = serving(
            *("--addr", f"127.0.0.1:{self.port}", "--store", self.store),
            *self._flags,
            cwd=self.folder,
            log=self._log,
        )
        self._server = await self._in_thread(self._running.__enter__)
        self.port = self._server.port

    @property
    def _log(self) -> str:
        return f"{self.name}-{self.starts}.log"

    async def kill(self) -> None:
        """As the kernel does it when memory is out."""
        self.kills += 1
        self._server.process.kill()
        await self._end(-signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        self._server.process.send_signal(signal.SIGTERM)
        await self._in_thread(self._server.process.wait, PATIENCE)
        await self._end(0)

    def send(self, number: signal.Signals) -> None:
        self._server.process.send_signal(number)

    async def _end(self, expected: int) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        await self._in_thread(running.__exit__, None, None, None)
        log = (self.folder / self._log).read_text()
        wrong = WRONG.search(log)
        if wrong is not None:
            raise UntrueError(f"the server logged: {log[wrong.start() - 300 :][:3000]}")
        code = self._server.process.returncode
        check(code == expected, "the server ended with", code, log[-3000:])

    async def _in_thread(self, what: Callable[..., T], *arguments: Any) -> T:
        """Do what blocks; it is seen to its end, even if who waits for it is cancelled."""
        task = asyncio.ensure_future(asyncio.to_thread(what, *arguments))
        self._busy = task
        return await asyncio.shield(task)

    async def put_down(self) -> None:
        """Whatever happened: it does not outlive the test."""
        if self._busy is not None:
            await asyncio.wait([self._busy])
        if self._running is not None:
            self._server.process.kill()
            await asyncio.to_thread(self._running.__exit__, None, None, None)
