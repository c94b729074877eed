"""How far users have read, kept by each store."""

from collections.abc import Callable
from pathlib import Path

from hubbub.protocol.draft import Draft
from hubbub.protocol.markers import Mark, Unread
from hubbub.store.base import Store
from hubbub.store.redis import RedisStore
from tests.redis import RedisServer
from tests.store.kinds import ANN, BOB, delete, edit, in_redis, keep, say, sqlite
from tests.store.test_stores import new, store

__all__ = ["new", "store"]


def read(seq: int, user: bytes = ANN, log: str = "red") -> Mark:
    return Mark(log, user, seq, "ann" if user == ANN else "bob")


def unread(store: Store, user: bytes = ANN, log: str = "red", most: int = 100) -> Unread | None:
    (found,) = store.unread(user, [log], most)
    return found


def count(store: Store, user: bytes = ANN, log: str = "red") -> tuple[int, int]:
    found = unread(store, user, log)
    assert found is not None
    return found.read, found.count


def test_a_marker_goes_forward_only_and_not_past_the_log(store: Store) -> None:
    keep(store, *(say(f"{one}") for one in range(5)), say("x", log="blue"))
    assert store.mark([read(2), read(6), read(1, BOB), read(1, log="green")]) == [2, None, 1, None]
    assert store.mark([read(1), read(4), read(3)]) == [2, 4, 4]
    assert store.unread(BOB, ["red", "blue", "green"], 100) == [Unread(1, 4, []), None, None]
    assert unread(store, ANN, "blue") is None


def test_the_logs_that_one_has_read_are_known(store: Store) -> None:
    keep(store, say("a"), say("b", log="blue"), say("c", log="green"))
    assert store.read_by(ANN) == []
    store.mark([read(1), read(1, log="blue"), read(1, BOB, "green"), read(9, log="green")])
    store.mark([read(1)])
    assert sorted(store.read_by(ANN)) == ["blue", "red"]
    assert store.read_by(BOB) == ["green"]


def test_what_is_not_read_is_what_others_said_and_did_not_take_back(store: Store) -> None:
    keep(store, say("a"), say("b", author=BOB), say("mine"))
    store.mark([read(1)])
    assert count(store) == (1, 1)
    keep(store, edit(2, "bee", author=BOB), say("c", author=BOB), say("d", author=BOB))
    assert count(store) == (1, 3)
    keep(store, delete(5, author=BOB))
    assert count(store) == (1, 2)
    store.mark([read(7)])
    assert count(store) == (7, 0)


def test_of_many_it_is_the_newest_and_whom_they_mention(store: Store) -> None:
    drafts = [
        Draft("red", BOB, "bob", f"{one}", None, 0, mentions=["ann"] if one in {3, 8} else None)
        for one in range(10)
    ]
    keep(store, *drafts)
    store.mark([read(1)])
    found = unread(store)
    assert found is not None
    assert (found.count, len(found.calling)) == (9, 2)
    few = unread(store, most=4)
    assert few is not None
    assert (few.count, len(few.calling)) == (4, 1)
    assert b'"mentions":["ann"]' in few.calling[0]


def test_words_that_look_like_a_mention_are_none(store: Store) -> None:
    keep(store, say("old"), say('"mentions":["ann"] ,"deleted":true', author=BOB))
    store.mark([read(1)])
    assert unread(store) == Unread(1, 1, [])


def test_markers_are_kept_over_a_restart(redis: RedisServer, tmp_path: Path) -> None:
    for kind in (sqlite, in_redis(redis)):
        first = kind(tmp_path)
        keep(first, say("a"), say("b", author=BOB))
        first.mark([read(1)])
        first.close()
        again = kind(tmp_path)
        assert unread(again) == Unread(1, 1, [])
        again.close()


def test_events_that_are_gone_are_not_counted(new: Callable[..., Store]) -> None:
    store = new(keep_events=3, tail_events=3)
    keep(store, *(say(f"{one}", author=BOB) for one in range(9)))
    store.mark([read(1)])
    store.tidy(0)
    while store.tidy(100):
        pass
    found = unread(store)
    assert found is not None
    assert found.read == 1
    assert found.count >= 3


def test_what_comes_in_the_place_of_what_a_crash_took_was_not_read(tmp_path: Path) -> None:
    store = sqlite(tmp_path)
    keep(store, *(say(f"{one}", author=BOB) for one in range(5)))
    store.mark([read(5)])
    store._db.execute("DELETE FROM event WHERE seq > 3")
    store._begin_anew()
    assert count(store) == (3, 0)
    store.close()


def test_a_marker_of_another_epoch_counts_for_nothing(redis: RedisServer, tmp_path: Path) -> None:
    store = in_redis(redis)(tmp_path)
    keep(store, say("a", author=BOB), say("b", author=BOB))
    store.mark([read(1)])
    redis.client.hset("hubbub:{red}:head", "epoch", "another")
    assert unread(store) is None
    assert store.mark([read(2)]) == [2]
    assert count(store) == (2, 0)
    store.close()


def test_a_long_log_is_counted_a_piece_at_a_time(redis: RedisServer, tmp_path: Path) -> None:
    store: RedisStore = in_redis(redis)(tmp_path)
    keep(store, say("a"), *(say(f"{one}", author=BOB) for one in range(30)))
    store.mark([read(1)])
    keep(store, *(say("mine") for _ in range(2500)))
    keep(store, *(say(f"{one}", author=BOB) for one in range(5)))
    assert count(store) == (1, 35)
    found = unread(store, most=20)
    assert found is not None
    assert found.count == 20
    store.close()
