"""What the store in Redis promises beyond what all do: to other nodes, and when Redis fails."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store import redis as redis_store
from hubbub.store.base import Refused, Shared, Stored, StoreError
from hubbub.store.events import digest
from hubbub.store.memory import MemoryStore
from hubbub.store.redis import RedisStore
from tests.redis import RedisServer, redis_server
from tests.store.kinds import ANN, BOB, delete, edit, keep, new_epoch, said, say, stored


@pytest.fixture(autouse=True)
def empty(redis: RedisServer) -> None:
    redis.client.flushall()


class Nodes:
    """Stores of several nodes in one Redis."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.made: list[RedisStore] = []

    def __call__(self, **settings: Any) -> RedisStore:
        self.made.append(RedisStore(self.server.url, Settings(**settings), new_epoch))
        return self.made[-1]


@pytest.fixture
def node(redis: RedisServer) -> Iterator[Nodes]:
    nodes = Nodes(redis)
    yield nodes
    for store in nodes.made:
        store.close()


def heard(store: Shared) -> list[tuple[str, int, str]]:
    """The news: log, seq, text."""
    return [
        (one.log, one.first + place, json.loads(event.payload).get("text"))
        for one in said(store)
        for place, event in enumerate(one.events)
    ]


words = st.text(max_size=12) | st.sampled_from(['","ts":0', '"deleted":true', "\\", '"', "}"])
drafts = st.builds(
    Draft,
    st.sampled_from(["red", "b}l{u%e", "é 👍"]),
    st.sampled_from([ANN, BOB]),
    words,
    words,
    st.none() | st.sampled_from(["1", '"', ',"ts":0', "}"]),
    st.integers(0, 8),
    st.none() | words,
    st.booleans(),
    st.booleans(),
)


def named(text: str, target: int = 0) -> Draft:
    return Draft("red", ANN, "ann", text, None, target, 'Ann "Ünal"', True)


@example([[named('","ts":0'), named("a", 1), named("b", 1)], [named("", 1)]])
@given(st.lists(st.lists(drafts, min_size=1, max_size=6), max_size=6))
def test_it_is_byte_for_byte_what_memory_has(
    redis: RedisServer, batches: list[list[Draft]]
) -> None:
    redis.client.flushall()
    store = RedisStore(redis.url, Settings(), new_epoch)
    memory = MemoryStore(Settings(), new_epoch)
    for ts, batch in enumerate(batches):
        for draft in batch:  # a blank chat is never posted: here it has no target
            draft.text = draft.text or ("" if draft.target else "x")
        assert store.append(batch, 5 - ts) == memory.append(batch, 5 - ts)
    for log in {draft.log for batch in batches for draft in batch}:
        one, other = store.open(log, 9), memory.open(log, 9)
        assert (one.seq, one.history) == (other.seq, other.history)
        assert store.after(log, 0, 99) == memory.after(log, 0, 99)
        for seq in range(1, one.seq + 1):
            assert store.author(log, seq) == memory.author(log, seq)
        for author in (ANN, BOB):
            assert store.writings(log, author, 9) == memory.writings(log, author, 9)
    store.close()


def test_what_others_append_comes_as_news_before_ones_own(node: Nodes) -> None:
    ann, bob = node(), node()
    epoch = ann.open("red", 9).epoch
    assert bob.open("red", 9).epoch == epoch, "also of a log in which nothing was said"
    keep(ann, say("a"), say("b"))
    assert heard(ann) == []
    assert keep(bob, say("c", author=BOB)) == [3]
    assert heard(bob) == [("red", 1, "a"), ("red", 2, "b")]
    ann.follow("red", epoch, 3)
    assert heard(ann) == [("red", 3, "c")]
    ann.follow("red", epoch, 3)
    ann.follow("blue", epoch, 3)
    assert heard(ann) == [], "and once; and not of a log that is not open"


def test_what_follows_goes_both_ways_in_one_batch(node: Nodes) -> None:
    store, other = node(), node()
    store.open("red", 0)
    keep(other, say("before"))
    batch = [say("a", "1"), say("b", log="blue"), say("c"), delete(99, log="blue"), say("d")]
    batch[1].follows = batch[2].follows = batch[4].follows = True
    outcomes = store.append(batch, 1)
    assert [getattr(one, "seq", 0) for one in outcomes] == [2, 1, 3, 0, 0]
    assert heard(store) == [("red", 1, "before")]
    again = store.append(batch[:3], 1)
    assert [isinstance(one, Stored) and not one.fresh for one in again] == [True, False, False]


