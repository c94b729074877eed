"""A store in a Redis Cluster: slots move, and one of its Redis dies, and the others go on."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from redis.exceptions import AskError, MovedError

from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store import redis_client
from hubbub.store.base import Refused, Stored, StoreError
from hubbub.store.redis import RedisStore
from hubbub.store.redis_export import RedisSnapshot
from tests.redis import free_port, redis_server
from tests.redis_cluster import Member, RedisCluster, redis_cluster
from tests.store.kinds import ANN, keep, new_epoch, said, say


@pytest.fixture
def store(cluster: RedisCluster) -> Iterator[RedisStore]:
    cluster.flush()
    made = RedisStore(cluster.url, Settings(), new_epoch)
    yield made
    made.close()


def head(log: str) -> str:
    return redis_client.keys(log)[0]


def other(cluster: RedisCluster, log: str) -> Member:
    """A Redis that has not got a log."""
    return next(one for one in cluster.primaries if one is not cluster.holder(head(log)))


def apart(cluster: RedisCluster, log: str) -> str:
    """A log that another Redis has."""
    names = (f"room {number}" for number in range(100))
    return next(name for name in names if cluster.holder(head(name)) is other(cluster, log))


def test_a_log_that_moves_goes_on_where_it_was(store: RedisStore, cluster: RedisCluster) -> None:
    opened = store.open("red", 0)
    assert keep(store, say("one", "1"), say("x", log="blue")) == [1, 1]
    cluster.move(head("red"), other(cluster, "red"))
    assert keep(store, say("two", "2"), say("one", "1"), say("y", log="blue")) == [2, 1, 2]
    assert said(store) == []
    again = RedisStore(cluster.url, Settings(), new_epoch)
    with closing(again):
        store.follow_all()
        assert store.open("red", 5).epoch == opened.epoch
        assert [seq for seq, _ in again.open("red", 5).history] == [1, 2]


def test_a_log_that_is_moving_is_told_to_be_and_the_others_go_on(
    store: RedisStore, cluster: RedisCluster
) -> None:
    keep(store, say("one"))
    to = other(cluster, "red")
    cluster.move(head("red"), to, finish=False)
    assert cluster.holder(head("red")) is not to
    moving, kept = store.append([say("two"), say("x", log=apart(cluster, "red"))], 2)
    assert isinstance(moving, Refused)
    assert (moving.code, "is being moved" in moving.message) == ("storage_unavailable", True)
    assert isinstance(kept, Stored)
    # A command with one key is given to who will have it.
    key = head("red").replace("head", "one key")
    with redis_client.connect(cluster.url) as client:
        assert redis_client.ask(client, [("SET", key, "1"), ("GET", key)]) == [b"OK", b"1"]
    cluster.move(head("red"), to)
    assert keep(store, say("two"), ts=3) == [2]
    assert len(store.after("red", 0, 9).events) == 2


def test_where_a_room_is_is_told_to_nobody() -> None:
    for problem in (AskError("7 10.0.0.1:6379"), MovedError("7 10.0.0.1:6379")):
        told = str(redis_client.trouble(problem))
        assert told == "the room is being moved to another Redis"


def test_both_nodes_hear_of_each_other_whichever_redis_has_the_room(cluster: RedisCluster) -> None:
    one, two = (RedisStore(cluster.url, Settings(), new_epoch) for _ in range(2))
    with closing(one), closing(two):
        for number in range(6):
            log = f"hall {number}"
            one.open(log, 0)
            epoch = two.open(log, 0).epoch
            keep(one, say("hello", log=log))
            two.follow(log, epoch, 1)
        assert [news.log for news in said(two)] == [f"hall {number}" for number in range(6)]


def test_a_redis_that_is_gone_fails_its_own_logs_alone() -> None:
    with redis_cluster(0, "--cluster-require-full-coverage", "no") as cluster:
        store = RedisStore(cluster.url, Settings(redis_timeout=0.5), new_epoch)
        far = apart(cluster, "red")
        keep(store, say("one"), say("x", log=far))
        cluster.holder(head("red")).kill()
        answers = store.append([say("two"), say("y", log=far), say("three")], 2)
        assert [type(one) for one in answers] == [Refused, Stored, Refused]
        lost = answers[0]
        assert isinstance(lost, Refused)
        assert lost.code == "storage_unavailable"
        with pytest.raises(StoreError):
            store.append([say("two")], 2)
        # What leads is kept by another Redis than what follows, and is not taken back.
        led = say("at the other")
        led.follows = True
        leads = Draft(far, ANN, "ann", "leads", "i1", 0)
        first, second = store.append([leads, led], 2)
        assert isinstance(first, Stored)
        assert isinstance(second, Refused)
        assert second.code == "storage_unavailable"
        # And what follows what is not kept is not kept.
        leads, led = say("leads"), say("led", log=far)
        led.follows = True
        with pytest.raises(StoreError):
            store.append([leads, led], 2)
        assert len(store.after(far, 0, 9).events) == 3
        store.close()


def test_functions_that_one_redis_lost_are_loaded_though_another_one_is_gone() -> None:
    with redis_cluster(0, "--cluster-require-full-coverage", "no") as cluster:
        store = RedisStore(cluster.url, Settings(redis_timeout=0.5), new_epoch)
        far = apart(cluster, "red")
        keep(store, say("one"), say("x", log=far))
        cluster.holder(head("red")).kill()
        cluster.holder(head(far)).do("FUNCTION FLUSH")
        lost, kept = store.append([say("two"), say("y", log=far)], 2)
        assert isinstance(lost, Refused)
        assert isinstance(kept, Stored)
        assert kept.seq == 2
        store.close()


def test_a_redis_that_hangs_holds_the_others_up_once() -> None:
    with redis_cluster(0, "--cluster-require-full-coverage", "no") as cluster:
        store = RedisStore(cluster.url, Settings(redis_timeout=2), new_epoch)
        far, victim = apart(cluster, "red"), cluster.holder(head("red"))
        keep(store, say("one"), say("x", log=far))
        victim.send(signal.SIGSTOP)
        times: list[float] = []
        for number in range(4):
            begun = time.monotonic()
            lost, kept = store.append([say("two", "i2"), say(str(number), log=far)], 2)
            with pytest.raises(StoreError, match="does not answer"):
                store.tidy(0)
            times.append(time.monotonic() - begun)
            assert isinstance(kept, Stored)
            assert isinstance(lost, Refused)
            assert lost.code == "storage_unavailable"
        assert times[0] >= 2
        assert max(times[1:]) < 1
        victim.send(signal.SIGCONT)
        until = time.monotonic() + 20
        drafts = [say("two", "i2"), say("y", log=far)]
        while isinstance(again := store.append(drafts, 3)[0], Refused):
            assert time.monotonic() < until
        assert isinstance(again, Stored)
        assert again.seq == 2
        store.tidy(0)
        store.close()


def test_no_log_is_asked_twice_in_one_append(store: RedisStore, cluster: RedisCluster) -> None:
    """What others said between the two would be told before what we said first."""
    far = apart(cluster, "red")
    keep(store, say("zero"), say("zero", log=far))
    led, again = say("led"), say("again", log=far)
    led.follows = True
    drafts = [say("one"), Draft(far, ANN, "ann", "leads", "i1", 0), led, again]
    first = store.append(drafts, 2)
    assert [type(one) for one in first] == [Stored, Stored]
    rest = store.append(drafts[len(first) :], 3)
    assert [one.seq for one in rest if isinstance(one, Stored)] == [3, 3]
    # What follows what was refused is refused, and asks for nothing.
    drafts = [Draft(far, ANN, "ann", "leads", "i1", 0), led]
    assert [type(one) for one in store.append(drafts, 4)] == [Stored, Refused]


def test_it_can_be_exported(store: RedisStore, cluster: RedisCluster) -> None:
    logs = [f"room {number}" for number in range(9)]
    keep(store, *(say("hello", "i", log=log) for log in logs))
    with redis_client.connect(cluster.url) as client:
        snapshot = RedisSnapshot(client, None)
        assert (snapshot.rooms, snapshot.events) == (9, 9)
        lines = b"".join(snapshot.chunks(lambda _: None))
        assert all(f'"room":"{log}"'.encode() in lines for log in logs)


def test_where_no_redis_of_it_answers_that_is_said() -> None:
    with pytest.raises(StoreError, match=r"^Redis does not answer$"):
        RedisStore(f"redis+cluster://127.0.0.1:{free_port()}", Settings(), new_epoch)


def test_a_redis_that_is_no_cluster_is_said_to_be_none(
    request: pytest.FixtureRequest,
) -> None:
    redis = request.getfixturevalue("redis")
    with pytest.raises(StoreError, match="is no cluster"):
        RedisStore(f"redis+cluster://{redis.at}", Settings(), new_epoch)


def test_a_cluster_without_slots_is_said_to_be_that() -> None:
    with (
        # Its bus is not 10,000 ports further up, where there may be none.
        redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server,
        pytest.raises(StoreError, match="has no slots yet"),
    ):
        RedisStore(f"redis+cluster://{server.at}", Settings(), new_epoch)
