"""`hubbub export`, `import` and `backup` as a person runs them, beside a server or without one."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from hubbub.settings import Settings
from hubbub.store.backup import back_up
from hubbub.store.sqlite import SqliteStore
from tests.command import COMMAND, Server, environment, hubbub, serving, told
from tests.store.kinds import delete, edit, keep, new_epoch, say

STORE = ("--store", "sqlite:chat.db")
ADDR = ("--addr", "127.0.0.1:0", "--rate", "0")


def filled(folder: Path, events: int = 5, name: str = "chat.db") -> None:
    """A store with two rooms, as a server leaves it."""
    store = SqliteStore(folder / name, Settings(), new_epoch)
    for start in range(0, events, 500):
        numbers = range(start, min(events, start + 500))
        keep(store, *(say(f"words {number}", f"i{number}") for number in numbers), ts=7)
    keep(store, edit(1, "other words", "e1"), delete(2), say("at sea", log="sea"), ts=8)
    store.close()


def done(*arguments: str, cwd: Path) -> str:
    """What the command wrote; it ended well, and had nothing to say of it."""
    ended = hubbub(*arguments, cwd=cwd)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


@contextmanager
def talking(server: Server, room: str) -> Iterator[ClientConnection]:
    with connect(f"ws://{server.host}:{server.port}/ws") as client:
        client.send(json.dumps({"type": "join", "room": room, "username": "ann"}))
        assert json.loads(client.recv(timeout=10))["type"] == "welcome"
        yield client


def say_and_wait(client: ClientConnection, text: str, id: str) -> dict[str, Any]:
    client.send(json.dumps({"type": "chat", "text": text, "id": id}))
    while (frame := json.loads(client.recv(timeout=10))).get("id") != id:
        pass
    return dict(frame)


# Settings


def test_the_store_is_found_as_the_server_finds_it(tmp_path: Path) -> None:
    filled(tmp_path)
    text = done("export", "--all", *STORE, cwd=tmp_path)
    ended = hubbub("export", "--all", cwd=tmp_path, env={"HUBBUB_STORE": "sqlite:chat.db"})
    assert ended.stdout == text
    # What else the file sets is for the server, and what is typed for one run has no variable.
    (tmp_path / "hubbub.toml").write_text('history = 9\nstore = "sqlite:chat.db"\n')
    variables = {"HUBBUB_STORE": "", "HUBBUB_OUTPUT": "x", "HUBBUB_ROOM": "x", "HUBBUB_HISTORY": ""}
    ended = hubbub("export", "--all", cwd=tmp_path, env=variables)
    assert (ended.stdout, ended.stderr) == (text, "")
    assert not (tmp_path / "x").exists()
    (tmp_path / "hubbub.toml").write_text('histroy = 9\nstore = "sqlite:chat.db"\n')
    line = told("export", "--all", cwd=tmp_path, env=variables)
    assert line == "hubbub.toml has 'histroy', which is no setting; did you mean history?"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("export", "export needs to know what; name one room, or give --all"),
        ("export sea --all", "export needs to know what; name one room, or give --all"),
        ("export none", "there is no room 'none' in chat.db; write its name as it is in the chat"),
        ("export sea land", "'land' is more than hubbub export takes; see"),
        ("export --all --store mysql:", "--store is 'mysql:', which is no kind of store"),
        ("export --all --store memory:", "what is in memory: is in no file; give --store"),
        ("export --all --store sqlite:x.db", "there is no file x.db; give the --store of"),
        ("export --all --output .", ". is a directory; name a file in it"),
        ("export --all --output a/b", "there is no directory a; make it, or name another"),
        ("export --all --output there", "there is there already; name another file, or"),
        ("export --all --output chat.db --force", "chat.db is the store itself; name another"),
        ("backup", "hubbub backup needs a FILE; see hubbub backup --help"),
        ("backup there", "there is there already; name another file, or write over it: --force"),
        ("backup .", ". is a directory; name a file in it"),
        ("backup a/b", "there is no directory a; make it, or name another"),
        ("backup ./chat.db-wal --force", "chat.db-wal is the store itself; name another file"),
        ("backup link --force", "link is the store itself; name another file"),
        ("backup copy.db --store sqlite:x.db", "there is no file x.db; give the --store of"),
        ("import none", "none cannot be read (No such file or directory); name another"),
        ("import .", ". cannot be read (Is a directory); name another"),
        ("import there --store sqlite:x.db", "there: line 1 is not JSON (JSON is malformed"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_changed(
    arguments: str, expected: str, tmp_path: Path
) -> None:
    filled(tmp_path)
    (tmp_path / "there").write_text("mine")
    os.link(tmp_path / "chat.db", tmp_path / "link")
    before = (tmp_path / "chat.db").read_bytes()
    typed = arguments.split()
    line = told(*typed, *(() if "--store" in typed else STORE), cwd=tmp_path)
    assert line.startswith(expected)
    assert (tmp_path / "there").read_text() == "mine"
    assert (tmp_path / "chat.db").read_bytes() == before
    names = {path.name.removeprefix("chat.db") for path in tmp_path.iterdir()}
    assert names - {"", ".lock", "-wal", "-shm"} <= {"there", "link", "x.db.lock"}


# Export and import


def test_what_was_exported_and_imported_is_exported_the_same(tmp_path: Path) -> None:
    filled(tmp_path)
    done("export", "--all", "--output", "all.jsonl", *STORE, cwd=tmp_path)
    text = (tmp_path / "all.jsonl").read_text()
    assert stat.S_IMODE((tmp_path / "all.jsonl").stat().st_mode) == 0o600
    assert text == done("export", "--all", *STORE, cwd=tmp_path)
    said = done("import", "all.jsonl", "--store", "sqlite:new.db", cwd=tmp_path)
    assert said == "8 events of 2 rooms are now in new.db\n"
    assert done("export", "--all", "--store", "sqlite:new.db", cwd=tmp_path) == text
    one = hubbub("export", " sea ", *STORE, cwd=tmp_path).stdout
    assert [json.loads(line)["type"] for line in one.splitlines()] == ["export", "room", "event"]


def test_an_export_goes_through_a_pipe_into_an_import(tmp_path: Path) -> None:
    filled(tmp_path)
    pipe = f"'{COMMAND}' export --all {' '.join(STORE)} | '{COMMAND}' import --store sqlite:new.db"
    subprocess.run(["sh", "-c", pipe], cwd=tmp_path, env=environment(), check=True, timeout=30)
    assert done("export", "--all", "--store", "sqlite:new.db", cwd=tmp_path) == (
        done("export", "--all", *STORE, cwd=tmp_path)
    )


def test_a_room_is_exported_and_backed_up_beside_the_server_that_serves_it(
    tmp_path: Path,
) -> None:
    with serving(*ADDR, *STORE, cwd=tmp_path) as server, talking(server, "sea") as ann:
        for number in range(3):
            say_and_wait(ann, f"words {number}", f"i{number}")
        lines = done("export", "sea", *STORE, cwd=tmp_path).splitlines()
        assert [json.loads(line)["event"]["text"] for line in lines[2:]] == [
            "words 0",
            "words 1",
            "words 2",
        ]
        said = done("backup", "copy.db", *STORE, cwd=tmp_path)
        assert said.startswith("copy.db is a copy of chat.db, ")
        assert say_and_wait(ann, "later", "i4")["seq"] == 4
        for alone in (["import", os.devnull], ["export", "--all", "--mend"]):
            line = told(*alone, *STORE, cwd=tmp_path)
            who = f"process {server.process.pid}"
            assert line.startswith(f"chat.db is in use by another Hubbub ({who})")
    # Nothing but the one file, which only its owner can read, and which can be served.
    assert sorted(path.name for path in tmp_path.glob("*copy*")) == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with (
        serving(*ADDR, "--store", "sqlite:copy.db", cwd=tmp_path) as server,
        talking(server, "sea") as ann,
    ):
        assert say_and_wait(ann, "other", "i5")["seq"] == 4


def test_a_backup_under_load_ends_and_is_whole(tmp_path: Path) -> None:
    filled(tmp_path, 20_000)
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    before = store.open("red", 0).seq
    with subprocess.Popen(
        [COMMAND, "backup", "copy.db", *STORE], cwd=tmp_path, env=environment()
    ) as process:
        written = 0
        while process.poll() is None:
            keep(store, say(f"meanwhile {written}"))
            written += 1
            if store.is_untidy:
                store.tidy(0.0)
    assert process.returncode == 0
    assert written
    store.close()
    copy = SqliteStore(tmp_path / "copy.db", Settings(), new_epoch)
    assert before <= copy.open("red", 0).seq <= before + written
    copy.close()


def test_a_backup_is_one_moment_and_does_not_begin_anew(tmp_path: Path) -> None:
    filled(tmp_path, 20_000)
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    before = store.open("red", 0).seq
    seen: list[int] = []

    def meanwhile(copied: int, _: int) -> None:
        seen.append(copied)
        keep(store, say("meanwhile"))

    back_up(tmp_path / "chat.db", tmp_path / "copy.db", meanwhile)
    store.close()
    assert len(seen) > 1
    assert seen == sorted(seen)
    copy = SqliteStore(tmp_path / "copy.db", Settings(), new_epoch)
    assert copy.open("red", 0).seq == before
    copy.close()


def test_a_copy_that_is_there_is_written_over_when_that_is_asked_for(tmp_path: Path) -> None:
    filled(tmp_path)
    for arguments in (["backup", "copy"], ["export", "--all", "--output", "copy"]):
        (tmp_path / "copy").write_text("old")
        done(*arguments, "--force", *STORE, cwd=tmp_path)
        assert (tmp_path / "copy").read_bytes() != b"old"


def test_an_export_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    filled(tmp_path, 2000)
    ended = subprocess.run(
        ["sh", "-c", f"'{COMMAND}' export --all {' '.join(STORE)} >/dev/full"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "hubbub: standard output cannot be written (No space left on device);"
        " what is there is not whole\n"
    )


def test_an_export_can_be_cut_short_by_its_reader(tmp_path: Path) -> None:
    filled(tmp_path, 2000)
    ended = subprocess.run(
        ["sh", "-c", f"'{COMMAND}' export --all {' '.join(STORE)} | head -1"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == '{"type":"export","version":1,"rooms":2}\n'
    assert ended.stderr == ""


def test_a_failed_import_changes_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    text = done("export", "--all", *STORE, cwd=tmp_path)
    lines = text.splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_text("".join(lines[:-1]))
    line = told("import", "cut.jsonl", "--store", "sqlite:new.db", cwd=tmp_path)
    assert line == (
        f"cut.jsonl: line {len(lines)} is missing: the event 1 of 'sea' comes next;"
        " nothing was imported; mend it, or export again"
    )
    assert not (tmp_path / "new.db").exists()
    (tmp_path / "all.jsonl").write_text(text)
    line = told("import", "all.jsonl", *STORE, cwd=tmp_path)
    assert line.startswith("all.jsonl: the store has a room 'red' already, with 7 events; import")
    assert done("export", "--all", *STORE, cwd=tmp_path) == text


# How it is for who waits


def most_memory(*arguments: str, cwd: Path) -> int:
    """Bytes of memory that the command had at most."""
    with subprocess.Popen(
        [COMMAND, *arguments], cwd=cwd, env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss * 1024


def test_memory_does_not_grow_with_what_is_kept(tmp_path: Path) -> None:
    few: list[int] = []
    many: list[int] = []
    for events, most in ((1_000, few), (60_000, many)):
        place = tmp_path / str(events)
        place.mkdir()
        filled(place, events)
        most.append(most_memory("export", "--all", "--output", "a.jsonl", *STORE, cwd=place))
        most.append(most_memory("import", "a.jsonl", "--store", "sqlite:new.db", cwd=place))
        most.append(most_memory("backup", "copy.db", *STORE, cwd=place))
    for one, other in zip(few, many, strict=True):
        # SQLite's cache is 8 MB at most, and what is read fills it.
        assert other - one < 10 << 20


@pytest.mark.parametrize("command", ["export --all", "import all.jsonl", "backup copy.db"])
def test_a_bar_is_on_the_terminal_and_nowhere_else(command: str, tmp_path: Path) -> None:
    filled(tmp_path)
    text = done("export", "--all", *STORE, cwd=tmp_path)
    (tmp_path / "all.jsonl").write_text(text)
    store = ("--store", "sqlite:new.db") if command.startswith("import") else STORE
    here, there = pty.openpty()
    ended = subprocess.run(
        [COMMAND, *command.split(), *store],
        cwd=tmp_path,
        env=environment(TERM="xterm", COLUMNS="80"),
        stdout=subprocess.PIPE,
        stderr=there,
        check=False,
        timeout=30,
    )
    os.close(there)
    shown = os.read(here, 100_000).decode()
    os.close(here)
    assert ended.returncode == 0
    assert {"e": "Exporting", "i": "Importing", "b": "Copying"}[command[0]] in shown
    assert "100%" in shown
    if command.startswith("export"):
        assert ended.stdout.decode() == text


def test_a_backup_is_not_in_the_mode_that_makes_more_files(tmp_path: Path) -> None:
    filled(tmp_path)
    done("backup", "copy.db", *STORE, cwd=tmp_path)
    db = sqlite3.connect(f"file:{tmp_path}/copy.db?mode=ro", uri=True)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    db.close()
