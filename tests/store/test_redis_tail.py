"""A Redis that lost the end of a log, or may have, is found out: it is another log then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from hubbub.settings import Settings
from hubbub.store import redis as redis_store
from hubbub.store.redis import RedisStore
from tests.redis import RedisServer
from tests.store.kinds import delete, edit, keep, new_epoch, said, say
from tests.store.test_conversation import react

Make = Callable[[], RedisStore]


@pytest.fixture
def node(redis: RedisServer) -> Iterator[Make]:
    """Makes a node more, on a Redis with nothing in it that may lose what was seen."""
    redis.client.flushall()
    redis.client.config_set("appendfsync", "everysec")
    made: list[RedisStore] = []

    def make() -> RedisStore:
        made.append(RedisStore(redis.url, Settings(), new_epoch))
        return made[-1]

    yield make
    for store in made:
        store.close()
    redis.client.config_set("appendfsync", "always")


class Moment:
    """All that Redis has, to go back to."""

    def __init__(self, redis: RedisServer) -> None:
        self.redis = redis
        self.kept = {key: redis.client.dump(key) or b"" for key in redis.client.keys("hubbub:*")}

    def come_back(self) -> None:
        """As after a crash: what came since is lost."""
        for key in self.redis.client.keys("hubbub:*"):
            self.redis.client.delete(key)
        for key, value in self.kept.items():
            self.redis.client.restore(key, 0, value)

    def begin_another_life(self) -> None:
        """Be another Redis, as after a restart or a failover."""
        self.redis.client.replicaof("127.0.0.1", 1)
        self.redis.client.replicaof("NO", "ONE")


def texts(store: RedisStore) -> list[str]:
    """What the one piece of news says, which has to be of another log."""
    (news,) = said(store)
    assert news.is_other
    return [json.loads(event.payload)["text"] for event in news.events]


@pytest.mark.parametrize("more", [1, 2, 5])
def test_a_tail_that_others_wrote_over_is_found(node: Make, redis: RedisServer, more: int) -> None:
    ann, bob = node(), node()
    ann.open("red", 0)
    keep(ann, say("a"))
    epoch = bob.open("red", 0).epoch
    then = Moment(redis)
    keep(ann, say("lost"), say("lost, too"))
    then.come_back()
    assert keep(bob, *[say(f"new {number}") for number in range(more)])[0] == 2
    assert said(bob) == []
    ann.follow_all()
    assert texts(ann) == ["a", *[f"new {number}" for number in range(more)]]
    bob.follow_all()
    assert texts(bob) == ["a", *[f"new {number}" for number in range(more)]]
    assert bob.open("red", 0).epoch != epoch


def test_the_loss_is_found_by_who_appends_too(node: Make, redis: RedisServer) -> None:
    ann, bob = node(), node()
    ann.open("red", 0)
    then = Moment(redis)
    keep(ann, say("lost"))
    then.come_back()
    keep(bob, say("in its place"))
    assert keep(ann, say("mine")) == [2]
    assert texts(ann) == ["in its place"]
    keep(ann, say("more"))
    assert said(ann) == []


def test_what_was_changed_since_is_still_what_was_seen(node: Make) -> None:
    ann, bob = node(), node()
    bob.open("red", 0)
    epoch = bob.open("red", 0).epoch
    keep(ann, say("a"))
    bob.follow_all()
    keep(ann, react(1))
    bob.follow_all()
    keep(ann, edit(1, "better"), delete(1), say("b"))
    bob.follow_all()
    keep(ann, edit(5, "c"))
    bob.follow_all()
    assert all(not news.is_other for news in said(bob))
    assert bob.open("red", 0).epoch == epoch


def test_of_a_long_log_that_is_another_one_the_end_is_told(
    node: Make, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "MOST", 3)
    ann, bob = node(), node()
    ann.open("red", 0)
    keep(ann, *[say(str(number)) for number in range(1, 11)])
    bob.open("red", 0)
    then = Moment(redis)
    keep(ann, say("lost"))
    then.come_back()
    ann.follow_all()
    assert texts(ann) == ["8", "9", "10"]
    assert keep(bob, say("go on")) == [11]
    assert texts(bob) == ["8", "9", "10"]


def test_who_saw_the_log_vouches_for_it_in_another_life_of_redis(
    node: Make, redis: RedisServer
) -> None:
    ann, late = node(), node()
    epoch = ann.open("red", 0).epoch
    keep(ann, say("a"))
    Moment(redis).begin_another_life()
    ann.follow_all()
    assert late.open("red", 0).epoch == epoch
    assert keep(ann, say("b")) == [2]
    assert not said(ann)


@pytest.mark.parametrize("appends", [True, False])
def test_what_nobody_vouches_for_is_another_log(
    node: Make, redis: RedisServer, appends: bool
) -> None:
    ann = node()
    epoch = ann.open("red", 0).epoch
    then = Moment(redis)
    keep(ann, say("seen by one whose node died with Redis"))
    then.come_back()
    then.begin_another_life()
    late = node()
    if appends:
        keep(late, say("in its place"))
    opened = late.open("red", 0)
    assert opened.epoch != epoch
    assert late.open("red", 0).epoch == opened.epoch, "once"


def test_a_redis_that_loses_nothing_needs_nobody_to_vouch(node: Make, redis: RedisServer) -> None:
    redis.client.config_set("appendfsync", "always")
    epoch = node().open("red", 0).epoch
    keep(node(), say("a"))
    Moment(redis).begin_another_life()
    late = node()
    keep(late, say("b"))
    assert late.open("red", 0).epoch == epoch
