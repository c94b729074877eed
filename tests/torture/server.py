"""The real command on one file and one port, killed and started again."""

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
WRONG = re.compile(r"Traceback|\[(error|critical) *\]|exception|never retrieved", re.IGNORECASE)
"""What must stand in no log."""


class Victim:
    """`start`, then `kill` or `stop`, and so on; always the same port and the same file."""

    def __init__(self, folder: Path, flags: list[str]) -> None:
        self.folder = folder
        self.file = folder / "chat.db"
        self.port = 0
        self.starts = 0
        self.kills = 0
        self._flags = flags
        self._running: AbstractContextManager[Server] | None = None
        self._busy: asyncio.Future[Any] | None = None

    async def start(self) -> None:
        self.starts += 1
        self._running = serving(
            *("--addr", f"127.0.0.1:{self.port}", "--store", f"sqlite:{self.file}"),
            *self._flags,
            cwd=self.folder,
            log=f"server-{self.starts}.log",
        )
        self._server = await self._in_thread(self._running.__enter__)
        self.port = self._server.port

    async def kill(self) -> None:
        """As the kernel does it when memory is out."""
        self.kills += 1
        self._server.process.kill()
        await self._end(-signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM; leaves one file."""
        self._server.process.send_signal(signal.SIGTERM)
        await self._in_thread(self._server.process.wait, 15)
        await self._end(0)
        left = sorted(path.name for path in self.folder.glob("chat.db*"))
        check(left == ["chat.db", "chat.db.lock"], "the files after a stop are", left)

    async def _end(self, expected: int) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        await self._in_thread(running.__exit__, None, None, None)
        log = (self.folder / f"server-{self.starts}.log").read_text()
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