def test_who_is_far_behind_keeps_what_follows_too(
    node: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "MOST", 3)
    store, other = node(), node()
    store.open("red", 0)
    keep(other, *(say(str(number)) for number in range(8)))
    batch = [say("b", log="blue"), say("a")]
    batch[1].follows = True
    assert keep(store, *batch) == [1, 9]
    assert [seq for _, seq, _ in heard(store)] == list(range(1, 9))


def test_news_have_the_message_that_they_changed_as_it_is_now(node: Nodes) -> None:
    ann, bob = node(), node()
    bob.open("red", 0)
    keep(ann, say("hello"), edit(1, "hallo"))
    bob.follow_all()
    (came,) = said(bob)
    assert came.events[0].payload == came.events[1].changed
    assert json.loads(came.events[1].changed)["text"] == "hallo"
    keep(ann, delete(1))
    bob.follow_all()
    (came,) = said(bob)
    ((seq, edited),) = came.events[0].emptied
    assert (seq, json.loads(edited)["text"]) == (2, "")


def test_an_id_is_kept_once_whichever_node_it_is_sent_to(node: Nodes) -> None:
    ann, bob = node(), node()
    (first,) = ann.append([say("a", "1")], 1)
    (again,) = bob.append([say("a", "1")], 2)
    assert (stored(again).seq, stored(again).fresh) == (1, False)
    assert stored(again).payload == stored(first).payload


def test_who_was_away_for_long_gets_all_of_it_in_order(
    node: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "MOST", 10)
    ann, bob = node(), node()
    epoch = ann.open("red", 0).epoch
    keep(bob, *(say(str(number)) for number in range(1, 36)))
    assert keep(ann, say("mine")) == [36]
    assert heard(ann) == [("red", number, str(number)) for number in range(1, 36)]
    keep(bob, *(say("more") for number in range(25)))
    ann.follow("red", epoch, 61)
    assert [seq for _, seq, _ in heard(ann)] == list(range(37, 62))


def test_a_redis_that_lost_all_has_other_logs(node: Nodes, redis: RedisServer) -> None:
    ann, bob = node(), node()
    epoch = ann.open("red", 0).epoch
    keep(ann, say("a", "1"), say("b"))
    bob.open("red", 0)
    redis.client.flushall()
    redis.client.function_flush()
    assert keep(ann, say("c", "1")) == [1]
    (came,) = said(ann)
    assert (came.is_other, came.first, came.events) == (True, 1, [])
    assert came.epoch != epoch
    bob.check()
    (other,) = said(bob)
    assert (other.epoch, other.is_other, other.first) == (came.epoch, True, 1)
    assert len(other.events) == 1
    keep(ann, say("d"))
    assert said(ann) == []


def test_a_log_that_lost_its_tail_is_another_one(node: Nodes, redis: RedisServer) -> None:
    ann, bob = node(), node()
    epoch = ann.open("red", 0).epoch
    keep(ann, say("a"), say("b"), say("c"))
    redis.client.hset("hubbub:{red}:head", "seq", "2")
    redis.client.xdel("hubbub:{red}:log", "3-0")
    ann.follow_all()
    (came,) = said(ann)
    assert came.is_other
    assert came.epoch not in {epoch, None}
    assert [event.payload for event in came.events] == bob.after("red", 0, 9).events
    assert bob.open("red", 0).epoch == came.epoch


def test_deleted_words_are_nowhere_in_redis(node: Nodes, redis: RedisServer) -> None:
    store = node()
    keep(store, say("secret one", "i"), edit(1, "secret two", "e"), edit(1, "secret three"))
    keep(store, say("secret four"), edit(4, "other"))
    keep(store, delete(1))
    everything = str(
        [
            redis.client.hgetall("hubbub:{red}:now"),
            redis.client.xrange("hubbub:{red}:log"),
            redis.client.hgetall("hubbub:{red}:ids"),
        ]
    )
    assert "other" in everything
    assert "secret" not in everything
    for text in ("secret one", "secret two"):  # nor what they could be guessed by
        assert digest(text).hex() not in everything


@pytest.mark.parametrize(("keeping", "left"), [({"keep_events": 10}, 10), ({"keep_days": 1}, 20)])
def test_old_events_go_and_their_ids_stay_known_for_a_while(
    node: Nodes, keeping: dict[str, Any], left: int
) -> None:
    day = 86_400_000
    store = node(**keeping)
    store.open("red", 0)
    old = [say(f"old {number}", f"i{number}") for number in range(40)]
    keep(store, *old, edit(40, "older"), ts=day)
    keep(store, *(say(f"new {number}") for number in range(19)), ts=2 * day + 1)
    keep(store, say("last"), ts=2 * day + 60_002)
    page = store.after("red", 0, 99)
    assert page.first == store.first("red") == 61 - left + 1
    assert len(page.events) == left
    (again,) = store.append([say("old 3", "i3")], 2 * day + 60_003)
    assert (stored(again).seq, stored(again).fresh) == (4, False)
    assert json.loads(stored(again).payload)["text"] == "old 3"
    for later in (4, 6):
        keep(store, say("later"), ts=later * day)
    assert keep(store, say("old 3", "i3"), ts=6 * day) == [64]


