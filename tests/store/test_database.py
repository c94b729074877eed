"""The file that a store is: whose it is, how it grows with Hubbub, what is said of a bad one."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from websockets.sync.client import connect as websocket

from hubbub.settings import Settings
from hubbub.store import database
from hubbub.store.database import APPLICATION, MIGRATIONS, UnusableError, connect, connect_reader
from hubbub.store.place import path_of
from hubbub.store.sqlite import SqliteStore
from tests.command import serving, told
from tests.store.kinds import ANN, edit, keep, new_epoch, say

PAGE = 4096
HERE = ("--addr", "127.0.0.1:0", "--store", "sqlite:chat.db")


def filled(folder: Path, *rooms: str, events: int = 400) -> Path:
    """A file as a server leaves it, with so many chats in each room."""
    store = SqliteStore(folder / "chat.db", Settings(), new_epoch)
    for room in rooms:
        keep(store, *(say(f"words {number} " * 9, log=room) for number in range(events)))
    store.close()
    return folder / "chat.db"


def spoil(path: Path, *pages: int) -> None:
    """Overwrite pages of the file; the first is 1."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(b"\xa5" * PAGE)


def leaves(path: Path, room: str) -> list[int]:
    """The pages at the edge of the tree that have events of this room, in the order of the file."""
    content = path.read_bytes()
    return [
        number
        for number in range(2, len(content) // PAGE + 1)
        if (page := content[(number - 1) * PAGE : number * PAGE])[0] == 0x0A  # fileformat2.html 1.6
        and f'"room":"{room}"'.encode() in page
    ]


# Whose it is


def test_a_file_of_a_newer_hubbub_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path, "red")
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    line = told("serve", *HERE, cwd=tmp_path)
    assert line == (
        f"chat.db was written by a newer Hubbub (its version is 99, and this one knows up to"
        f" {len(MIGRATIONS)}); start that newer one"
    )
    for command in (["export", "--all"], ["backup", "copy.db"], ["import", os.devnull]):
        assert "a newer Hubbub" in told(*command, *HERE[2:], cwd=tmp_path)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)
    db.close()


@pytest.mark.parametrize("version", [0, 1, 99])
def test_the_database_of_another_program_is_not_touched(version: int, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "chat.db") as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    before = (tmp_path / "chat.db").read_bytes()
    for command in (["serve", *HERE[:2]], ["export", "--all"], ["backup", "copy.db"]):
        line = told(*command, *HERE[2:], cwd=tmp_path)
        assert line == "chat.db is a database of another program; give another --store"
    assert (tmp_path / "chat.db").read_bytes() == before


def test_a_second_server_is_told_which_process_has_the_file(tmp_path: Path) -> None:
    with serving(*HERE, cwd=tmp_path) as first:
        line = told("serve", *HERE, cwd=tmp_path)
        assert line == (
            f"chat.db is in use by another Hubbub (process {first.process.pid});"
            " stop that one first, or give another --store"
        )
    with serving(*HERE, cwd=tmp_path):
        pass  # and it is free again


def test_only_its_owner_can_read_what_is_said(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    finally:
        os.umask(before)
    keep(store, say("a"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {f"chat.db{end}": 0o600 for end in ("", "-wal", "-shm", ".lock")}
    store.close()


# How it grows

FIRST = """
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
"""
"""The schema of version 1, as it was released. It is never edited here, either."""


def first_version(path: Path) -> None:
    """A file of version 1 with one message, made without Hubbub."""
    db = sqlite3.connect(path)
    chat = '{"type":"chat","room":"red","username":"ann","text":"old","ts":5,"seq":1,"id":"i1"}'
    db.executescript(
        f"{FIRST} PRAGMA application_id = {0x48756262}; PRAGMA user_version = 1;"
        "INSERT INTO log VALUES (1, 'red', 'an-epoch', 0, 0);"
        f"INSERT INTO event VALUES (1, 1, 5, x'{ANN.hex()}', NULL, '{chat}');"
        f"INSERT INTO sent VALUES (1, x'{ANN.hex()}', 'i1', 1, 5, NULL);"
    )
    db.close()


def version_of(path: Path) -> int:
    db = sqlite3.connect(path)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return int(version)


def test_a_file_of_the_first_version_opens_with_all_that_is_in_it(tmp_path: Path) -> None:
    first_version(tmp_path / "chat.db")
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    opened = store.open("red", 9)
    assert (opened.seq, opened.epoch) == (1, "an-epoch")
    assert json.loads(opened.history[0][1])["text"] == "old"
    assert keep(store, say("again", "i1"), edit(1, "new")) == [1, 2]
    store.close()


def test_what_was_released_is_not_edited() -> None:
    assert MIGRATIONS[0].split() == FIRST.split()


def test_a_file_goes_forward_to_the_newest_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first_version(tmp_path / "chat.db")
    steps = ["CREATE TABLE pin (log INTEGER) STRICT", "INSERT INTO pin VALUES (7)"]
    monkeypatch.setattr(database, "MIGRATIONS", [*MIGRATIONS, *steps])
    with pytest.raises(UnusableError, match="of an older Hubbub; start `hubbub serve` with it"):
        connect_reader(tmp_path / "chat.db")
    db = connect(tmp_path / "chat.db", "normal")
    assert db.execute("SELECT * FROM pin").fetchall() == [(7,)]
    db.close()
    assert version_of(tmp_path / "chat.db") == len(MIGRATIONS) + 2
    connect(tmp_path / "chat.db", "normal").close()  # it is done once


def test_a_step_forward_that_fails_leaves_the_version_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first_version(tmp_path / "chat.db")
    steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); DELETE FROM event; INSERT INTO none_such"]
    monkeypatch.setattr(database, "MIGRATIONS", [*MIGRATIONS, *steps])
    with pytest.raises(UnusableError, match="cannot be used"):
        connect(tmp_path / "chat.db", "normal")
    assert version_of(tmp_path / "chat.db") == len(MIGRATIONS) + 1
    db = sqlite3.connect(tmp_path / "chat.db")
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
    assert "a" in tables
    assert "b" not in tables
    assert db.execute("SELECT count(*) FROM event").fetchone() == (1,)
    assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
    db.close()


# Where it is


def test_a_store_is_found_where_its_name_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "folder").mkdir()
    assert path_of("sqlite:chat.db") == Path("chat.db")
    assert path_of("sqlite:sub/chat.db") == Path("sub/chat.db")
    assert path_of("sqlite:///srv/chat.db") == Path("/srv/chat.db")
    assert path_of("sqlite:/srv/chat.db") == Path("/srv/chat.db")
    assert path_of("sqlite:folder") == Path("folder/hubbub.db")
    assert path_of(f"sqlite://{tmp_path}/folder") == tmp_path / "folder" / "hubbub.db"
    assert path_of("sqlite:") == tmp_path / "data" / "hubbub" / "hubbub.db"
    assert stat.S_IMODE((tmp_path / "data" / "hubbub").stat().st_mode) == 0o700


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = told(
        "serve", "--addr=127.0.0.1:0", "--store=sqlite:", cwd=tmp_path,
        env={"XDG_DATA_HOME": str(tmp_path / "file")},
    )  # fmt: skip
    assert line == (
        f"the data folder {tmp_path}/file/hubbub cannot be made (Not a directory); give a --store"
    )


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    line = told("serve", "--addr=127.0.0.1:0", "--store=sqlite:none/chat.db", cwd=tmp_path)
    assert line == "there is no directory none for chat.db; make it, or give another"


def test_a_file_that_may_not_be_written_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The tests may well run as root: the system's refusal is the one thing that is put on here.
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnusableError) as refusal:
        SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    assert str(refusal.value) == (
        f"{tmp_path}/chat.db cannot be written (Permission denied);"
        " give it to this user, or give another --store"
    )


