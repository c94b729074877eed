"""The rows of the SQLite store, read and written.

Rows go in by few statements of many rows each: a thread that gives up and retakes the interpreter
for every row would starve the event loop. (By `executemany` 200 rows took 0.68 ms, by `json_each`
1.5 ms, so 0.47 ms; 2026-11-24, CPython 3.11, SQLite 3.40.) Pages come out as one text for the
same reason: no JSON has a line feed in it.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from hubbub.protocol.markers import Unread
from hubbub.store.base import PAGE_SIZE

SIZES: Final = (64, 32, 16, 8, 4, 2, 1)
"""How many rows a statement takes: a few fixed sizes, so that all stay prepared."""


def _of_sizes(before: str, row: str, after: str = "") -> dict[int, str]:
    return {size: before + ",".join([row] * size) + after for size in SIZES}


EVENTS: Final = _of_sizes(
    "INSERT INTO event (log, seq, ts, author, target, payload) VALUES ", "(?,?,?,?,?,?)"
)
SENT: Final = _of_sizes(
    "INSERT INTO sent (log, author, id, seq, ts, digest) VALUES ", "(?,?,?,?,?,?)"
)
WIDTH: Final = 6
"""How many columns both have."""
_KNOWN: Final = _of_sizes(
    "SELECT s.log, s.author, s.id, s.seq, s.ts, s.digest FROM (VALUES ",
    "(?,?,?)",
    ") v CROSS JOIN sent s ON s.log = v.column1 AND s.author = v.column2 AND s.id = v.column3",
)

Key = tuple[int, bytes, str]
"""What an id is unique in: log, author, id."""
Sent = tuple[int, int, bytes | None]
"""What is remembered of it: `seq`, `ts`, digest of a chat's first text."""


class Head:
    """Where a log stands. `id` is 0 for one that has no row yet, because nothing was said."""

    __slots__ = ("epoch", "floor", "id", "seq", "ts")

    def __init__(self, id: int, epoch: str, floor: int, seq: int, ts: int) -> None:
        self.id = id
        self.epoch = epoch
        self.floor = floor
        self.seq = seq
        self.ts = ts


def find(db: sqlite3.Connection, name: str) -> Head | None:
    """Where the log of a room stands; None if it has none."""
    log = db.execute("SELECT id, epoch, floor, ts FROM log WHERE name = ?", (name,)).fetchone()
    if log is None:
        return None
    number, epoch, floor, ts = log
    newest = db.execute(
        "SELECT seq, ts FROM event WHERE log = ? ORDER BY seq DESC LIMIT 1", (number,)
    ).fetchone()
    seq, ts = newest or (floor, ts)
    return Head(number, epoch.decode(), floor, seq, ts)


def head(db: sqlite3.Connection, name: str) -> tuple[int, bytes | None]:
    """The `seq` of a log's newest event, and its last chat as JSON; `(0, None)`: there is none."""
    found = db.execute("SELECT id, floor FROM log WHERE name = ?", (name,)).fetchone()
    if found is None:
        return 0, None
    log, floor = found
    newest = db.execute("SELECT max(seq) FROM event WHERE log = ?", (log,)).fetchone()[0]
    last = chats(db, log, (newest or 0) + 1, 1)
    return max(floor, newest or 0), last[0][1] if last else None


def chats(db: sqlite3.Connection, log: int, before: int, count: int) -> list[tuple[int, bytes]]:
    """The newest `count` chats of a log before `before`, as `(seq, JSON)`, the newest first."""
    seqs, joined = db.execute(
        "SELECT group_concat(seq), group_concat(payload, char(10)) FROM (SELECT seq, payload"
        " FROM event WHERE log = ? AND seq < ? AND target IS NULL ORDER BY seq DESC LIMIT ?)",
        (log, before, count),
    ).fetchone()
    if seqs is None:
        return []
    return list(zip(map(int, seqs.split(b",")), joined.split(b"\n"), strict=True))


def chat(db: sqlite3.Connection, log: int, seq: int) -> bytes | None:
    """The JSON of the chat of a `seq`, if there is one."""
    found = db.execute(
        "SELECT payload FROM event WHERE log = ? AND seq = ? AND target IS NULL", (log, seq)
    ).fetchone()
    return None if found is None else found[0]


_MARK: Final = (
    "INSERT INTO marker (user, log, seq) VALUES (?, ?, ?)"
    " ON CONFLICT (user, log) DO UPDATE SET seq = max(seq, excluded.seq) RETURNING seq"
)


UNMARK: Final = (
    "UPDATE marker SET seq = min(seq, (SELECT max(log.floor, coalesce((SELECT max(event.seq)"
    " FROM event WHERE event.log = log.id), 0)) FROM log WHERE log.id = marker.log))"
)
"""Nobody has read what a log does not have."""


