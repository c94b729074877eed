"""How long events are kept: removed from the oldest on, in steps so small that nobody waits.

Laws: a log's floor only rises, and rises in the same transaction that removes; numbers are never
used again; the ids of what is removed stay known. The server's own logs are kept for ever: what
they come to is what holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final, Protocol

STEP: Final = 500
"""Events that one step removes at most: about 2 ms."""
PAGES: Final = 256
"""Pages of the file that one step gives back at most."""
DAY: Final = 86_400_000
"""A day in milliseconds."""


class Keep(Protocol):
    """How long to keep; 0 is for ever."""

    @property
    def keep_days(self) -> float: ...
    @property
    def keep_events(self) -> int: ...


def sweep(
    db: sqlite3.Connection, keep: Keep, now: float, forgot: Callable[[str, int], None]
) -> Iterator[None]:
    """Remove what need not be kept as of `now` (Unix seconds), one step for each `next`.

    The caller puts a transaction around each step. `forgot(name, floor)` is told of each.
    """
    last = 0
    while True:
        logs = db.execute(
            "SELECT id, name, floor FROM log WHERE id > ? AND name NOT LIKE ' %'"
            " ORDER BY id LIMIT 100",
            (last,),
        ).fetchall()
        if not logs:
            break
        for log, name, floor in logs:
            upto = _upto(db, log, floor, keep, now)
            while floor < upto:
                floor = min(upto, floor + STEP)  # noqa: PLW2901 - it is this log's floor
                _remove(db, log, floor)
                forgot(name.decode(), floor)
                yield
        last = logs[-1][0]
        yield
    while db.execute("PRAGMA freelist_count").fetchone()[0]:
        db.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()
        yield


def _remove(db: sqlite3.Connection, log: int, floor: int) -> None:
    (ts,) = db.execute("SELECT ts FROM event WHERE log = ? AND seq = ?", (log, floor)).fetchone()
    db.execute("DELETE FROM event WHERE log = ? AND seq <= ?", (log, floor))
    db.execute("UPDATE log SET floor = ?, ts = ? WHERE id = ?", (floor, ts, log))


def _upto(db: sqlite3.Connection, log: int, floor: int, keep: Keep, now: float) -> int:
    """The `seq` of the newest event of a log that need not be kept."""
    (head,) = db.execute("SELECT max(seq) FROM event WHERE log = ?", (log,)).fetchone()
    if head is None:
        return floor
    upto = max(floor, head - keep.keep_events) if keep.keep_events else floor
    if keep.keep_days:
        upto = max(upto, _older(db, log, floor, head, int(now * 1000 - keep.keep_days * DAY)))
    return upto


def _older(db: sqlite3.Connection, log: int, floor: int, head: int, ts: int) -> int:
    """The `seq` of the newest event from before `ts`, by halving: time never goes back in a log."""
    low, high = floor, head
    while low < high:
        middle = (low + high + 1) // 2
        (there,) = db.execute(
            "SELECT ts FROM event WHERE log = ? AND seq = ?", (log, middle)
        ).fetchone()
        if there < ts:
            low = middle
        else:
            high = middle - 1
    return low
