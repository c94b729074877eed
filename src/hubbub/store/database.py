"""One SQLite file: how it is opened, whose it is, and how its schema grows.

Laws: one Hubbub at a time writes to a file (see `lock`); the schema has a
version (`user_version`) and only goes forward; a file of a newer Hubbub, or of another program,
is never touched. Everything here raises `UnusableError` with what to do about it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final, Literal

APPLICATION: Final = 0x48756262
"""`application_id` of our files: "Hubb"."""

MIGRATIONS: Final = [
    """
    CREATE TABLE log (              -- a room's log
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      epoch TEXT NOT NULL,
      floor INTEGER NOT NULL,       -- events up to this seq are no longer kept
      ts INTEGER NOT NULL           -- of the event at the floor, Unix ms
    ) STRICT;
    CREATE TABLE event (            -- what a room keeps, one row a seq
      log INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      ts INTEGER NOT NULL,
      author BLOB NOT NULL,         -- identity, a hash
      target INTEGER,               -- the chat that it changes; NULL: it is a chat
      payload TEXT NOT NULL,        -- its JSON, as everyone gets it
      PRIMARY KEY (log, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX change ON event (log, target) WHERE target IS NOT NULL;
    CREATE TABLE sent (             -- every id that was ever used
      log INTEGER NOT NULL,
      author BLOB NOT NULL,
      id TEXT NOT NULL,
      seq INTEGER NOT NULL,
      ts INTEGER NOT NULL,
      digest BLOB,                  -- of a chat's first text; NULL once it is deleted
      PRIMARY KEY (log, author, id)
    ) STRICT, WITHOUT ROWID;
    """,
    # The first condition is for speed: few chats have the words that are looked for.
    """
    CREATE INDEX reply ON event (
      log, CASE WHEN json_valid(payload) THEN json_extract(payload, '$.reply.seq') END
    ) WHERE target IS NULL AND instr(payload, ',"reply":{') > 0;
    CREATE INDEX reaction ON event (
      log, target, author, CASE WHEN json_valid(payload) THEN json_extract(payload, '$.emoji') END
    ) WHERE target > 0 AND instr(payload, '{"type":"reacted",') = 1;
    """,
    """
    CREATE TABLE marker (           -- how far users have read
      user BLOB NOT NULL,           -- identity, a hash
      log INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      PRIMARY KEY (user, log)
    ) STRICT, WITHOUT ROWID;
    """,
]
"""What makes each version out of the one before; never edited once released, only added to."""

BUSY: Final = 5000
"""Milliseconds that a write waits for one of another program: there should be none."""

Sync = Literal["normal", "full"]


class UnusableError(Exception):
    """A file that cannot be used as a store. `message` says what is wrong, `mend` what to do."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message}; {mend}")
        self.message = message
        self.mend = mend


def connect(path: Path, sync: Sync) -> sqlite3.Connection:
    """A connection that writes; the file is made, and its schema brought up to date."""
    try:
        # Not by SQLite, whose files anyone could read: what is said in a room is private.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as problem:
        raise unreachable(path, problem) from None
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        _set_up(connection, path, sync)
    except sqlite3.Error as problem:
        connection.close()
        raise unusable(path, problem) from None
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, beside one that writes, in this process or another."""
    if not path.exists():
        raise UnusableError(f"there is no file {path}", "give the --store of a Hubbub that ran")
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = bytes
        connection.execute("PRAGMA query_only = ON")
        version = _version(connection, path)
    except sqlite3.Error as problem:
        raise unusable(path, problem) from None
    if version < len(MIGRATIONS):
        connection.close()
        raise UnusableError(
            f"{path} is of an older Hubbub", "start `hubbub serve` with it once, to bring it over"
        )
    return connection


def _set_up(connection: sqlite3.Connection, path: Path, sync: Sync) -> None:
    connection.text_factory = bytes
    connection.execute(f"PRAGMA busy_timeout = {BUSY}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only for a new file
    version = _version(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {sync}")
    connection.execute("PRAGMA fullfsync = ON")  # where a plain fsync does not reach the disk
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # `SqliteStore.tidy` chooses the moment
    connection.execute("PRAGMA cache_size = -8000")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script}; PRAGMA application_id = {APPLICATION};"
            f" PRAGMA user_version = {number}; COMMIT;"
        )


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema's version, of a file that is ours (0: an empty one)."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    check_ours(path, application if tables else APPLICATION, version)
    return version


def check_ours(path: Path, application: int, version: int) -> None:
    """A file with this `application_id` and `user_version` is one that we know."""
    if application != APPLICATION:
        raise UnusableError(f"{path} is a database of another program", "give another --store")
    if version > len(MIGRATIONS):
        raise UnusableError(
            f"{path} was written by a newer Hubbub (its version is {version}, and this one knows"
            f" up to {len(MIGRATIONS)})",
            "start that newer one",
        )


def unreachable(path: Path, problem: OSError) -> UnusableError:
    """What to do about a file that cannot be opened."""
    if isinstance(problem, FileNotFoundError):
        return UnusableError(
            f"there is no directory {path.parent} for {path.name}", "make it, or give another"
        )
    return UnusableError(
        f"{path} cannot be written ({problem.strerror})",
        "give it to this user, or give another --store",
    )


def unusable(path: Path, problem: sqlite3.Error) -> UnusableError:
    """What an error of SQLite's means for the person whose file it is."""
    if is_damage(problem):
        return UnusableError(
            f"{path} is damaged ({problem})",
            "take your last backup, or recover what can be read as docs/storage.md says",
        )
    return UnusableError(
        f"{path} cannot be used ({problem})", "see that the disk has room and can be written"
    )


def is_damage(problem: sqlite3.Error) -> bool:
    """Whether it says that the file is not what it should be, and not that it cannot be reached."""
    return type(problem) is sqlite3.DatabaseError