def mark(db: sqlite3.Connection, log: int, user: bytes, seq: int) -> int:
    """Let a user have read up to `seq`, at least; gives how far that is."""
    ((kept,),) = db.execute(_MARK, (user, log, seq)).fetchall()
    return int(kept)


_UNREAD: Final = (
    "SELECT count(*), group_concat(CASE WHEN instr(payload, '\"mentions\":[') THEN payload END,"
    " char(10)) FROM (SELECT payload FROM event WHERE log = ? AND seq > ? AND target IS NULL"
    " AND author <> ? AND json_extract(payload, '$.deleted') IS NULL ORDER BY seq DESC LIMIT ?)"
)


def unread(db: sqlite3.Connection, name: str, user: bytes, most: int) -> Unread | None:
    """What a user has not read of a log, up to `most` chats; None: nothing is marked there."""
    marked = db.execute(
        "SELECT log, seq FROM marker WHERE user = ? AND log = (SELECT id FROM log WHERE name = ?)",
        (user, name),
    ).fetchone()
    if marked is None:
        return None
    log, read = marked
    count, calling = db.execute(_UNREAD, (log, read, user, most)).fetchone()
    return Unread(read, count, calling.split(b"\n") if calling is not None else [])


def read_by(db: sqlite3.Connection, user: bytes) -> list[str]:
    """The logs in which a user has read."""
    found = db.execute(
        "SELECT name FROM marker JOIN log ON log.id = marker.log WHERE user = ?", (user,)
    )
    return [name.decode() for (name,) in found]


_REPLIES: Final = (
    "SELECT seq, payload FROM event WHERE log = ? AND seq < ?"
    " AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.reply.seq') END = ?"
    " AND target IS NULL AND instr(payload, ',\"reply\":{') > 0 ORDER BY seq DESC LIMIT ?"
)


def replies(
    db: sqlite3.Connection, log: int, chat: int, before: int, count: int
) -> list[tuple[int, bytes]]:
    """The newest `count` replies to a chat before `before`, as `(seq, JSON)`, newest first."""
    return db.execute(_REPLIES, (log, before, chat, count)).fetchall()


_REACTION: Final = (
    "SELECT payload FROM event WHERE log = ? AND target = ? AND author = ?"
    " AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.emoji') END = ?"
    ' AND target > 0 AND instr(payload, \'{"type":"reacted",\') = 1 ORDER BY seq DESC LIMIT 1'
)


def reaction(
    db: sqlite3.Connection, log: int, chat: int, author: bytes, emoji: str
) -> bytes | None:
    """The JSON of what an author did last with one emoji on a chat."""
    found = db.execute(_REACTION, (log, chat, author, emoji)).fetchone()
    return None if found is None else found[0]


_LENGTH: Final = (
    "SELECT total(length(payload)) FROM"
    " (SELECT payload FROM event WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?)"
)
_PAGE: Final = (
    "SELECT min(seq), group_concat(payload, char(10)) FROM"
    " (SELECT seq, payload FROM event WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?)"
)
_FITTING: Final = (
    "SELECT count(*) FROM (SELECT sum(length(payload)) OVER (ORDER BY seq) AS upto FROM"
    " (SELECT seq, payload FROM event WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?))"
    " WHERE upto <= ?"
)


def page(db: sqlite3.Connection, log: int, seq: int, count: int) -> tuple[int | None, list[bytes]]:
    """At most `count` events after `seq` of about `PAGE_SIZE`, and the number of the first."""
    wanted = (log, seq, count)
    if db.execute(_LENGTH, wanted).fetchone()[0] > PAGE_SIZE:
        # Seldom: to add up as one goes would make all pages three times as slow.
        (fitting,) = db.execute(_FITTING, (*wanted, PAGE_SIZE)).fetchone()
        wanted = (log, seq, max(1, fitting))
    first, joined = db.execute(_PAGE, wanted).fetchone()
    return first, joined.split(b"\n") if joined is not None else []


def insert(db: sqlite3.Connection, statements: dict[int, str], rows: list[Any]) -> None:
    """Insert `rows`, a flat list of `WIDTH` values each, and empty the list."""
    for at, size in _cut(len(rows) // WIDTH):
        db.execute(statements[size], rows[at * WIDTH : (at + size) * WIDTH])
    rows.clear()


def known(db: sqlite3.Connection, keys: list[Key]) -> dict[Key, Sent]:
    """What is remembered of those of these ids that were used before."""
    found: dict[Key, Sent] = {}
    for at, size in _cut(len(keys)):
        wanted = [value for key in keys[at : at + size] for value in key]
        for log, author, sent, seq, ts, digest in db.execute(_KNOWN[size], wanted):
            found[log, author, sent.decode()] = (seq, ts, digest)
    return found


def _cut(count: int) -> list[tuple[int, int]]:
    """`count` rows in pieces of the known sizes: where each begins, and its size."""
    pieces: list[tuple[int, int]] = []
    at = 0
    for size in SIZES:
        while count - at >= size:
            pieces.append((at, size))
            at += size
    return pieces
