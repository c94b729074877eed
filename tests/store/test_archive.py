"""What is exported can be imported, as it was; what is not an export is refused by its line."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from hubbub.protocol.audit import AUDIT, USERS, Audit, Known
from hubbub.protocol.draft import Draft
from hubbub.protocol.markers import Mark
from hubbub.protocol.outgoing import Moderated
from hubbub.settings import Settings
from hubbub.store.database import connect, connect_reader
from hubbub.store.exporting import Snapshot, Sound
from hubbub.store.importing import Import, RefusedError
from hubbub.store.sqlite import SqliteStore
from tests.store.kinds import ANN, BOB, delete, edit, keep, new_epoch, refused, say, stored

ROOMS = ["red", "blue", 'q"\\uote', "écurie \u200d👍", "\x7f", "z\u2028"]
WORDS = st.text(min_size=1, max_size=20) | st.sampled_from(
    ["\0", "\u2028\u2029", "</script>", "👩‍👩‍👧"]
)
DRAFTS = st.builds(
    Draft,
    st.sampled_from(ROOMS),
    st.sampled_from([ANN, BOB, b"\xff\x00"]),
    WORDS,
    WORDS,
    st.none() | st.sampled_from(["i1", "i2", "~ !", "x" * 64]),
    st.just(0),
)
RECORDS = st.builds(
    lambda action, number, author: Draft(
        AUDIT,
        author,
        "mod",
        f"{action} {number}",
        number,
        0,
        event=Audit(0, 0, action, "red", "mod"),
    ),
    st.sampled_from(["mute", "ban", "slow"]),
    st.none() | st.sampled_from(["r1", "r2"]),
    st.sampled_from([ANN, BOB]),
)
ACTS = st.builds(
    lambda action: Draft(
        "red", ANN, "mod", "", None, 0, event=Moderated("red", 0, action, "mod", 0)
    ),
    st.sampled_from(["mute", "ban", "slow"]),
)
USERS_COME = st.builds(
    lambda name: Draft(USERS, ANN, "", name, None, 0, event=Known(0, 0, name)), WORDS
)
CHANGES = st.builds(
    Draft,
    st.sampled_from(ROOMS[:2]),
    st.sampled_from([ANN, BOB]),
    WORDS,
    WORDS | st.just(""),
    st.none() | st.sampled_from(["i1", "i2", "e1", "e2"]),
    st.integers(1, 9),
)


def exported(path: Path, room: str | None = None) -> bytes:
    db = connect_reader(path)
    try:
        return b"".join(Snapshot(db, room, Sound(db)).chunks(lambda _: None))
    finally:
        db.close()


def imported(path: Path, text: bytes) -> Import:
    db = connect(path, "normal")
    try:
        work = Import(db)
        work.run(text.splitlines(keepends=True), lambda _: None)
        return work
    finally:
        db.close()


def opened(path: Path, **settings: Any) -> SqliteStore:
    return SqliteStore(path, Settings(**settings), new_epoch)


MARKS = st.builds(
    Mark, st.sampled_from(ROOMS), st.sampled_from([ANN, BOB]), st.integers(1, 9), st.just("")
)
EVERYTHING = DRAFTS | CHANGES | RECORDS | ACTS | USERS_COME


@given(
    st.lists(st.lists(EVERYTHING, max_size=8), max_size=6),
    st.integers(0, 4),
    st.lists(MARKS, max_size=4),
)
@profile(max_examples=150)
def test_any_history_is_the_same_after_export_and_import(
    batches: list[list[Draft]], keep_events: int, marks: list[Mark]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first.db"), Path(folder, "second.db")
        store = opened(first, keep_events=keep_events)
        for ts, batch in enumerate(batches):
            store.append(batch, ts)
        store.mark(marks)
        while store.tidy(100.0):  # ids outlive what retention takes away
            pass
        store.close()
        text = exported(first)
        work = imported(second, text)
        assert exported(second) == text
        before, after = opened(first), opened(second)
        try:
            again = [draft for batch in batches for draft in batch]
            assert work.rooms == len({draft.log for draft in again})
            for room in {draft.log for draft in again}:
                assert after.unread(ANN, [room], 9) == before.unread(ANN, [room], 9)
                assert after.open(room, 50) == before.open(room, 50)
                assert after.after(room, 0, 100) == before.after(room, 0, 100)
            # Both go on alike: a resend has the same answer, and what is new the same number.
            assert after.append(again, 50) == before.append(again, 50)
        finally:
            before.close()
            after.close()


def test_a_resend_after_an_import_answers_with_the_first_number(tmp_path: Path) -> None:
    store = opened(tmp_path / "first.db", keep_events=2)
    keep(store, say("old", "i0"), say("first", "i1"), edit(2, "second", "e1"), say("x", "i2"))
    while store.tidy(1.0):
        pass
    assert store.open("red", 0) is not None
    assert store.after("red", 0, 9).first == 3
    epoch = store.open("red", 0).epoch
    store.close()
    imported(tmp_path / "second.db", exported(tmp_path / "first.db"))
    store = opened(tmp_path / "second.db")
    assert store.open("red", 0).epoch == epoch
    outcomes = store.append(
        [say("old", "i0"), say("first", "i1"), edit(2, "second", "e1"), say("y", "i2")], 2
    )
    assert [stored(one).seq for one in outcomes[:3]] == [1, 2, 3]
    assert not any(stored(one).fresh for one in outcomes[:3])
    assert refused(outcomes[3]) == "id_reused"
    assert keep(store, say("new")) == [5]
    store.close()


def test_deleted_words_are_in_no_export(tmp_path: Path) -> None:
    store = opened(tmp_path / "chat.db")
    keep(store, say("secret one", "i1"), edit(1, "secret two", "e1"), delete(1, "d1"), say("b"))
    store.close()
    text = exported(tmp_path / "chat.db")
    assert b"secret" not in text
    lines = [json.loads(one) for one in text.splitlines()]
    assert [one.get("id") for one in lines[2:]] == ["i1", "e1", "d1", None]
    assert all("digest" not in one for one in lines), "nor can they be guessed by their digest"


def test_an_export_is_one_moment_of_a_store_that_goes_on(tmp_path: Path) -> None:
    store = opened(tmp_path / "chat.db")
    keep(store, *(say(str(number), f"i{number}") for number in range(2000)))
    db = connect_reader(tmp_path / "chat.db")
    chunks = Snapshot(db, None, Sound(db)).chunks(lambda _: None)
    keep(store, say("at once", log="green"))
    text = next(chunks) + next(chunks)
    keep(store, delete(1), edit(1500, "later"), say("more"), say("a room more", log="blue"))
    text += b"".join(chunks)
    db.close()
    assert imported(tmp_path / "copy.db", text).events == 2000
    assert b"later" not in text
    store.close()


def test_one_room_can_be_exported_alone(tmp_path: Path) -> None:
    store = opened(tmp_path / "chat.db")
    keep(store, say("a"), say("b", log="blue"))
    store.close()
    work = imported(tmp_path / "copy.db", exported(tmp_path / "chat.db", "blue"))
    assert (work.rooms, work.events) == (1, 1)
    assert exported(tmp_path / "chat.db", "none").count(b"\n") == 1


def test_two_exports_can_be_imported_after_one_another(tmp_path: Path) -> None:
    store = opened(tmp_path / "chat.db")
    keep(store, say("a", "i1"), say("b", "i1", log="blue"))
    store.close()
    for room in ("red", "blue"):
        imported(tmp_path / "copy.db", exported(tmp_path / "chat.db", room))
    assert (
        exported(tmp_path / "copy.db").splitlines()[1:]
        == (exported(tmp_path / "chat.db").splitlines()[1:])
    )


def test_a_room_that_has_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    store = opened(tmp_path / "chat.db")
    keep(store, say("a"), say("b", log="blue"))
    store.close()
    other = opened(tmp_path / "other.db")
    keep(other, say("mine"))
    other.close()
    before = exported(tmp_path / "other.db")
    with pytest.raises(RefusedError, match="'red' already, with 1 events; import into an empty"):
        imported(tmp_path / "other.db", exported(tmp_path / "chat.db"))
    assert exported(tmp_path / "other.db") == before, "nor is the other room there"


def test_a_room_in_which_nothing_was_ever_kept_is_taken_over(tmp_path: Path) -> None:
    store = opened(tmp_path / "chat.db")
    keep(store, say("a"))
    store.close()
    other = opened(tmp_path / "other.db")
    assert refused(other.append([edit(1, "of nothing")], 1)[0]) == "not_found"
    other.close()
    imported(tmp_path / "other.db", exported(tmp_path / "chat.db"))
    assert exported(tmp_path / "other.db") == exported(tmp_path / "chat.db")


@pytest.fixture
def good(tmp_path: Path) -> list[dict[str, Any]]:
    """The lines of a sound export: a chat, its edit, one more chat, and a room more."""
    store = opened(tmp_path / "good.db")
    keep(store, say("a", "i1"), edit(1, "b", "e1"), say("c"), ts=5)
    keep(store, say("d", "i1", log="sea"), ts=6)
    store.close()
    return [json.loads(one) for one in exported(tmp_path / "good.db").splitlines()]


def changed(at: int, **values: Any) -> Callable[[list[Any]], None]:
    """A line with other values; those that begin with `event_` are its event's."""

    def change(lines: list[Any]) -> None:
        for name, value in values.items():
            where = lines[at]["event"] if name.startswith("event_") else lines[at]
            where[name.removeprefix("event_")] = value

    return change


