"""Whose a database file is, by an advisory lock on `FILE.lock` beside it, and how it was left.

The lock file says which process has it, in which run of the machine and with which `--sync`; who
closes it well leaves it empty. So the next one knows whether the machine itself went down in
between: with `--sync normal` the last events may then be gone that clients have seen, and their
numbers would be given again (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from hubbub.store.database import Sync, UnusableError, unreachable

BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
"""Names this run of the machine, on Linux; elsewhere no run is told from another."""


class Lock:
    """The file is this process's until `release`. Raises `UnusableError` if it is another's.

    `was_cut`: the machine went down while a server had it, and its last events may be gone.
    """

    def __init__(self, path: Path) -> None:
        try:
            beside = path.with_name(path.name + ".lock")
            self._held = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise unreachable(path, problem) from None
        left = os.pread(self._held, 200, 0)
        process, _, self._after = left.decode(errors="replace").strip().partition(" ")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._held)
            raise UnusableError(
                f"{path} is in use by another Hubbub{f' (process {process})' if process else ''}",
                "stop that one first, or give another --store",
            ) from None
        boot, _, sync = self._after.partition(" ")
        self.was_cut = sync == "normal" and boot != _boot()
        self._write(f"{os.getpid()} {self._after}")

    def begin(self, sync: Sync) -> None:
        """A server begins to write to the file, knowing how it was left."""
        self._write(f"{os.getpid()} {_boot()} {sync}")
        os.fsync(self._held)
        self._after = ""

    def release(self) -> None:
        """Let go of the file, which is whole."""
        self._write(f"0 {self._after}" if self._after else "")
        os.close(self._held)

    def abandon(self) -> None:
        """Let go of the file as it is."""
        os.close(self._held)

    def _write(self, text: str) -> None:
        os.ftruncate(self._held, 0)
        os.pwrite(self._held, text.encode(), 0)


def _boot() -> str:
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""
