"""A damaged file gives what is still in it, and says what it lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hubbub.protocol.markers import Mark
from hubbub.settings import Settings
from hubbub.store.database import UnusableError, connect_reader
from hubbub.store.exporting import HoleError, Snapshot, Sound
from hubbub.store.salvage import Damaged, gathered
from hubbub.store.sqlite import SqliteStore
from tests.store.kinds import ANN, BOB, delete, edit, keep, new_epoch, say, stored
from tests.store.test_archive import exported, imported
from tests.store.test_database import filled, leaves, spoil

EVENTS = 400


def mended(path: Path) -> tuple[bytes, Damaged]:
    with closing(gathered(path, lambda *_: None)) as db:
        source = Damaged(db, new_epoch)
        return b"".join(Snapshot(db, None, source).chunks(lambda _: None)), source


def rooms_of(text: bytes) -> dict[str, list[dict[str, Any]]]:
    """The lines of each room; the first is the room's own."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    name = ""
    for line in map(json.loads, text.splitlines()[1:]):
        name = line.get("room", name)
        rooms.setdefault(name, []).append(line)
    return rooms


def without_epochs(text: bytes) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        line.pop("epoch", None)
    return lines


def root(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        wanted = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        return int(db.execute(wanted, (table,)).fetchone()[0])


def run(path: Path, statement: str) -> None:
    """Change rows behind Hubbub's back."""
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(statement).rowcount > 0


def leaf_frame(head: bytes, page: int = 5) -> bytes:
    """A frame of the write-ahead log, not the last one of its transaction; `head` is another's."""
    return page.to_bytes(4) + bytes(4) + head[8:] + b"\xa5" * 4096


def test_all_of_a_sound_file_is_found(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chat.db", Settings(keep_events=900), new_epoch)
    dice = random.Random(1)
    for number in range(700):
        # Some are short, and some run over into one page, or into several.
        words = "é👍x\0" * dice.choice([1, 30, 250, 900, 3000])
        draft = say(words, f"i{number}" if number % 3 else None)
        keep(store, draft, say("b", log=f"room {number}"))
    keep(store, edit(650, "other", "e1"), delete(651, "d1"), say("by bob", "i1", BOB))
    keep(store, *(say("more") for _ in range(300)))
    store.mark([Mark("red", ANN, 700, "ann"), Mark("red", BOB, 3, "bob")])
    while store.tidy(1.0):
        pass
    store.close()
    text, source = mended(tmp_path / "chat.db")
    assert without_epochs(text) == without_epochs(exported(tmp_path / "chat.db"))
    assert (source.lost, source.torn) == (0, [])
    assert imported(tmp_path / "new.db", text).rooms == 701


def test_what_was_committed_beside_the_file_is_found_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    keep(store, *(say(f"one {number}") for number in range(100)))
    store.tidy(1.0)
    keep(store, *(say(f"two {number}") for number in range(100)), edit(1, "three"))
    (tmp_path / "crashed").mkdir()
    for name in ("chat.db", "chat.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / "crashed" / name)
    store.close()
    with (tmp_path / "crashed" / "chat.db-wal").open("r+b") as wal:
        head = wal.read(32 + 24)[32:]
        wal.seek(0, os.SEEK_END)
        # What was being written: a page of a transaction that did not end, and half of another.
        wal.write(leaf_frame(head) + b"\xa5" * 3000)
    text, _ = mended(tmp_path / "crashed" / "chat.db")
    assert without_epochs(text) == without_epochs(exported(tmp_path / "chat.db"))


@pytest.mark.parametrize("which", ["first", "middle", "last", "many", "inner"])
def test_a_damaged_page_costs_its_own_messages_alone(which: str, tmp_path: Path) -> None:
    path = filled(tmp_path, "blue", "red", events=EVENTS)
    whole = rooms_of(exported(path))
    shared = set(leaves(path, "blue"))
    edge = [page for page in leaves(path, "red") if page not in shared]
    spoil(
        path,
        *{
            "first": edge[:1],
            "middle": edge[3:4],
            "last": edge[-1:],
            "many": edge[::3],
            "inner": [root(path, "event")],
        }[which],
    )
    with closing(connect_reader(path)) as db, pytest.raises(sqlite3.DatabaseError):
        list(Snapshot(db, "red", Sound(db)).chunks(lambda _: None))
    text, source = mended(path)
    assert imported(tmp_path / "new.db", text).rooms == 2
    kept = rooms_of(exported(tmp_path / "new.db"))
    if which != "inner":  # that one has messages of both
        assert kept["blue"][1:] == whole["blue"][1:], "the other room is as it was"
    red = [line["event"] for line in kept["red"][1:]]
    assert [event["seq"] for event in red] == list(range(1, len(red) + 1))
    gone = [event for event in red if event.get("deleted")]
    assert all(
        event == whole["red"][event["seq"]]["event"] for event in red if not event.get("deleted")
    )
    assert all(event["text"] == "" for event in gone)
    if which == "last":
        assert EVENTS - 30 < len(red) < EVENTS
    else:
        assert len(red) == EVENTS
        assert len(gone) <= EVENTS / 2
    if which != "inner":
        assert len(gone) == source.lost
    # Clients start anew: their numbers may be those of other messages now.
    assert kept["red"][0]["epoch"] != whole["red"][0]["epoch"]
    store = SqliteStore(tmp_path / "new.db", Settings(), new_epoch)
    assert keep(store, say("on we go")) == [len(red) + 1]
    store.close()


@pytest.mark.parametrize("which", ["header", "log", "sent"])
def test_messages_are_found_without_the_rest(which: str, tmp_path: Path) -> None:
    path = filled(tmp_path, "blue", "red", events=EVENTS)
    whole = exported(path)
    spoil(path, 1 if which == "header" else root(path, which))
    text, source = mended(path)
    assert without_epochs(text) == without_epochs(whole)
    assert source.lost == 0
    imported(tmp_path / "new.db", text)


def test_a_file_that_was_cut_short_gives_what_is_in_it(tmp_path: Path) -> None:
    path = filled(tmp_path, "red", events=EVENTS)
    os.truncate(path, path.stat().st_size // 2 + 100)
    text, _ = mended(path)
    work = imported(tmp_path / "new.db", text)
    assert work.events > EVENTS / 4


def test_any_damage_is_borne(tmp_path: Path) -> None:
    sound = filled(tmp_path, "blue", "red", events=EVENTS)
    size = sound.stat().st_size
    for seed in range(40):
        dice = random.Random(seed)
        path = tmp_path / "bad.db"
        shutil.copy(sound, path)
        with path.open("r+b") as file:
            for _ in range(dice.choice([1, 20, 200])):
                file.seek(dice.randrange(100, size))
                file.write(dice.randbytes(dice.choice([1, 4, 300])))
        text, _ = mended(path)
        imported(tmp_path / f"{seed}.db", text)


def test_a_hole_between_the_messages_is_told_and_filled(tmp_path: Path) -> None:
    path = filled(tmp_path, "red", events=9)
    run(path, "DELETE FROM event WHERE seq IN (4, 5)")
    with pytest.raises(HoleError, match="the room 'red' has no event 4"):
        exported(path)
    text, source = mended(path)
    assert (source.lost, source.torn) == (2, ["red"])
    red = rooms_of(text)["red"][1:]
    assert [line["event"].get("deleted", False) for line in red] == (
        [False] * 3 + [True] * 2 + [False] * 4
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "payload = 'no json'",
        "payload = replace(payload, 'red', 'sea')",
        "payload = replace(payload, '\"seq\":4', '\"seq\":5')",
        "payload = replace(payload, '\"ts\":1', '\"ts\":0')",
        "payload = replace(payload, '\"ts\":1', '\"ts\":-1')",
        "author = x''",
    ],
)
def test_what_is_not_the_event_that_it_should_be_is_passed_over(wrong: str, tmp_path: Path) -> None:
    path = filled(tmp_path, "red", events=9)
    run(path, f"UPDATE event SET {wrong} WHERE seq = 4")
    text, source = mended(path)
    assert (source.lost, source.torn) == (1, ["red"])
    assert imported(tmp_path / "new.db", text).events == 9


def test_ids_that_are_lost_are_taken_from_the_messages(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    again = [say(f"words {number}", f"id-{number:020}") for number in range(EVENTS)]
    keep(store, *again, say("the last words", "last"))
    store.close()
    path = tmp_path / "chat.db"
    spoil(path, root(path, "sent"))
    run(path, f"DELETE FROM event WHERE seq = {EVENTS + 1}")
    text, _ = mended(path)
    imported(tmp_path / "new.db", text)
    store = SqliteStore(tmp_path / "new.db", Settings(), new_epoch)
    outcomes = [stored(outcome) for outcome in store.append(again, 9)]
    assert [outcome.seq for outcome in outcomes] == list(range(1, EVENTS + 1))
    assert not any(outcome.fresh for outcome in outcomes)
    assert keep(store, say("the last words", "last")) == [EVENTS + 1]
    store.close()


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE sent SET id = 'é' WHERE seq = 4",
        "UPDATE sent SET author = x'' WHERE seq = 4",
        "UPDATE sent SET digest = x'00' WHERE seq = 4",
        "UPDATE sent SET ts = -1 WHERE seq = 4",
        "UPDATE sent SET id = 'other' WHERE seq = 4",
        "UPDATE sent SET seq = 9 WHERE seq = 4",
        "UPDATE sent SET digest = x'0011223344556677' WHERE seq = 10",
        "UPDATE event SET payload = replace(payload, 'i3', 'i7') WHERE seq = 4",
        "INSERT INTO sent VALUES (1, x'00', 'i', 4, 1, NULL)",
    ],
)
def test_an_id_that_cannot_be_one_is_in_nobodys_way(wrong: str, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    keep(store, *(say("a", f"i{number}") for number in range(9)), edit(1, "b", "e1"))
    store.close()
    run(tmp_path / "chat.db", wrong)
    text, source = mended(tmp_path / "chat.db")
    assert imported(tmp_path / "new.db", text).events == 10
    assert source.lost == 0


def test_a_room_is_not_named_by_an_event_that_is_not_where_it_should_be(tmp_path: Path) -> None:
    path = filled(tmp_path, "red", events=9)
    run(path, "UPDATE event SET seq = -5 WHERE seq = 1")
    run(path, "DELETE FROM log")
    text, _ = mended(path)
    assert imported(tmp_path / "new.db", text).events == 8


def test_a_file_that_is_not_ours_is_not_read(tmp_path: Path) -> None:
    run_in = tmp_path / "other.db"
    with closing(sqlite3.connect(run_in)) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(UnusableError, match="a database of another program"):
        mended(run_in)
    path = filled(tmp_path, "red")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UnusableError, match="a newer Hubbub"):
        mended(path)
    with pytest.raises(UnusableError, match="there is no file"):
        mended(tmp_path / "none.db")