def moved(source: int, target: int) -> Callable[[list[Any]], None]:
    return lambda lines: lines.insert(target, lines.pop(source))


def cut(at: int) -> Callable[[list[Any]], None]:
    def change(lines: list[Any]) -> None:
        del lines[at:]

    return change


# 1 export, 2 room red, 3 chat, 4 edited, 5 chat, 6 room sea, 7 chat
BAD: dict[str, tuple[Callable[[list[Any]], Any], str]] = {
    "nothing": (lambda lines: lines.clear(), "line 1 is missing: there is nothing to import"),
    "no first line": (lambda lines: lines.pop(0), "line 1 is not the first line of an export"),
    "another version": (changed(0, version=2), "line 1 is not the first line of an export"),
    "first line again": (lambda lines: lines.insert(2, lines[0]), "line 3 begins another export"),
    "cut off": (lambda lines: lines.pop(), "line 7 is missing: the event 1 of 'sea' comes next"),
    "cut at a room": (cut(5), "line 6 is missing: 1 of 2"),
    "a line lost": (lambda lines: lines.pop(3), "line 4 has the seq 3, where 2 comes next"),
    "a line twice": (lambda lines: lines.insert(3, lines[2]), "line 4 has the seq 1, where 2"),
    "the last line lost": (lambda lines: lines.pop(4), "line 5 begins a room where the event 3"),
    "too many events": (changed(1, seq=2), "line 5 has the seq 3, where its room ends"),
    "wrong order": (moved(3, 2), "line 3 has the seq 2, where 1 comes next"),
    "no room": (lambda lines: lines.pop(1), "line 2 comes before any room"),
    "a room twice": (changed(5, room="red"), "line 6 begins a room that was there already"),
    "a room too many": (changed(0, rooms=1), "line 6 begins one room more than the 1"),
    "floor above": (changed(1, floor=9), "line 2 has the floor 9 above its seq 3"),
    "unknown field": (changed(2, extra=1), "line 3 is no line of an export (Object contains unkn"),
    "unknown type": (changed(2, type="note"), "line 3 is no line of an export (Invalid value 'no"),
    "wrong type": (changed(1, floor="0"), "line 2 is no line of an export (Expected `int`, got"),
    "negative": (changed(1, ts=-1), "line 2 is no line of an export (Expected `int` >= 0"),
    "too large": (changed(1, seq=2**53), "line 2 is no line of an export (Expected `int` <="),
    "not base64": (changed(2, author="?"), "line 3 is no line of an export (Invalid base64"),
    "no author": (changed(2, author=""), "line 3 is no line of an export (Expected `bytes` of"),
    "bad id": (changed(2, id="é"), "line 3 is no line of an export (Expected `str` matching"),
    "short digest": (changed(2, digest="YQ=="), "line 3 is no line of an export (Expected `byt"),
    "another room": (changed(2, event_room="sea"), "line 3 is of the room 'sea' within 'red'"),
    "time goes back": (changed(4, event_ts=4), "line 5 has the ts 4, before 5 of the event bef"),
    "unknown event": (changed(2, event_type="poll"), "line 3 has no event that Hubbub knows (Inv"),
    "unknown in event": (changed(2, event_mood=1), "line 3 has an event with fields that this Hu"),
    "huge ts": (changed(2, event_ts=2**60), "line 3 has a seq or ts that cannot be"),
    "text no text": (changed(2, event_text=5), "line 3 has no event that Hubbub knows (Expected"),
    "other id": (changed(2, id="i9"), "line 3 has another id than its event"),
    "id lost": (lambda lines: lines[2].pop("id"), "line 3 has another id than its event"),
    "digest alone": (changed(4, digest="YWFhYWFhYWE="), "line 5 has a digest without an id"),
    "digest of a change": (changed(3, digest="YWFhYWFhYWE="), "line 4 has what a change cannot"),
    "change of the future": (changed(3, event_target=2), "line 4 changes the event 2, which is"),
    "deleted words": (changed(2, event_deleted=True), "line 3 has words, and is deleted"),
    "used id twice": (
        lambda lines: lines.insert(
            5,
            {"type": "used", "seq": 1, "ts": 1, "digest": None, "id": "i1"}
            | {"author": lines[2]["author"]},
        ),
        "line 6 has the id 'i1', which its author used before",
    ),
    "read later": (
        lambda lines: lines.insert(5, {"type": "read", "seq": 4, "user": "YQ=="}),
        "line 6 has the seq 4, past the end of its room",
    ),
    "used later": (
        lambda lines: lines.insert(
            2, {"type": "used", "seq": 4, "ts": 1, "digest": None, "id": "u", "author": "YQ=="}
        ),
        "line 3 has the seq 4, past the end of its room",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_line_is_named_and_nothing_is_imported(
    name: str, good: list[Any], tmp_path: Path
) -> None:
    change, told = BAD[name]
    change(good)
    text = b"".join(json.dumps(one).encode() + b"\n" for one in good)
    with pytest.raises(RefusedError) as refusal:
        imported(tmp_path / "copy.db", text)
    assert refusal.value.what.startswith(told)
    assert exported(tmp_path / "copy.db").count(b"\n") == 1


@pytest.mark.parametrize(
    "text", [b"{", b"\n", b"\xff\n", b"[1]\n", b"{} {}\n", b'"\xed\xa0\x80"\n']
)
def test_what_is_no_json_is_told(text: bytes, good: list[Any], tmp_path: Path) -> None:
    for before in (b"", json.dumps(good[0]).encode() + b"\n"):
        with pytest.raises(RefusedError, match=rf"line {before.count(10) + 1} is n"):
            imported(tmp_path / "copy.db", before + text)


def test_an_export_may_pass_through_another_tool(good: list[Any], tmp_path: Path) -> None:
    spaced = [json.dumps(one, ensure_ascii=True, separators=(" ,", " : ")) for one in good]
    imported(tmp_path / "copy.db", "\r\n".join(spaced).encode())
    assert exported(tmp_path / "copy.db") == exported(tmp_path / "good.db")
