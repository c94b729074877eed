"""The lines of an export made into rows again: all of them, or none.

Laws: one transaction, so that what fails leaves nothing; what is in memory does not grow with the
lines; a room that has something in it already is left as it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from hubbub.store import rows
from hubbub.store.archive import BadLineError, Check, Marker, Room, Row, Used

CHUNK = 500
"""Lines that are written together."""


class RefusedError(Exception):
    """Nothing was imported. `what` says why, `mend` what to do."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what
        self.mend = mend


class Import:
    """Takes the lines of an export into the store behind `db` (a `connect`).

    Afterwards `rooms` and `events` say how many there were.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.rooms = self.events = 0
        self._db = db
        self._log = 0
        self._events: list[Any] = []
        self._sent: list[tuple[int, Used]] = []
        """Ids with the numbers of their lines."""

    def run(self, lines: Iterable[bytes], advance: Callable[[int], None]) -> None:
        """Import them; `advance` is told how many bytes each time. Raises `RefusedError`."""
        check = Check()
        number = size = 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for number, text in enumerate(lines, 1):
                size += len(text)
                self._take(check.take(text), number)
                if number % CHUNK == 0:
                    self._write()
                    advance(size)
                    size = 0
            number += 1
            check.end()
            self._write()
            self._db.execute("COMMIT")
        except BadLineError as problem:
            raise _refused(number, str(problem)) from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        advance(size)

    def _take(self, found: Room | Used | Marker | Row | None, number: int) -> None:
        match found:
            case Room():
                self._write()
                self._begin(found)
            case Used():
                self._sent.append((number, found))
            case Marker():
                rows.mark(self._db, self._log, found.user, found.seq)
            case Row(used=used):
                self.events += 1
                self._events += (
                    self._log,
                    found.seq,
                    found.ts,
                    found.author,
                    found.target,
                    found.payload.decode(),
                )
                if used is not None:
                    self._sent.append((number, used))

    def _begin(self, room: Room) -> None:
        there = rows.find(self._db, room.room)
        if there is not None:
            if there.seq:
                raise RefusedError(
                    f"the store has a room {room.room!r} already, with {there.seq} events",
                    "import into an empty store",
                )
            self._db.execute("DELETE FROM log WHERE id = ?", (there.id,))
        made = self._db.execute(
            "INSERT INTO log (name, epoch, floor, ts) VALUES (?, ?, ?, ?)",
            (room.room, room.epoch, room.floor, room.ts),
        )
        assert made.lastrowid is not None
        self._log = made.lastrowid
        self.rooms += 1

    def _write(self) -> None:
        rows.insert(self._db, rows.EVENTS, self._events)
        sent: list[Any] = []
        for _, used in self._sent:
            sent += self._of(used)
        self._db.execute("SAVEPOINT ids")
        try:
            rows.insert(self._db, rows.SENT, sent)
        except sqlite3.IntegrityError:
            self._db.execute("ROLLBACK TO ids")
            self._write_one_by_one()
        self._db.execute("RELEASE ids")
        self._sent.clear()

    def _write_one_by_one(self) -> None:
        """To find out which line has an id that was there already."""
        for number, used in self._sent:
            try:
                rows.insert(self._db, rows.SENT, list(self._of(used)))
            except sqlite3.IntegrityError:
                raise _refused(
                    number, f"has the id {used.id!r}, which its author used before"
                ) from None

    def _of(self, used: Used) -> tuple[Any, ...]:
        return (self._log, used.author, used.id, used.seq, used.ts, used.digest)


def _refused(number: int, what: str) -> RefusedError:
    return RefusedError(f"line {number} {what}", "nothing was imported; mend it, or export again")
