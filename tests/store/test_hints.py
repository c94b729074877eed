"""Hints: what is said on one node is heard on those that listen there, wherever Redis has it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from hubbub.protocol.markers import Mark
from hubbub.settings import Settings
from hubbub.store import hints, subscriber
from hubbub.store.base import StoreError
from hubbub.store.redis import RedisStore
from tests.redis import RedisServer, listeners
from tests.redis_cluster import Member, RedisCluster, redis_cluster, wait
from tests.store.kinds import keep, new_epoch, say
from tests.store.test_redis_cluster import apart, head, other

PATIENCE = 20.0
Told = tuple[Any, ...]


class Recorder:
    """Ears that note what they hear."""

    def __init__(self) -> None:
        self._told: SimpleQueue[Told] = SimpleQueue()

    def grown(self, name: str, epoch: str, seq: int) -> None:
        self._told.put(("grown", name, seq))

    def moved(self, room: str, stamp: str, version: int, batch: bytes) -> None:
        self._told.put(("moved", room, version))

    def whispered(self, room: str, key: str) -> None:
        self._told.put(("whispered", room, key))

    def marked(self, room: str, user: str, seq: int) -> None:
        self._told.put(("marked", room, user, seq))

    def missed(self, names: Sequence[str]) -> None:
        for name in names:
            self._told.put(("missed", name))

    def next(self) -> Told:
        return self._told.get(timeout=PATIENCE)

    def until(self, *told: Any) -> None:
        while self.next() != told:
            pass


class Listening(RedisStore):
    """A store that listens."""

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(url, Settings(**settings), new_epoch)
        self.ears = Recorder()
        self.listen(self.ears)

    def follow(self, name: str, epoch: str = "", seq: int = 0) -> None:
        """Open a log, and wait until it is listened to."""
        self.open(name, 0)
        self.ears.until("missed", name)

    def close(self) -> None:
        self.listen_no_more()
        super().close()


Make = Callable[..., Listening]


@pytest.fixture
def make() -> Iterator[Make]:
    with ExitStack() as stack:

        def made(url: str, **settings: Any) -> Listening:
            store = Listening(url, **settings)
            stack.callback(store.close)
            return store

        yield made


@pytest.fixture(params=["one", "cluster"])
def url(request: pytest.FixtureRequest, redis: RedisServer, cluster: RedisCluster) -> str:
    server: RedisServer | RedisCluster = redis if request.param == "one" else cluster
    server.flush()
    return server.url


def test_each_hint_is_heard_where_the_room_is_open(url: str, make: Make) -> None:
    here, there = make(url), make(url)
    there.attend("zoë")
    for room in ("red", "a {hard} name% }", " own"):
        there.follow(room)
        assert keep(here, say("one", log=room)) == [1]
        assert there.ears.next() == ("grown", room, 1)
        here.whisper(room, "ann")
        assert there.ears.next() == ("whispered", room, "ann")
    for user in ("zoë", "nobody who is there", "zoë"):
        here.mark([Mark("red", b"z" * 16, 1, user), Mark("red", user.encode() * 9, 1, user)])
    assert there.ears.next() == ("marked", "red", "zoë", 1)
    assert there.ears.next() == ("marked", "red", "zoë", 1)  # the first of each identity
    there.presence.lease({}, may_bury=False)
    here.follow("red")
    there.presence.settle({"red": []})
    there.whisper("red", "its own")
    keep(here, say("two"))
    assert there.ears.next() == ("grown", "red", 2)


def test_a_node_hears_nothing_of_rooms_that_it_has_not_open(url: str, make: Make) -> None:
    here, there = make(url), make(url)
    for room in ("red", "blue"):
        there.follow(room)
    there.rest("red", 0)
    there.attend("zoë")
    there.ignore("zoë")
    there.follow("red again")  # after which Redis has answered to all that
    keep(here, say("unheard"))
    here.mark([Mark("red", b"z" * 16, 1, "zoë")])
    keep(here, say("heard", log="blue"))
    keep(here, say("heard", log="red again"))
    assert {there.ears.next(), there.ears.next()} == {
        ("grown", "blue", 1),
        ("grown", "red again", 1),
    }
    there.follow("red")
    keep(here, say("heard"))
    assert there.ears.next() == ("grown", "red", 2)


def test_what_may_have_been_missed_is_told(
    redis: RedisServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.flush()
    monkeypatch.setattr(subscriber, "SOME", 3)
    store = make(redis.url)
    rooms = {f"room {number}" for number in range(10)}
    for room in rooms:
        store.follow(room)
    redis.client.client_kill_filter(_type="pubsub")
    assert {store.ears.next() for _ in rooms} == {("missed", room) for room in rooms}
    monkeypatch.setattr(subscriber, "QUIET", 0.1)
    assert {store.ears.next() for _ in rooms} == {("missed", room) for room in rooms}


def test_all_of_a_burst_is_heard_at_once(
    redis: RedisServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.flush()
    store = make(redis.url)
    store.follow("red")
    monkeypatch.setattr(subscriber, "SOME", 3)
    monkeypatch.setattr(subscriber, "RETRY", 100 * PATIENCE)
    store.attend("nobody")  # so that it looks at these
    hint = msgspec.msgpack.encode(("another node", "e", 1))
    with redis.client.pipeline(transaction=False) as pipe:
        for _ in range(100):
            pipe.execute_command("SPUBLISH", hints.of_room("red"), hint)  # type: ignore[no-untyped-call]
        pipe.execute()
    assert [store.ears.next() for _ in range(100)] == [("grown", "red", 1)] * 100


def test_a_fault_of_ours_does_not_end_the_listening(
    redis: RedisServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.flush()
    here, there = make(redis.url), make(redis.url)
    there.follow("red")

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with capture_logs() as logs:
        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "grown", fail)
            keep(here, say("one"))
            there.ears.until("missed", "red")  # from when it listens again
        keep(here, say("two"))
        assert there.ears.next() == ("grown", "red", 2)
    assert [one["event"] for one in logs] == ["the hints have a fault"]


def test_who_has_stopped_hears_nothing_and_may_listen_again(redis: RedisServer, make: Make) -> None:
    redis.flush()
    here, there = make(redis.url), make(redis.url)
    for room in ("red", "blue"):
        there.follow(room)
    there.listen_no_more()
    there.rest("red", 0)
    there.open("red", 0)
    there.rest("blue", 0)
    there.attend("zoë")
    assert listeners(redis.client, hints.of_room("red")) == 0
    keep(here, say("unheard"))
    there.listen(there.ears)
    assert there.ears.next() == ("missed", "red")
    keep(here, say("unheard", log="blue"))
    keep(here, say("heard"))
    assert there.ears.next() == ("grown", "red", 2)


def test_also_beside_a_busy_room_each_is_looked_at_now_and_then(
    redis: RedisServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.flush()
    monkeypatch.setattr(subscriber, "SWEEP", 2.0)
    monkeypatch.setattr(subscriber, "RETRY", 0.1)
    store = make(redis.url)
    rooms = {f"room {number}" for number in range(10)}
    for room in rooms:
        store.follow(room)
    found: set[str] = set()
    while found != rooms:  # each of these is a hint of the busy one
        redis.client.execute_command("SPUBLISH", hints.of_room("room 0"), "?")  # type: ignore[no-untyped-call]
        kind, room = store.ears.next()
        assert kind == "missed"
        assert room not in found
        found.add(room)


def test_what_is_no_hint_is_passed_over(redis: RedisServer, make: Make) -> None:
    redis.flush()
    store, other = make(redis.url), make(redis.url)
    store.follow("red")
    for data in (b"", b"!", b"?\x92", b"{}", b"\x93\x01\x02\x03", b"\xff" * 99):
        assert redis.client.execute_command("SPUBLISH", hints.of_room("red"), data) == 1  # type: ignore[no-untyped-call]
    keep(other, say("one"))
    assert store.ears.next() == ("grown", "red", 1)


def test_a_channel_that_redis_refuses_is_asked_for_again(redis: RedisServer, make: Make) -> None:
    redis.flush()
    rights = ["reset", "on", ">hush", "~*", "+@all"]
    blue, red = hints.of_room("blue"), hints.of_room("red")
    redis.client.execute_command("ACL SETUSER", "one", *rights, f"&{blue}")  # type: ignore[no-untyped-call]
    store = make(redis.url.replace("redis://", "redis://one:hush@"))
    store.open("red", 0)
    store.follow("blue")
    assert (listeners(redis.client, red), listeners(redis.client, blue)) == (0, 1)
    redis.client.execute_command("ACL SETUSER", "one", *rights, "allchannels")  # type: ignore[no-untyped-call]
    store.ears.until("missed", "red")
    assert listeners(redis.client, red) == 1


def test_a_redis_that_is_silent_is_listened_to_anew(redis: RedisServer, make: Make) -> None:
    redis.flush()
    here, there = make(redis.url), make(redis.url, redis_timeout=0.5)
    there.follow("red")
    channel = hints.of_room("red")
    old: Any = redis.client.client_list(_type="pubsub")
    redis.send(signal.SIGSTOP)
    try:
        (it,) = there._hints._subscribers.values()
        wait(lambda: not it._channels)  # it has given them up
    finally:
        redis.send(signal.SIGCONT)
    there.ears.until("missed", "red")
    assert listeners(redis.client, channel) == 1
    new: Any = redis.client.client_list(_type="pubsub")
    assert {one["id"] for one in new}.isdisjoint({one["id"] for one in old})
    keep(here, say("one"))
    there.ears.until("grown", "red", 1)


def test_in_a_cluster_a_channel_is_where_its_room_is(cluster: RedisCluster, make: Make) -> None:
    cluster.flush()
    here, there = make(cluster.url), make(cluster.url)
    blue = apart(cluster, "red")
    for room in ("red", blue):
        there.follow(room)

    def heard_by(room: str) -> list[Member]:
        channel = hints.of_room(room)
        return [one for one in cluster.primaries if listeners(one.client, channel)]

    for room in ("red", blue):
        assert heard_by(room) == [cluster.holder(head(room))]
    to = other(cluster, "red")
    cluster.move(head("red"), to)
    there.ears.until("missed", "red")
    assert heard_by("red") == [to]
    assert heard_by(blue) == [cluster.holder(head(blue))]
    for seq, room in ((1, "red"), (1, blue), (2, "red")):
        keep(here, say(str(seq), log=room))
        assert there.ears.next() == ("grown", room, seq)


def test_two_that_name_each_other_are_not_asked_without_end(
    cluster: RedisCluster, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.flush()
    here, there = make(cluster.url), make(cluster.url)
    there.follow("red")
    at, to = cluster.holder(head("red")), other(cluster, "red")
    cluster.move(head("red"), to, finish=False)
    returned, count = hints.Hints.returned, 0

    def counted(*given: Any) -> None:
        nonlocal count
        count += 1
        returned(*given)

    monkeypatch.setattr(hints.Hints, "returned", counted)
    slot, new = at.do("CLUSTER KEYSLOT", head("red")), to.do("CLUSTER MYID").decode()
    at.do("CLUSTER SETSLOT", slot, "NODE", new)  # who has it does not know it yet
    wait(lambda: count > 5)
    begun, before = time.monotonic(), count
    wait(lambda: count > before + 5)
    assert time.monotonic() - begun > 1
    to.do("CLUSTER SETSLOT", slot, "NODE", new)
    there.ears.until("missed", "red")
    keep(here, say("one"))
    there.ears.until("grown", "red", 1)


def test_a_slot_that_nobody_had_for_a_while_is_listened_to_again(make: Make) -> None:
    with redis_cluster(0, "--cluster-require-full-coverage", "no") as cluster:
        here, there = make(cluster.url), make(cluster.url)
        blue = apart(cluster, "red")
        for room in ("red", blue):
            there.follow(room)
        at = cluster.holder(head("red"))
        slot = at.do("CLUSTER KEYSLOT", head("red"))
        for one in cluster.servers.values():
            one.do("CLUSTER DELSLOTS", slot)
        with pytest.raises(StoreError):
            keep(there, say("nowhere"))  # by which it learns of it
        wait(lambda: hints.of_room("red") in there._hints._homeless)
        for one in cluster.servers.values():
            if one is at:
                one.do("CLUSTER ADDSLOTS", slot)
            else:
                one.do("CLUSTER SETSLOT", slot, "NODE", at.do("CLUSTER MYID").decode())
        there.ears.until("missed", "red")
        assert listeners(at.client, hints.of_room("red")) == 1
        keep(here, say("one"))
        there.ears.until("grown", "red", 1)


def test_who_only_listens_finds_out_that_another_redis_is_asked_now(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "COMPARE", 0.2)
    with redis_cluster(1) as cluster:
        here, there = make(cluster.url), make(cluster.url)
        there.follow("red")
        old = cluster.holder(head("red"))
        new = next(
            one
            for one in cluster.servers.values()
            if one.do("ROLE")[0] == b"slave" and one.do("ROLE")[2] == old.port
        )
        new.do("CLUSTER FAILOVER")
        there.ears.until("missed", "red")
        channel = hints.of_room("red")
        wait(lambda: listeners(new.client, channel) == 1)
        wait(lambda: listeners(old.client, channel) == 0)
        keep(here, say("one"))
        there.ears.until("grown", "red", 1)


def test_where_one_of_a_cluster_dies_the_others_are_heard(make: Make) -> None:
    with redis_cluster(1, "--cluster-require-full-coverage", "no") as cluster:
        here, there = make(cluster.url, redis_timeout=0.5), make(cluster.url, redis_timeout=0.5)
        blue = apart(cluster, "red")
        for room in ("red", blue):
            there.follow(room)
        here.follow("red")
        dead = cluster.holder(head("red"))
        dead.kill()
        keep(here, say("one", log=blue))
        there.ears.until("grown", blue, 1)
        for one in (here, there):
            one.ears.until("missed", "red")  # from the one that was its replica
        new = cluster.holder(head("red"))
        assert new is not dead
        assert listeners(new.client, hints.of_room("red")) == 2
        keep(here, say("two"))
        there.ears.until("grown", "red", 1)
        wait(lambda: dead.at not in there._hints._subscribers)  # nobody waits for it any more
        assert new.at in there._hints._subscribers