# When it is damaged


@pytest.mark.parametrize("what", ["header", "rooms", "no database", "short"])
def test_damage_that_shows_at_the_start_is_told_with_what_to_do(what: str, tmp_path: Path) -> None:
    path = filled(tmp_path, "red")
    match what:
        case "header":
            spoil(path, 1)
        case "rooms":
            with sqlite3.connect(path) as db:
                (page,) = db.execute("SELECT rootpage FROM sqlite_schema").fetchone()
            db.close()
            spoil(path, page)
        case "no database":
            path.write_text("a letter to my aunt\n" * 300)
        case "short":
            os.truncate(path, 5000)
    for command in (["serve", *HERE[:2]], ["export", "--all"], ["backup", "copy.db"]):
        line = told(*command, *HERE[2:], cwd=tmp_path)
        assert line.startswith("chat.db is damaged ("), command
        assert line.endswith(
            "; take your last backup, or recover what can be read as docs/storage.md says"
        )
    assert not (tmp_path / "copy.db").exists()


def test_damage_that_shows_later_is_told_to_those_whom_it_concerns(tmp_path: Path) -> None:
    path = filled(tmp_path, "blue", "red")
    shared = set(leaves(path, "blue"))
    spoil(path, *(page for page in leaves(path, "red") if page not in shared))
    with serving(*HERE, cwd=tmp_path) as server:
        with websocket(f"ws://{server.host}:{server.port}/ws") as client:
            for _ in range(3):
                client.send('{"type":"join","room":"red","username":"ann","id":"1"}')
                error = json.loads(client.recv(timeout=10))
                assert (error["type"], error["code"]) == ("error", "storage_unavailable")
                assert "chat.db" not in error["message"]
            client.send('{"type":"join","room":"blue","username":"ann"}')
            welcome = json.loads(client.recv(timeout=10))
            assert welcome["type"] == "welcome", welcome
            assert len(welcome["history"]) == 50
            client.send('{"type":"chat","text":"still here","id":"2"}')
            while (frame := json.loads(client.recv(timeout=10))).get("id") != "2":
                pass
            assert frame["seq"] == 401
        assert server.process.poll() is None
    log = (tmp_path / "server.log").read_text()
    assert "Traceback" not in log
    assert log.count("store cannot read") == 1
    assert "the file is damaged (database disk image is malformed), see docs/storage.md" in log


def test_a_backup_of_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path, "red")
    spoil(path, leaves(path, "red")[3])
    line = told("backup", "copy.db", *HERE[2:], cwd=tmp_path)
    assert line.startswith("chat.db is damaged (")
    assert not [one.name for one in tmp_path.iterdir() if "copy" in one.name]


# When others read it


def test_a_long_export_makes_nobody_wait_and_deleted_words_go_after_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    keep(store, say("a secret word"))
    reader = connect_reader(tmp_path / "chat.db")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM log").fetchall()
    keep(store, edit(1, ""), ts=2)
    wal = tmp_path / "chat.db-wal"
    began = time.monotonic()
    store.tidy(100.0)
    assert time.monotonic() - began < 2, "SQLite would wait for five seconds"
    assert b"a secret word" in wal.read_bytes(), "the export may read it until it ends"
    reader.close()
    store.tidy(104.0)
    store.tidy(105.0)
    assert wal.read_bytes() == b""
    assert b"a secret word" not in (tmp_path / "chat.db").read_bytes()
    store.close()
