"""What can still be read of a damaged file, given out as whole rooms (`exporting.Source`).

Laws: every number up to the last event that could be read is there: for one that could not, a
deleted message stands in its place. A room that lost anything gets a new epoch, so that no client
takes its numbers for those of before. A page of the file that cannot be read hides only its own
rows: those beside it are asked for by their numbers, one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from hubbub.protocol.outgoing import Said, encode
from hubbub.store.archive import BadLineError, Room, Used, canonical
from hubbub.store.exporting import Kept, Remembered

NOBODY = b"\0" * 16
"""Whose the messages are that stand for what was lost."""
PATIENCE = 100_000
"""Numbers in a row that cannot be read after which a room counts as read to its end."""

_EVENT = "SELECT seq, author, payload FROM event WHERE log = ? AND seq"
_SENT = "SELECT seq, author, id, ts, digest FROM sent WHERE log = ? ORDER BY"


class Damaged:
    """A file that cannot be trusted. `lost` counts the events that are known to be gone, of the
    rooms that were read so far; `torn` has the rooms that may have lost some.
    """

    def __init__(self, db: sqlite3.Connection, new_epoch: Callable[[], str]) -> None:
        self.lost = 0
        self.torn: list[str] = []
        self._db = db
        self._new_epoch = new_epoch
        self._is_torn = False
        self._beside = sqlite3.connect("", isolation_level=None)  # a file that goes by itself
        self._beside.execute(
            "CREATE TABLE used (seq INT, author BLOB, id BLOB, ts INT, digest BLOB,"
            " PRIMARY KEY (author, id)) WITHOUT ROWID"
        )

    def room(self, log: int, room: Room) -> Room:
        """See `Source`. Reads through all of the room to see where it ends, and gathers its ids."""
        self._is_torn = False
        self._beside.execute("BEGIN")
        self._beside.execute("DELETE FROM used")
        for mark in self._marks(log):
            self._remember(mark)
        last, count = room.floor, 0
        for event, said in self._events(log, room):
            last, count = event.seq, count + 1
            if isinstance(said, Said) and said.id is not None:
                self._remember(Remembered(last, event.author, said.id.encode(), said.ts, None))
        self._beside.execute("DELETE FROM used WHERE seq > ?", (last,))
        self._beside.execute("COMMIT")
        lost = max(last, room.seq) - room.floor - count
        if not lost and not self._is_torn:
            return room
        self.lost += lost
        self.torn.append(room.room)
        return Room(room.room, self._new_epoch(), room.floor, room.ts, last)

    def events(self, log: int, room: Room) -> Iterable[Kept]:
        """See `Source`."""
        seq, ts = room.floor, room.ts
        for event, said in self._events(log, room):
            while seq + 1 < event.seq:
                seq += 1
                yield Kept(seq, NOBODY, encode(Said(room.room, "?", "", ts, seq, deleted=True)))
            seq, ts = event.seq, said.ts
            yield event

    def ids(self, log: int) -> Iterable[Remembered]:
        """See `Source`."""
        wanted = "SELECT seq, author, id, ts, digest FROM used ORDER BY 1, 2, 3"
        return map(Remembered._make, self._beside.execute(wanted))

    def _events(self, log: int, room: Room) -> Iterator[tuple[Kept, Any]]:
        """The events that can be read and are what they should be, with what they say."""
        seq, ts = room.floor, room.ts
        for row in self._rows(log, room.floor):
            said = _sound(row, room)
            if said is None or row.seq <= seq or said.ts < ts:
                self._is_torn = True
            else:
                seq, ts = row.seq, said.ts
                yield row, said

    def _rows(self, log: int, seq: int) -> Iterator[Kept]:
        """The rows of a log after `seq` that can be read."""
        failed = 0
        while failed < PATIENCE:
            try:
                for row in self._db.execute(f"{_EVENT} > ? ORDER BY seq", (log, seq)):
                    yield Kept(*row)
                    seq, failed = row[0], 0
            except sqlite3.DatabaseError:
                self._is_torn = True
            else:
                return
            while failed < PATIENCE:
                seq += 1
                try:
                    there = self._db.execute(f"{_EVENT} = ?", (log, seq)).fetchone()
                except sqlite3.DatabaseError:
                    failed += 1
                    continue
                if there is not None:
                    yield Kept(*there)
                    failed = 0
                break

    def _marks(self, log: int) -> Iterator[Remembered]:
        """The ids before the first page that cannot be read, and those after the last."""
        for order in ("author, id", "author DESC, id DESC"):
            try:
                for row in self._db.execute(f"{_SENT} {order}", (log,)):
                    yield Remembered(*row)
            except sqlite3.DatabaseError:
                self._is_torn = True
            else:
                return

    def _remember(self, mark: Remembered) -> None:
        try:
            msgspec.convert({**mark._asdict(), "type": "used", "id": mark.id.decode()}, Used)
        except (msgspec.ValidationError, UnicodeDecodeError, AttributeError):
            self._is_torn = True
        else:
            self._beside.execute("INSERT OR IGNORE INTO used VALUES (?, ?, ?, ?, ?)", mark)


def _sound(row: Any, room: Room) -> Any:
    """What an event says; None if it is not the event that its row should have."""
    if not (isinstance(row.author, bytes) and row.author and isinstance(row.payload, bytes)):
        return None
    try:
        event, payload = canonical(row.payload)
    except BadLineError:
        return None
    return event if (event.seq, event.room, payload) == (row.seq, room.room, row.payload) else None