def test_one_log_that_fails_takes_nothing_from_the_others(node: Nodes, redis: RedisServer) -> None:
    store = node()
    redis.client.set("hubbub:{blue}:head", "not ours")
    good, bad, more = store.append([say("a"), say("b", log="blue"), say("c")], 1)
    assert [stored(good).seq, stored(more).seq] == [1, 2]
    assert isinstance(bad, Refused)
    assert bad.code == "storage_unavailable"
    with pytest.raises(StoreError, match="Redis refuses"):
        store.append([say("b", log="blue")], 1)
    redis.client.delete("hubbub:{blue}:head")
    for log in ("blue", "red"):
        store.open(log, 0)
    redis.client.set("hubbub:{blue}:head", "not ours")
    keep(node(), say("d"))
    with pytest.raises(StoreError, match="Redis refuses"):
        store.follow_all()
    assert heard(store) == [("red", 3, "d")]


def test_a_redis_that_is_full_says_so_and_keeps_nothing(node: Nodes, redis: RedisServer) -> None:
    store = node()
    keep(store, say("a"))
    redis.client.config_set("maxmemory", "1")
    try:
        with pytest.raises(StoreError, match=r"Redis refuses .*maxmemory"):
            keep(store, say("b"))
        assert len(store.after("red", 0, 9).events) == 1, "and can be read"
        with pytest.raises(StoreError, match="maxmemory"):
            store.check()
    finally:
        redis.client.config_set("maxmemory", "0")
    assert keep(store, say("b")) == [2]


def test_what_a_redis_may_lose_is_known(node: Nodes, redis: RedisServer) -> None:
    store = node()
    assert store.worries() == []
    for settings, told in (
        ({"appendfsync": "everysec"}, "the last second"),
        ({"appendonly": "no"}, "a restart of it loses"),
        ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, "may throw rooms away"),
    ):
        before = {name: str(redis.client.config_get(name)[name]) for name in settings}
        for name, value in settings.items():
            redis.client.config_set(name, value)
        (line,) = store.worries()
        assert told in line
        for name, value in before.items():
            redis.client.config_set(name, value)


def test_a_redis_that_went_away_is_told_and_comes_back_with_everything() -> None:
    with redis_server() as server:
        store = RedisStore(server.url, Settings(), new_epoch)
        other = RedisStore(f"unix://{server.folder}/redis.sock", Settings(), new_epoch)
        epoch = store.open("red", 0).epoch
        keep(store, say("a"))
        server.kill()
        with pytest.raises(StoreError, match="Redis does not answer"):
            store.append([say("b", "1")], 1)
        with pytest.raises(StoreError):
            store.check()
        server.start()
        keep(other, say("by another"))
        store.check()
        assert heard(store) == [("red", 2, "by another")]
        assert keep(store, say("b", "1")) == [3]
        assert store.open("red", 0).epoch == epoch
        store.close()
        other.close()


def test_a_redis_that_hangs_is_told_in_time() -> None:
    with redis_server() as server:
        store = RedisStore(server.url, Settings(redis_timeout=0.5), new_epoch)
        store.open("red", 0)
        server.send(signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(StoreError, match="Redis does not answer"):
            store.append([say("b", "1"), say("no id")], 1)
        assert 0.5 <= time.monotonic() - begun < 2.0
        server.send(signal.SIGCONT)
        store.check()
        # It took them after all: they come as news, and the id is known.
        assert heard(store) == [("red", 1, "b"), ("red", 2, "no id")]
        (again,) = store.append([say("b", "1")], 1)
        assert isinstance(again, Stored)
        assert (again.seq, again.fresh) == (1, False)
        store.close()


def test_a_password_is_asked_for_and_never_told(tmp_path: Path) -> None:
    with redis_server("--requirepass", "hush") as server:
        store = RedisStore(server.url.replace("//", "//:hush@"), Settings(), new_epoch)
        assert keep(store, say("a")) == [1]
        store.close()
        for wrong in (server.url, server.url.replace("//", "//:wrong-hush@")):
            with pytest.raises(StoreError, match="does not accept") as told:
                RedisStore(wrong, Settings(), new_epoch)
            assert "hush" not in str(told.value)
