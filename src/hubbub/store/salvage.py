"""What is still there of a damaged file, made into whole rooms again (`exporting.Source`).

Laws: every number up to the last event that was found is there: for one that was not, a deleted
message stands in its place. Every room gets a new epoch, because nobody can know whether its last
events are among those found: no client may take its numbers for those of before. What is found is
judged before it is taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from hubbub.protocol.audit import AUDIT, USERS, Audit, Known
from hubbub.protocol.outgoing import Said, encode
from hubbub.store.archive import AnyEvent, BadLineError, Marker, Room, Used, canonical, log_of
from hubbub.store.database import MIGRATIONS, UnusableError, check_ours
from hubbub.store.exporting import Kept, Remembered, markers
from hubbub.store.pages import MAGIC, Pages, rows

NOBODY = b"\0" * 16
"""Whose the messages are that stand for what was lost."""


def gathered(path: Path, told: Callable[[int, int], None]) -> sqlite3.Connection:
    """A database with all rows that are in the pages of a file; it goes when it is closed.

    `told(done, total)` counts pages. Raises `UnusableError` where there is no file of ours.
    """
    if not path.exists():
        raise UnusableError(f"there is no file {path}", "give the --store of a Hubbub that ran")
    db = sqlite3.connect("", isolation_level=None)  # a file that SQLite makes, and takes away
    db.text_factory = bytes
    db.executescript(";".join(MIGRATIONS))
    db.execute("BEGIN")
    with closing(Pages(path)) as pages:
        head = pages.page(1)
        if head.startswith(MAGIC):
            check_ours(path, int.from_bytes(head[68:72]), int.from_bytes(head[60:64]))
        for number in range(2, pages.count + 1):  # the first has the schema alone
            for row in rows(number, pages.page):
                _take(db, row)
            if number % 500 == 0:
                told(number, pages.count)
    db.execute("COMMIT")
    db.execute("CREATE INDEX by_seq ON sent (log, seq)")
    _name_the_nameless(db)
    return db


def _take(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    match row:
        case (int(), int(), int(), bytes(), None | int(), str()):
            db.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
        case (int(), bytes(), str(), int(), int(), None | bytes()) if _is_sound(*row[1:]):
            db.execute("INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?, ?)", row)
        case (bytes() as user, int(), int() as seq) if 0 < len(user) <= 64 and 0 < seq < 2**53:
            db.execute("INSERT OR IGNORE INTO marker VALUES (?, ?, ?)", row)
        case (int() as id, None, str() as name, str(), int() as floor, int() as ts) if (
            name and 0 <= floor < 2**53 and 0 <= ts < 2**53
        ):
            db.execute("INSERT OR IGNORE INTO log VALUES (?, ?, ?, ?, ?)", (id, *row[2:]))


def _name_the_nameless(db: sqlite3.Connection) -> None:
    """A room whose own row is lost has its name in each of its events."""
    lost = (
        "SELECT log FROM event WHERE log NOT IN (SELECT id FROM log)"
        " GROUP BY log ORDER BY count(*) DESC"  # a damaged row may say that it is of any log
    )
    events = "SELECT seq, payload FROM event WHERE log = ? ORDER BY seq"
    for (log,) in db.execute(lost).fetchall():
        for seq, payload in db.execute(events, (log,)):
            try:
                event, _ = canonical(payload)
            except BadLineError:
                continue
            if event.seq == seq:
                named = (log, log_of(event), "?", seq - 1, 0)
                db.execute("INSERT OR IGNORE INTO log VALUES (?, ?, ?, ?, ?)", named)
                break


class Damaged:
    """Reads what was `gathered`. `lost` counts the events that are known to be gone, of the rooms
    that were read so far; `torn` has those rooms that lost some.
    """

    def __init__(self, db: sqlite3.Connection, new_epoch: Callable[[], str]) -> None:
        self.lost = 0
        self.torn: list[str] = []
        self._db = db
        self._new_epoch = new_epoch

    def room(self, log: int, room: Room) -> Room:
        """See `Source`. Reads through the room to see where it ends, and mends its ids."""
        last, count = room.floor, 0
        for event, said in self._events(log, room):
            last, count = event.seq, count + 1
            self._mend_ids(log, event, said)
        (newest,) = self._db.execute("SELECT max(seq) FROM sent WHERE log = ?", (log,)).fetchone()
        self._db.execute("DELETE FROM sent WHERE log = ? AND seq > ?", (log, last))
        lost = max(last, newest or 0) - room.floor - count
        if lost:
            self.lost += lost
            self.torn.append(room.room)
        return Room(room.room, self._new_epoch(), room.floor, room.ts, last)

    def _mend_ids(self, log: int, event: Kept, said: AnyEvent) -> None:
        """A chat has its id in itself, so that is remembered, and no other for its number."""
        at = (log, event.seq)
        if not isinstance(said, Said):
            self._db.execute("UPDATE sent SET digest = NULL WHERE log = ? AND seq = ?", at)
            return
        self._db.execute(
            "DELETE FROM sent WHERE log = ? AND seq = ? AND (author, id) IS NOT (?, ?)",
            (*at, event.author, said.id),
        )
        if said.id is not None:
            self._db.execute(
                "INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?, NULL)",
                (log, event.author, said.id, event.seq, said.ts),
            )

    def events(self, log: int, room: Room) -> Iterable[Kept]:
        """See `Source`."""
        seq, ts = room.floor, room.ts
        for event, said in self._events(log, room):
            while seq + 1 < event.seq:
                seq += 1
                yield Kept(seq, NOBODY, _lost(room.room, seq, ts))
            seq, ts = event.seq, said.ts
            if (
                isinstance(said, Said)
                and said.id is not None
                and not self._owns(log, event, said.id)
            ):
                said.id = None  # another event has it
                yield event._replace(payload=encode(said))
            else:
                yield event

    def _owns(self, log: int, event: Kept, id: str) -> bool:
        wanted = "SELECT seq FROM sent WHERE log = ? AND author = ? AND id = ?"
        found = self._db.execute(wanted, (log, event.author, id)).fetchone()
        return bool(found == (event.seq,))

    def ids(self, log: int) -> Iterable[Remembered]:
        """See `Source`."""
        wanted = "SELECT seq, author, id, ts, digest FROM sent WHERE log = ? ORDER BY 1, 2, 3"
        return map(Remembered._make, self._db.execute(wanted, (log,)))

    def markers(self, log: int, room: Room) -> Iterable[Marker]:
        """See `Source`."""
        return markers(self._db, log, room)

    def _events(self, log: int, room: Room) -> Iterator[tuple[Kept, AnyEvent]]:
        """The events that are what they should be, with what they say."""
        wanted = "SELECT seq, author, payload FROM event WHERE log = ? AND seq > ? ORDER BY seq"
        ts = room.ts
        for event in map(Kept._make, self._db.execute(wanted, (log, room.floor))):
            try:
                said, payload = canonical(event.payload)
            except BadLineError:
                continue
            found = (said.seq, log_of(said), payload, 0 < len(event.author) <= 64)
            if found == (event.seq, room.room, event.payload, True) and said.ts >= ts:
                ts = said.ts
                yield event, said


def _lost(room: str, seq: int, ts: int) -> bytes:
    """What stands where an event was: a deleted message, or a record of nothing."""
    if room == AUDIT:
        return encode(Audit(seq, ts, "delete", "", "?"))
    if room == USERS:
        return encode(Known(seq, ts, ""))
    return encode(Said(room, "?", "", ts, seq, deleted=True))


def _is_sound(author: bytes, id: str, seq: int, ts: int, digest: bytes | None) -> bool:
    """Whether an id that is remembered can be one."""
    try:
        msgspec.convert(
            {"type": "used", "id": id, "author": author, "seq": seq, "ts": ts, "digest": digest},
            Used,
        )
    except msgspec.ValidationError:
        return False
    return True
