"""`sqlite:`: the logs of all rooms in one file, for ever.

Laws: what `append` returned is committed (in the write-ahead log; with `--sync full` on the
disk); a batch is one transaction; the numbers in memory change only after it. One thread writes;
one more may read, on a connection of its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn, Protocol

from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.markers import Mark, Unread
from hubbub.store import events, rows
from hubbub.store.base import Opened, Outcome, Page, Stored, StoreError
from hubbub.store.batch import Batch
from hubbub.store.database import (
    BUSY,
    Sync,
    UnusableError,
    connect,
    connect_reader,
    is_damage,
    unusable,
)
from hubbub.store.lock import Lock
from hubbub.store.retention import sweep
from hubbub.store.rows import Head

WAL_BYTES: Final = 4 << 20
"""Bytes of payload after which what is in the write-ahead log is moved to its place."""
WAL_MOST: Final = 64 << 20
"""Size of the write-ahead log past which writing waits until it is empty again."""
SCRUB_EVERY: Final = 5.0
"""Seconds between two cleanings of the write-ahead log from deleted words."""
READERS: Final = 50
"""Milliseconds that emptying the write-ahead log waits for who still reads from it."""
SWEEP_EVERY: Final = 60.0
"""Seconds between two looks for events that need not be kept any longer."""
GONE: Final = "the file is gone"
"""Clients hear what is wrong, so none of it says where the file is."""


class Bounds(Protocol):
    """How it is kept; `hubbub.settings.Settings` is one such."""

    @property
    def sync(self) -> Sync: ...
    @property
    def keep_days(self) -> float: ...
    @property
    def keep_events(self) -> int: ...


class SqliteStore:
    """A `Store` in the file `path`. Raises `UnusableError` if that cannot be one."""

    def __init__(self, path: Path, bounds: Bounds, new_epoch: Callable[[], str]) -> None:
        self.path = path
        self._bounds = bounds
        self._new_epoch = new_epoch
        self._heads: dict[str, Head] = {}
        self._written = 0
        self._scrub_at = float("inf")
        self._sweep: Iterator[None] | None = None
        self._sweep_at = float("-inf")
        self._why = GONE
        """Why there is no file to write to, while there is none."""
        self._reading = threading.Lock()
        """Held while the reading connection is used, so that it can be replaced."""
        self._lock = Lock(path)
        self.was_cut = self._lock.was_cut
        """The machine went down since: every room has a new epoch, for its last events may be
        gone that clients have seen."""
        try:
            self._connect()
            if self.was_cut:
                self._begin_anew()
            self._lock.begin(self._bounds.sync)
        except BaseException:
            self._lock.abandon()
            raise

    def _begin_anew(self) -> None:
        with self._transaction():
            for (log,) in self._db.execute("SELECT id FROM log").fetchall():
                epoch = (self._new_epoch(), log)
                self._db.execute("UPDATE log SET epoch = ? WHERE id = ?", epoch)
            self._db.execute(rows.UNMARK)  # what comes in the place of what is gone was not read

    def _connect(self) -> None:
        self._db = connect(self.path, self._bounds.sync)
        try:
            # This makes the write-ahead log appear, and shows damage at the head of a table.
            for table in ("log", "event", "sent"):
                self._db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608
            self._reader = connect_reader(self.path)
        except sqlite3.Error as problem:
            self._db.close()
            raise unusable(self.path, problem) from None
        except BaseException:
            self._db.close()
            raise
        self._files = self._identities()

    # Writing

    def append(self, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        """See `Store.append`."""
        self._see_the_file()
        heads: dict[str, Head] = {}
        before: list[tuple[Head, int, int, int]] = []
        try:
            with self._transaction():
                for draft in drafts:
                    if draft.log not in heads:
                        head = heads[draft.log] = self._head(draft.log)
                        before.append((head, head.id, head.seq, head.ts))
                        if not head.id:
                            self._create(draft.log, head)
                batch = Batch(self._db, heads, ts)
                outcomes = batch.run(drafts)
        except BaseException:
            for head, number, seq, last in before:
                head.id, head.seq, head.ts = number, seq, last
            raise
        if batch.deleted:
            self._scrub_at = min(self._scrub_at, ts / 1000 + SCRUB_EVERY)
        self._written += sum(len(one.payload) for one in outcomes if isinstance(one, Stored))
        return outcomes

    def _create(self, name: str, head: Head) -> None:
        made = self._db.execute(
            "INSERT INTO log (name, epoch, floor, ts) VALUES (?, ?, 0, 0)", (name, head.epoch)
        )
        assert made.lastrowid is not None
        head.id = made.lastrowid

    def mark(self, marks: Sequence[Mark]) -> list[int | None]:
        """See `Store.mark`."""
        self._see_the_file()
        with self._transaction():
            return [self._mark(one) for one in marks]

    def _mark(self, mark: Mark) -> int | None:
        head = self._heads.get(mark.log) or rows.find(self._db, mark.log)
        if head is None or mark.seq > head.seq:
            return None
        return rows.mark(self._db, head.id, mark.user, mark.seq)

    # Reading

    def open(self, name: str, count: int) -> Opened:
        """See `Store.open`."""
        with self._errors():
            head = self._head(name)
            chats = rows.chats(self._db, head.id, head.seq + 1, count) if head.id else []
        return Opened(head.seq, head.epoch, chats[::-1])

    def first(self, name: str) -> int:
        """See `Store.first`."""
        return self._heads[name].floor + 1

    def after(self, name: str, seq: int, count: int) -> Page:
        """See `Store.after`."""
        with self._reading, self._errors():
            found = self._reader.execute("SELECT id, floor FROM log WHERE name = ?", (name,))
            log, floor = found.fetchone() or (0, 0)
            first, events = rows.page(self._reader, log, seq, count)
        return Page(first or max(seq, floor) + 1, events)

    def before(self, name: str, seq: int, count: int) -> tuple[list[bytes], bool]:
        """See `Store.before`."""
        with self._reading, self._errors():
            log = self._reader.execute("SELECT id FROM log WHERE name = ?", (name,)).fetchone()
            found = rows.chats(self._reader, log[0], seq, count + 1) if log else []
        return [payload for _, payload in found[:count]][::-1], len(found) > count

    def author(self, name: str, seq: int) -> Authored | None:
        """See `Store.author`."""
        with self._reading, self._errors():
            found = self._reader.execute(
                "SELECT author, payload FROM event WHERE log = (SELECT id FROM log WHERE name = ?)"
                " AND seq = ? AND target IS NULL",
                (name, seq),
            ).fetchone()
        return None if found is None else events.authored(*found)

    def thread(
        self, name: str, seq: int, before: int, count: int
    ) -> tuple[list[bytes], bool] | None:
        """See `Store.thread`."""
        with self._reading, self._errors():
            log = self._reader.execute("SELECT id FROM log WHERE name = ?", (name,)).fetchone()
            chat = rows.chat(self._reader, log[0], seq) if log else None
            if chat is None:
                return None
            found = rows.replies(self._reader, log[0], seq, before, count + 1)
        return [chat, *(payload for _, payload in found[:count][::-1])], len(found) > count

    def writings(self, name: str, author: bytes, count: int) -> list[int]:
        """See `Store.writings`. Reads the whole log: it is asked seldom, and not by the writer."""
        with self._reading, self._errors():
            found = self._reader.execute(
                "SELECT seq FROM event WHERE log = (SELECT id FROM log WHERE name = ?)"
                " AND author = ? AND target IS NULL AND json_extract(payload, '$.deleted') IS NULL"
                " ORDER BY seq DESC LIMIT ?",
                (name, author, count),
            ).fetchall()
        return [seq for (seq,) in found]

    def heads(self, names: Sequence[str]) -> list[tuple[int, bytes | None]]:
        """See `Store.heads`."""
        with self._reading, self._errors():
            return [rows.head(self._reader, name) for name in names]

    def unread(self, user: bytes, names: Sequence[str], most: int) -> list[Unread | None]:
        """See `Store.unread`."""
        with self._reading, self._errors():
            return [rows.unread(self._reader, name, user, most) for name in names]

    def read_by(self, user: bytes) -> list[str]:
        """See `Store.read_by`."""
        with self._reading, self._errors():
            return rows.read_by(self._reader, user)

    def _head(self, name: str) -> Head:
        head = self._heads.get(name)
        if head is None:
            head = self._heads[name] = rows.find(self._db, name) or Head(
                0, self._new_epoch(), 0, 0, 0
            )
        return head

    # Housekeeping

    @property
    def is_untidy(self) -> bool:
        """See `Store.is_untidy`."""
        return self._written > WAL_BYTES

    def rest(self, name: str, now: float) -> None:
        """See `Store.rest`."""
        self._heads.pop(name, None)

    def tidy(self, now: float) -> bool:
        """See `Store.tidy`: move the write-ahead log on, and let old events go, a little."""
        with self._errors():
            if now >= self._scrub_at:
                done = self._checkpoint("TRUNCATE")
                self._scrub_at = float("inf") if done else now + SCRUB_EVERY
            elif self._written > WAL_BYTES:
                size = self._size_of("-wal")
                self._checkpoint("TRUNCATE" if size > WAL_MOST else "PASSIVE")
            if self._sweep is None and now >= self._sweep_at:
                self._sweep_at = now + SWEEP_EVERY
                if self._bounds.keep_days or self._bounds.keep_events:
                    self._sweep = sweep(self._db, self._bounds, now, self._forgot)
            if self._sweep is not None:
                try:
                    with self._transaction():
                        next(self._sweep)
                except StopIteration:
                    self._sweep = None
                except BaseException:
                    self._sweep = None
                    raise
        return self._sweep is not None

    def _forgot(self, name: str, floor: int) -> None:
        if name in self._heads:
            self._heads[name].floor = floor

    def _checkpoint(self, mode: str) -> bool:
        """Whether nobody was in the way. An export reads for long, and must not stop the chat."""
        self._written = 0
        self._db.execute(f"PRAGMA busy_timeout = {READERS}")
        try:
            busy = self._db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[0]
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {BUSY}")
        return not busy

    def check(self) -> None:
        """See `Store.check`. A file that came back is opened anew, if it is the same log."""
        if self._identities() != self._files:
            self._reopen()
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            self._db.execute(f"PRAGMA user_version = {version}")  # a write of one page

    def _reopen(self) -> None:
        if not self.path.exists():
            raise StoreError(GONE)
        with self._reading:
            self._db.close()
            self._reader.close()
            try:
                self._connect()
            except UnusableError as problem:
                self._db = sqlite3.connect(":memory:", check_same_thread=False)
                self._db.close()  # so that all use of it fails until the next try
                self._give_up(str(problem).replace(str(self.path), "the file"))
            with self._errors():
                for name, head in self._heads.items():
                    found = rows.find(self._db, name)
                    if head.id and (
                        found is None or (found.epoch, found.seq) != (head.epoch, head.seq)
                    ):
                        self._give_up("the file is another one now; restart Hubbub")

    def _give_up(self, why: str) -> NoReturn:
        """What stands at our path is not to be touched, until it is another."""
        self._files, self._why = (), why
        raise StoreError(why)

    def close(self) -> None:
        """See `Store.close`. Leaves one file, without a write-ahead log."""
        with self._reading:
            try:
                with self._errors():
                    self._checkpoint("TRUNCATE")
            except StoreError:
                pass  # the next start goes on from the write-ahead log
            self._reader.close()
            self._db.close()
            self._lock.release()

    # What may go wrong

    def _identities(self) -> tuple[tuple[int, int], ...]:
        """Which files stand at our paths; empty if one is missing."""
        try:
            return tuple(
                (info.st_dev, info.st_ino)
                for info in (os.stat(self.path), os.stat(f"{self.path}-wal"))  # noqa: PTH116 - hot
            )
        except OSError:
            return ()

    def _see_the_file(self) -> None:
        """SQLite would go on writing to a file that was removed, and all of it would be lost."""
        if not self._files:
            raise StoreError(self._why)
        if self._identities() != self._files:
            raise StoreError(f"{GONE}, or is another one")

    def _size_of(self, suffix: str) -> int:
        try:
            return os.stat(f"{self.path}{suffix}").st_size  # noqa: PTH116
        except OSError:
            return 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            # Damage can show at any time: to read all of a large file at the start takes too long.
            told = f"the file is damaged ({problem}), see docs/storage.md"
            raise StoreError(told if is_damage(problem) else str(problem)) from problem
