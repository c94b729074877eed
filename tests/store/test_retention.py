"""What need not be kept is removed a little at a time, and deleted words are gone from the file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hubbub.protocol.audit import AUDIT, Audit
from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.retention import DAY, STEP
from hubbub.store.sqlite import SCRUB_EVERY, SqliteStore
from tests.server import PATIENCE, house
from tests.store.kinds import ANN, delete, edit, keep, new_epoch, say, stored


def opened(folder: Path, **settings: Any) -> SqliteStore:
    return SqliteStore(folder / "chat.db", Settings(**settings), new_epoch)


def swept(store: SqliteStore, now: float) -> list[int]:
    """Tidy until there is no more to do; gives how many events of `red` each step removed."""
    steps, more = [], True
    while more:
        before = store.after("red", 0, 1).first
        more = store.tidy(now)
        steps.append(store.after("red", 0, 1).first - before)
    return steps


def test_the_newest_events_of_each_room_are_kept_and_the_rest_goes_in_small_steps(
    tmp_path: Path,
) -> None:
    store = opened(tmp_path)
    for begin in range(0, 5000, 500):
        keep(store, *(say(f"{n} " + "x" * 200, f"i{n}") for n in range(begin, begin + 500)))
    keep(store, say("few", log="blue"))
    store.tidy(0.0)  # what is in the write-ahead log goes to its place
    store.close()
    size = (tmp_path / "chat.db").stat().st_size
    store = opened(tmp_path, keep_events=100)
    store.open("red", 0)
    steps = swept(store, 1e9)
    assert max(steps) <= STEP
    assert sum(steps) == 4900
    assert store.first("red") == 4901
    assert len(store.after("red", 0, 1000).events) == 100
    assert len(store.after("blue", 0, 10).events) == 1
    (again,) = store.append([say("7 " + "x" * 200, "i7")], 1)
    assert (stored(again).seq, stored(again).fresh) == (8, False), "an id is known for ever"
    assert keep(store, say("next")) == [5001], "numbers are never used again"
    store.close()
    assert (tmp_path / "chat.db").stat().st_size < size / 2, "the disk has its space back"


def test_events_are_kept_for_so_many_days(tmp_path: Path) -> None:
    store = opened(tmp_path, keep_days=2.0)
    for day in range(10):
        keep(store, say(f"day {day}"), ts=day * DAY)
    swept(store, 9 * DAY / 1000)
    assert [page for page in store.after("red", 0, 100).events if b"day 7" in page]
    assert store.after("red", 0, 100).first == 8
    store.rest("red", 0.0)
    swept(store, 1000 * DAY / 1000)
    assert store.open("red", 5).seq == 10
    assert store.after("red", 0, 100).events == []
    assert keep(store, say("after all that")) == [11]
    store.close()


def test_what_moderators_did_is_kept_for_ever(tmp_path: Path) -> None:
    store = opened(tmp_path, keep_events=1, keep_days=1.0)
    for _ in range(5):
        act = Audit(0, 0, "kick", "red", "ann", "bob")
        store.append([Draft(AUDIT, ANN, "ann", "", None, 0, event=act)], 1)
    keep(store, say("a"), say("b"))
    swept(store, 1e9)
    assert len(store.after(AUDIT, 0, 10).events) == 5
    store.close()


def test_deleted_words_are_gone_from_the_files_soon_and_at_the_stop(tmp_path: Path) -> None:
    def everything() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.iterdir())

    store = opened(tmp_path)
    # Long ones: where SQLite does not overwrite what it frees, their ends stay in its pages.
    keep(store, say("a secret word " * 90, "i1"), edit(1, "another secret word " * 90), say("fine"))
    assert b"secret" in everything()
    keep(store, delete(1), ts=1000)
    store.tidy(1.0 + SCRUB_EVERY)
    assert b"secret" not in everything()
    assert b"fine" in everything()
    keep(store, say("one more secret " * 90, "i2"), delete(5))
    store.close()
    assert b"secret" not in everything()


async def test_who_comes_back_to_what_is_no_longer_kept_is_told_the_gap(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'chat.db'}"
    async with house(store=store) as here, here.client() as ann:
        epoch = (await ann.join("general", "ann"))["epoch"]
        for number in range(1, 21):
            await ann.say("chat", text=str(number), id=f"i{number}")
            await ann.until("chat", id=f"i{number}")
    async with house(store=store, keep_events=5) as here, here.client() as bob:
        await bob.join("general", "bob")
        keeper = here.server.keeper
        async with asyncio.timeout(PATIENCE):
            while keeper.first("general") < 16:
                await bob.nothing_more()
        async with here.client() as ann:
            await ann.say("join", room="general", username="ann", since=3, epoch=epoch)
            welcome = await ann.until("welcome")
            assert welcome["gap"] == {"first": 4, "last": 15}
            heard = [(await ann.until("chat"))["text"] for _ in range(5)]
            assert heard == ["16", "17", "18", "19", "20"]
