"""The account of who is in a room, in a real Redis, held to a model that is one page of Python."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.protocol.presence import (
    Amend,
    Came,
    Changed,
    Changes,
    Claim,
    Move,
    Occupant,
    Release,
    Seat,
    Snapshot,
    Verdict,
    Went,
)
from hubbub.settings import Settings
from hubbub.store import redis_client
from hubbub.store.base import News
from hubbub.store.redis import RedisStore
from tests.redis import RedisServer
from tests.store.kinds import new_epoch, say

ROOM = "r}e{d%"
KEYS = [("a", "a"), ("b", "b"), ("c", "b"), ("a", "d")]
"""Names with one key and with two, some of which share one."""
_marks = count(1)


@pytest.fixture(autouse=True)
def empty(redis: RedisServer) -> None:
    redis.client.flushall()


def seat_of(who: Occupant, node: str) -> Seat:
    (seat,) = who.seats or (Seat(""),)
    return msgspec.structs.replace(seat, node=node)


class Model:
    """What the account has to be: who is in the room, by key, and the order that comes next."""

    def __init__(self) -> None:
        self.who: dict[str, Occupant] = {}
        self.order = 0
        self.version = 0
        """Of the account, as it is before a step."""

    def holders(self, who: Occupant) -> list[Occupant]:
        keys = {who.key, who.look}
        return [one for one in self.who.values() if keys & {one.key, one.look}]

    def let_go(self, who: Occupant, node: str) -> None:
        left = tuple(one for one in who.nodes if one != node)
        who.seats = tuple(seat for seat in who.seats if seat.node != node)
        if left:
            who.nodes = left
        else:
            del self.who[who.key]

    def make_way(self, who: Occupant, strangers: list[Occupant]) -> Verdict | None:
        for one in strangers:
            if not (who.user and one.guest):
                return "user" if one.user else "taken"
        for one in strangers:
            del self.who[one.key]
        return None

    def add(self, who: Occupant, node: str) -> None:
        order = who.order or self.order + 1
        new = msgspec.structs.replace(
            who, nodes=(node,), order=order, mark=self.version + 1, seats=(seat_of(who, node),)
        )
        self.order = max(self.order, new.order)
        self.who[new.key] = new

    def come_too(self, mine: Occupant, who: Occupant, node: str) -> None:
        mine.title = who.title
        mine.nodes += (node,) if node not in mine.nodes else ()
        new = seat_of(who, node)
        if any(seat.node == node for seat in mine.seats):
            mine.seats = tuple(new if seat.node == node else seat for seat in mine.seats)
        else:
            mine.seats += (new,)

    def amend(self, who: Occupant, node: str) -> Verdict:
        mine = self.who.get(who.key)
        if mine is None or mine.identity != who.identity or node not in mine.nodes:
            return "free"
        self.come_too(mine, who, node)
        return "mine"

    def mark(self, who: Occupant) -> int:
        found = [one for one in self.holders(who) if one.identity == who.identity]
        return found[0].mark if found else 0

    def claim(self, node: str, who: Occupant, instead: str, over: int) -> Verdict:
        old = self.who.get(instead)
        if old is not None and (who.user or old.identity != who.identity or node not in old.nodes):
            old = None
        found = [one for one in self.holders(who) if one is not old]
        mine = [one for one in found if one.identity == who.identity]
        strangers = [one for one in found if one.identity != who.identity]
        if len(found) > 1 and not who.user:
            return "taken"
        if mine and not who.user and node not in mine[0].nodes and mine[0].mark != over:
            return "moved"
        refusal = self.make_way(who, strangers)
        if refusal is not None:
            return refusal
        if old is not None:
            self.let_go(old, node)
        if not mine:
            self.add(who, node)
            return "in"
        (one,) = mine
        if who.user:
            self.come_too(one, who, node)
        else:
            del self.who[one.key]
            who.order = one.order
            self.add(who, node)
        return "mine"

    def settle(self, node: str, members: list[Occupant]) -> None:
        wanted = {one.key: one.identity for one in members}
        for one in list(self.who.values()):
            if node in one.nodes and wanted.get(one.key) != one.identity:
                self.let_go(one, node)
        for who in members:
            found = self.holders(who)
            mine = [one for one in found if one.identity == who.identity]
            if not mine:
                if self.make_way(who, found) is None:
                    self.add(who, node)
            elif who.user or node in mine[-1].nodes:
                self.come_too(mine[-1], who, node)

    def bury(self, node: str) -> None:
        for one in list(self.who.values()):
            if node in one.nodes:
                self.let_go(one, node)


class View:
    """A node that has the room open, and what it believes from what it has heard."""

    def __init__(self, redis: RedisServer, mark: int) -> None:
        self.store = RedisStore(redis.url, Settings(), new_epoch)
        self.room = f"{ROOM}{mark}"
        self.who: dict[str, Occupant] = {}
        self.heard: list[str] = []
        self.store.open(self.room, 0)
        self.listen()

    def listen(self) -> None:
        for news in self.store.take_news():
            if isinstance(news, Snapshot):
                self.who = {one.key: one for one in news.occupants}
                continue
            assert isinstance(news, Changes)
            for change in news.changes:
                self.heard.append(type(change).__name__)
                match change:
                    case Came(who):
                        assert who.key not in self.who
                        self.who[who.key] = who
                    case Changed(key, who):
                        del self.who[key]
                        self.who[who.key] = who
                    case Went(key):
                        del self.who[key]

    def move(self, *moves: Move) -> list[Verdict]:
        (answer,) = self.store.presence.move({self.room: moves}).values()
        assert isinstance(answer, list)
        self.listen()
        return answer


PEOPLE = st.sampled_from(
    [
        Occupant(key, look, f"{key}{look}{spelt}", identity * 32, title, guest, user, seats=seats)
        for key, look in KEYS
        for spelt in ("", "!")
        for identity, guest, user, title in [
            *(("1", False, False, ""), ("2", True, False, "")),
            *(("3", False, True, ""), ("3", False, True, "Three"), ("4", False, True, "")),
        ]
        for seats in [(), (Seat("", ("192.0.2.1", "192.0.2.2"), True),)]
    ]
)
STEPS = st.one_of(
    st.tuples(
        *(st.just("claim"), st.integers(0, 1), PEOPLE, st.sampled_from(["", "a", "b", "c"])),
        st.booleans(),
    ),
    st.tuples(st.sampled_from(["free", "amend"]), st.integers(0, 1), PEOPLE),
    st.tuples(st.just("settle"), st.integers(0, 1), st.lists(PEOPLE, max_size=3)),
    st.tuples(st.sampled_from(["bury", "listen"]), st.integers(0, 1), st.none()),
)


def apart(people: list[Occupant]) -> list[Occupant]:
    """People who can be in one room together."""
    found: list[Occupant] = []
    for one in people:
        if all({one.key, one.look}.isdisjoint({two.key, two.look}) for two in found):
            found.append(msgspec.structs.replace(one))
    return found


@given(st.lists(STEPS, max_size=25))
def test_it_does_what_the_model_does(redis: RedisServer, steps: list[tuple[Any, ...]]) -> None:
    mark = next(_marks)
    views = [View(redis, mark), View(redis, mark)]
    model = Model()
    for what, which, subject, *more in steps:
        view = views[which]
        node = view.store.presence.node
        here, _ = redis_client.presence_keys(view.room)
        model.version = int(redis.client.hget(here, "version") or 0)
        if what == "claim":
            who = msgspec.structs.replace(subject)
            instead, knows = more
            over = model.mark(who) if knows else 0
            assert view.move(Claim(who, instead, over)) == [model.claim(node, who, instead, over)]
        elif what == "free":
            view.move(Release(subject.key, subject.identity))
            there = model.who.get(subject.key)
            if there is not None and there.identity == subject.identity and node in there.nodes:
                model.let_go(there, node)
        elif what == "amend":
            who = msgspec.structs.replace(subject)
            assert view.move(Amend(who)) == [model.amend(who, node)]
        elif what == "settle":
            members = apart(subject)
            assert view.store.presence.settle({view.room: members}) == {view.room: None}
            model.settle(node, members)
        elif what == "bury":
            keys = redis_client.presence_keys(view.room)
            view.store.call([("bury", keys, (node,))])
            model.bury(node)
        view.store.follow_all()
        view.listen()
        assert view.who == model.who
    for view in views:
        view.store.follow_all()
        view.listen()
        assert view.who == model.who
        view.store.close()


@pytest.fixture
def pair(redis: RedisServer) -> Iterator[tuple[View, View]]:
    mark = next(_marks)
    one, two = View(redis, mark), View(redis, mark)
    yield one, two
    one.store.close()
    two.store.close()


def person(name: str, order: int = 0) -> Occupant:
    return Occupant(name, name, name, name[0] * 32, order=order)


def test_a_claim_of_before_takes_nothing_from_who_came_in_elsewhere_since(
    pair: tuple[View, View],
) -> None:
    one, two = pair
    assert one.move(Claim(person("ann"))) == ["in"]
    two.store.follow_all()
    two.listen()
    known = two.who["ann"].mark
    assert two.move(Claim(person("ann"))) == ["moved"], "it was not known to be theirs"
    assert two.move(Claim(person("ann"), "", known)) == ["mine"]
    assert one.move(Claim(person("ann"), "", known)) == ["moved"]
    assert one.who["ann"].nodes == (two.store.presence.node,)
    assert one.move(Claim(person("ann"), "", one.who["ann"].mark)) == ["mine"]


def test_an_amendment_takes_no_name_back_from_a_newer_node(pair: tuple[View, View]) -> None:
    one, two = pair
    ann = person("ann")
    assert one.move(Claim(ann)) == ["in"]
    two.store.follow_all()
    two.listen()
    mark = two.who["ann"].mark
    there = msgspec.structs.replace(ann, seats=(Seat("", ("192.0.2.2",)),))
    assert two.move(Claim(there, over=mark)) == ["mine"]
    stale = msgspec.structs.replace(ann, seats=(Seat("", ("192.0.2.1",), True),))
    assert one.move(Amend(stale)) == ["free"]
    two.store.follow_all()
    two.listen()
    node = two.store.presence.node
    assert two.who["ann"].nodes == (node,)
    assert two.who["ann"].seats == (Seat(node, ("192.0.2.2",)),)
    assert two.move(Release("ann", ann.identity), Amend(there)) == ["free", "free"]
    assert two.who == {}


def test_who_missed_little_hears_what_changed_and_else_who_is_there(
    pair: tuple[View, View],
) -> None:
    one, two = pair
    for number in range(3):
        one.move(Claim(person(f"n{number}")))
    two.store.follow_all()
    two.listen()
    assert two.heard == ["Came"] * 3
    two.heard.clear()
    for number in range(300):
        one.move(Release("n0", "n" * 32), Claim(person(f"m{number}")))
        one.move(Release(f"m{number}", "m" * 32))
    two.store.follow_all()
    two.listen()
    assert two.heard == [], "a whole account came instead of what is no longer there"
    assert two.who == one.who


def test_last_words_are_read_before_it_is_heard_that_someone_went(
    pair: tuple[View, View],
) -> None:
    one, two = pair
    one.move(Claim(person("ann")))
    two.store.follow_all()
    two.store.take_news()
    one.store.append([say("goodbye", log=one.room)], 1)
    one.store.presence.move({one.room: [Release("ann", "a" * 32)]})
    two.store.presence.move({two.room: [Claim(person("bob"))]})
    words, left, came = two.store.take_news()
    assert isinstance(words, News)
    assert isinstance(left, Changes)
    assert left.changes == [Went("ann")]
    assert isinstance(came, Changes)


def test_a_batch_that_is_not_the_next_one_is_looked_up(pair: tuple[View, View]) -> None:
    one, two = pair
    one.move(Claim(person("ann")))
    one.move(Claim(person("bob")))
    pack = msgspec.msgpack.encode
    two.store.presence.told(two.room, two.store.presence._places[two.room].stamp, 2, pack([]))
    two.listen()
    assert list(two.who) == ["ann", "bob"]
    place = two.store.presence._places[two.room]
    two.store.presence.told(two.room, place.stamp, 1, pack([Went("ann")]))
    two.listen()
    assert list(two.who) == ["ann", "bob"], "what is old is old"


def test_a_redis_that_lost_its_tail_begins_another_account(
    pair: tuple[View, View], redis: RedisServer
) -> None:
    one, two = pair
    one.move(Claim(person("ann")))
    one.move(Claim(person("bob")))
    two.store.follow_all()
    two.listen()
    key, _ = redis_client.presence_keys(one.room)
    redis.client.hset(key, "version", 1)
    redis.client.hdel(key, ":bob")
    two.store.follow_all()
    (news,) = two.store.take_news()
    assert isinstance(news, Snapshot)
    assert news.is_other
    one.store.presence.settle({one.room: [person("ann", 1), person("bob", 2)]})
    (news,) = one.store.take_news()
    assert isinstance(news, Snapshot)
    assert news.is_other
    assert news.is_settled
    assert sorted(who.key for who in news.occupants) == ["ann", "bob"]


def test_a_node_that_was_taken_for_dead_goes_on_under_another_name(
    pair: tuple[View, View], redis: RedisServer
) -> None:
    one, two = pair
    presence = one.store.presence
    one.move(Claim(person("ann")))
    before = presence.node
    redis.client.zadd("hubbub:{ nodes}:leases", {before: 1})
    assert two.store.presence.lease({}, may_bury=False).dead == []
    assert two.store.presence.lease({}, may_bury=True).dead == [before]
    two.store.presence.bury(before)
    two.store.follow_all()
    two.listen()
    assert two.who == {}
    assert two.store.presence.lease({}, may_bury=True).dead == [], "once is enough for now"
    leased = presence.lease({one.room: 1}, may_bury=False)
    assert leased.anew
    assert presence.node != before
    presence.settle({one.room: [person("ann", 1)]})
    assert two.store.presence.counts() == {one.room: 1}
    two.store.presence.bury(before)
    two.store.follow_all()
    two.listen()
    assert list(two.who) == ["ann"], "what it holds anew is not the dead one's"
    assert redis.client.zcard("hubbub:{ nodes}:dead") == 0


def test_nobody_is_taken_for_dead_by_who_has_been_away(
    pair: tuple[View, View], redis: RedisServer
) -> None:
    one, two = (view.store.presence for view in pair)
    two.lease({}, may_bury=False)
    redis.client.zadd("hubbub:{ nodes}:leases", {one.node: 1, two.node: 1})
    assert two.lease({}, may_bury=True).dead == []
    redis.client.zadd("hubbub:{ nodes}:leases", {one.node: 1})
    assert two.lease({}, may_bury=True).dead == [one.node]


def test_a_node_that_ends_well_leaves_nothing(pair: tuple[View, View], redis: RedisServer) -> None:
    one, _ = pair
    one.move(Claim(person("ann")))
    one.move(Release("ann", "a" * 32))
    one.store.presence.retire()
    node = one.store.presence.node
    assert redis.client.zscore("hubbub:{ nodes}:leases", node) is None
    assert not redis.client.exists(f"hubbub:{{ nodes}}:rooms:{node}")
