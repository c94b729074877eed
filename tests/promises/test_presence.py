"""Who is in a room is the same on every node, and outlives what nodes and Redis go through."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hubbub.delivery.presence import SLACK
from tests.nodes import Node, started
from tests.promises.test_users import SECRET, token, user
from tests.redis import RedisServer, redis_server
from tests.server import PATIENCE, Client, Frame, house
from tests.torture.link import Link

LEASE = 2.0
SEED = int(os.environ.get("SEED", "0"))
Three = tuple[Node, Node, Node]


@pytest.fixture(scope="module")
def nodes(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    folder = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        one, two, three = (
            stack.enter_context(started(redis, folder, name)) for name in ("one", "two", "three")
        )
        yield one, two, three


async def roster(client: Client, *users: str) -> None:
    """Wait until the roster is this."""
    while (await client.until("roster"))["users"] != list(users):
        pass


async def test_every_node_tells_the_same_roster_in_the_same_order(nodes: Three) -> None:
    people = 12
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(nodes[n % 3].client()) for n in range(people)]
        names = [f"c{number:02}" for number in range(people)]
        await asyncio.gather(
            *(
                client.say("join", room="same", username=n)
                for client, n in zip(clients, names, strict=True)
            )
        )

        async def settled(client: Client) -> list[str]:
            users: list[str] = []
            while sorted(users) != names:
                users = (await client.until("roster"))["users"]
            return users

        first, *others = await asyncio.gather(*map(settled, clients))
        assert all(other == first for other in others)
        async with nodes[1].client() as late:
            welcome = await late.join("same", "late")
            assert welcome["users"] == [*first, "late"]
            assert welcome["count"] == people + 1
            for client in clients:
                await client.until("joined", username="late")
                await roster(client, *first, "late")
        for client in clients:
            await client.until("left", username="late")
            await roster(client, *first)


async def test_nobodys_left_overtakes_their_last_words(nodes: Three) -> None:
    one, two, _ = nodes
    async with two.client() as bob:
        await bob.join("words", "bob")
        for number in range(20):
            async with one.client() as ann:
                await ann.join("words", f"ann{number}")
                for word in ("a", "b", "last"):
                    await ann.say("chat", text=word)
            heard: list[Frame] = []
            while not heard or heard[-1]["type"] != "left":
                heard.append(await bob.hear())
            told = [one.get("text", one["type"]) for one in heard if one["type"] != "roster"]
            assert told == ["joined", "a", "b", "last", "left"]


@pytest.mark.parametrize("names", [["ann"], ["Ann", "ann", "аnn", "ANN"]])
async def test_of_many_who_want_a_name_on_all_nodes_one_gets_it(
    nodes: Three, names: list[str]
) -> None:
    room = f"race {len(names)}"
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(nodes[n % 3].client()) for n in range(50)]
        await asyncio.gather(
            *(
                client.say("join", room=room, username=names[number % len(names)], id="me")
                for number, client in enumerate(clients)
            )
        )
        answers = [await answer(client, "me") for client in clients]
        won = [one for one in answers if one["type"] == "welcome"]
        assert len(won) == 1
        assert {one["code"] for one in answers if one["type"] == "error"} == {"name_taken"}
        assert won[0]["users"] == [won[0]["username"]]
        for number, node in enumerate(nodes):
            late = await stack.enter_async_context(node.client())
            there = (await late.join(room, f"late{number}"))["users"]
            assert len(there) == number + 2, "also where they were refused"


async def answer(client: Client, id: str) -> Frame:
    while (frame := await client.hear()).get("id") != id:
        pass
    return frame


async def test_a_name_that_was_left_is_free_on_every_node(nodes: Three) -> None:
    one, two, _ = nodes
    async with one.client() as ann, two.client() as other:
        await ann.join("free", "ann")
        await other.say("join", room="free", username="ann", id="1")
        assert (await answer(other, "1"))["code"] == "name_taken"
        await ann.say("leave", id="out")
        await answer(ann, "out")
        while True:  # it is free when Redis knows it, which is soon
            await other.say("join", room="free", username="ann", id="2")
            if (await answer(other, "2"))["type"] == "welcome":
                break


async def test_who_leaves_and_comes_again_at_once_is_there(nodes: Three) -> None:
    one, two, _ = nodes
    async with one.client() as ann, two.client() as bob:
        await bob.join("again", "bob")
        for number in range(20):
            await ann.say("join", room="again", username="ann", id="in")
            await ann.say("leave", id="out")
            await ann.say("join", room="again", username=f"ann{number}", id="once more")
            await answer(ann, "once more")
            await ann.say("join", room="again", username="ann", id="renamed")
            await answer(ann, "renamed")
        await bob.say("join", room="again", username="robert", id="me")
        assert (await answer(bob, "me"))["users"] == ["ann", "robert"]


async def test_who_goes_before_they_are_let_in_is_not_there(nodes: Three) -> None:
    one, two, _ = nodes
    async with two.client() as bob, one.client() as stays:
        await bob.join("hasty", "bob")
        await stays.join("hasty", "stays")
        await bob.until("roster", count=2)
        for number in range(10):
            async with one.client() as ann:
                await ann.say("join", room="hasty", username=f"ann{number}")
                ann.socket.transport.abort()
        async with one.client() as late:
            await late.join("hasty", "late")
        heard = [await bob.hear()]
        while heard[-1] != {"type": "left", "room": "hasty", "username": "late"}:
            heard.append(await bob.hear())
        came = [frame["username"] for frame in heard if frame["type"] == "joined"]
        left = [frame["username"] for frame in heard if frame["type"] == "left"]
        assert sorted(came) == sorted(left)
        await roster(bob, "bob", "stays")


async def test_rooms_are_counted_before_one_more_is_let_be(redis: RedisServer) -> None:
    async with house(store=redis.url, max_rooms=1) as here, here.client() as ann:
        await ann.join("first", "ann")
        async with here.client() as bob:
            await bob.join("first", "bob")
            await bob.say("join", room="second", username="bob", keep=True, id="no")
            assert (await answer(bob, "no"))["code"] == "forbidden"


async def test_another_name_refused_leaves_one_the_old(nodes: Three) -> None:
    one, two, _ = nodes
    async with one.client() as ann, two.client() as bob:
        await ann.join("rename", "ann")
        await bob.join("rename", "bob")
        await ann.until("joined", username="bob")
        await ann.say("join", room="rename", username="Bob", id="1")
        assert (await answer(ann, "1"))["code"] == "name_taken"
        await ann.say("chat", text="still ann")
        assert (await bob.until("chat"))["username"] == "ann"
        await ann.say("join", room="rename", username="anna", id="2")
        assert (await answer(ann, "2"))["users"] == ["bob", "anna"]
        assert (await bob.until("left"))["username"] == "ann"
        assert (await bob.until("joined"))["username"] == "anna"


async def test_a_session_on_another_node_takes_the_name_over_quietly(nodes: Three) -> None:
    one, two, three = nodes
    async with one.client() as ann, two.client() as again, three.client() as bob:
        session = (await ann.join("mine", "ann"))["session"]
        await bob.join("mine", "bob")
        await again.say("join", room="mine", username="ann", session=session)
        assert (await again.until("welcome"))["users"] == ["ann", "bob"]
        assert (await ann.closed())[0] == 4409
        await again.say("chat", text="here")
        assert (await bob.hear())["text"] == "here", "and nothing before it"
    async with three.client() as late:
        assert (await late.join("mine", "late"))["users"] == ["late"]


async def test_a_user_on_two_nodes_is_listed_once_and_leaves_with_the_last(
    redis: RedisServer,
) -> None:
    settings = {"store": redis.url, "auth": "optional", "jwt_secret": SECRET}
    async with house(**settings) as one, house(**settings) as two, two.client() as bob:
        await bob.join("users", "bob")
        async with user(two, "una") as there:
            async with user(one, "una", name="Una") as here:
                welcome = await here.join("users", "una")
                assert (welcome["users"], welcome["guests"]) == (["bob", "una"], ["bob"])
                joined = await bob.until("joined", username="una")
                assert joined["name"] == "Una"
                await there.say("join", room="users")
                assert (await there.until("welcome"))["users"] == ["bob", "una"]
                await here.say("auth", token=token("una", name="Una Ünal"), id="new")
                await bob.until("roster", names={"una": "Una Ünal"})
            await there.say("chat", text="still here")
            assert (await bob.until("chat"))["username"] == "una"
            await bob.nothing_more()
        await bob.until("left", username="una")
        await roster(bob, "bob")


async def test_a_user_whose_sockets_relieve_each_other_stays(redis: RedisServer) -> None:
    settings = {"store": redis.url, "auth": "required", "jwt_secret": SECRET}
    async with (
        house(**settings) as one,
        house(**settings) as two,
        user(two, "bea") as bea,
        user(one, "una") as first,
        user(one, "una") as second,
    ):
        await bea.join("relief", "bea")
        await first.join("relief", "una")
        pairs = [(first, second), (second, first)]
        for here, other in pairs * 15:
            await asyncio.gather(
                other.say("join", room="relief", id="in"), here.say("leave", id="out")
            )
            assert (await answer(other, "in"))["users"] == ["bea", "una"]
        await first.say("chat", text="the last")
        heard = [await bea.hear()]
        while heard[-1].get("text") != "the last":
            heard.append(await bea.hear())
        assert [one["type"] for one in heard] == ["joined", "roster", "chat"]


async def test_a_user_gets_their_name_from_a_guest_on_another_node(redis: RedisServer) -> None:
    settings = {"store": redis.url, "auth": "optional", "jwt_secret": SECRET}
    async with (
        house(**settings) as one,
        house(**settings) as two,
        one.client() as guest,
        user(two, "zoe") as zoe,
        one.client() as bob,
    ):
        await guest.join("guests", "zoe")
        await bob.join("guests", "bob")
        await zoe.join("guests", "zoe")
        error = await guest.until("error")
        assert (error["code"], error["room"]) == ("name_taken", "guests")
        await bob.until("left", username="zoe")
        await bob.until("joined", username="zoe")
        await roster(bob, "bob", "zoe")
        await guest.say("chat", text="who am I?", id="no")
        assert (await answer(guest, "no"))["code"] == "not_joined"


async def test_what_hints_do_not_tell_is_looked_up(redis: RedisServer) -> None:
    async with (
        house(store=redis.url) as one,
        house(store=redis.url) as two,
        one.client() as ann,
        two.client() as bob,
        two.client() as cy,
    ):
        await ann.join("hints", "ann")
        await bob.join("hints", "bob")
        await ann.until("joined", username="bob")
        redis.client.client_kill_filter(_type="pubsub")
        await cy.join("hints", "cy")
        await ann.until("joined", username="cy")
        await roster(ann, "ann", "bob", "cy")


async def test_rooms_of_all_nodes_are_listed_on_each(nodes: Three) -> None:
    one, two, three = nodes
    async with one.client() as ann, two.client() as bob, two.client() as cy:
        await ann.join("listed here", "ann")
        await bob.join("listed there", "bob")
        await cy.join("listed there", "cy")
        for node in (one, two, three):
            async with asyncio.timeout(PATIENCE):
                while True:  # counts of rooms that are open elsewhere alone come now and then
                    rooms = await node.rooms()
                    if (rooms.get("listed here"), rooms.get("listed there")) == (1, 2):
                        break


async def test_a_moderator_names_people_on_other_nodes(nodes: Three) -> None:
    one, two, _ = nodes
    async with one.client() as mod, two.client() as bob:
        await mod.join("order", "mod")
        await bob.join("order", "bob")
        await mod.until("joined", username="bob")
        await mod.say("mod", password="hush", id="m")
        await answer(mod, "m")
        await mod.say("kick", username="bob", id="k")
        assert (await answer(mod, "k"))["type"] == "ok"
        assert (await bob.until("error"))["code"] == "kicked"
        await mod.until("left", username="bob")


async def test_a_crowd_of_all_nodes_is_one(redis: RedisServer, tmp_path: Path) -> None:
    with (
        started(redis, tmp_path, "one", "--crowd", "5") as one,
        started(redis, tmp_path, "two", "--crowd", "5") as two,
    ):
        async with AsyncExitStack() as stack, one.client() as ann:
            await ann.join("crowd", "ann")
            for number in range(10):
                client = await stack.enter_async_context((one, two)[number % 2].client())
                await client.say("join", room="crowd", username=f"c{number}", id="me")
                await answer(client, "me")
            joined = 0
            while (frame := await ann.hear()).get("count") != 11:
                joined += frame["type"] == "joined"
            assert joined == 4, "after that it was a crowd"


# What nodes and Redis go through


class Cluster:
    """Nodes of a test's own, with a short lease."""

    def __init__(self, stack: ExitStack, redis: RedisServer, folder: Path) -> None:
        self.redis = redis
        self.nodes: list[Node] = []
        self._stack, self._folder = stack, folder

    def node(self, link: Link | None = None) -> Node:
        """One more; with `link`, it reaches Redis through that."""
        name = str(len(self.nodes))
        node = started(link or self.redis, self._folder, name, "--lease", str(LEASE))
        self.nodes.append(self._stack.enter_context(node))
        return self.nodes[-1]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server())
        yield Cluster(stack, redis, tmp_path)


async def until(found: Callable[[], Any]) -> None:
    """Wait for what can only be looked at."""
    async with asyncio.timeout(PATIENCE + LEASE + SLACK):
        while not found():  # noqa: ASYNC110 - it is another process that changes it
            await asyncio.sleep(0.05)


async def has_nodes(node: Node, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await node.get("/health"))[1].get("nodes") != count:
            pass


async def quiet(client: Client) -> None:
    """Nothing has come since what was read."""
    await client.say("ping", id="still")
    heard = [await client.hear()]
    while heard[-1] != {"type": "pong", "id": "still"}:
        heard.append(await client.hear())
    assert heard[:-1] == []


async def may_bury() -> None:
    """Nodes that have just started take nobody for dead."""
    await asyncio.sleep(LEASE + SLACK + 1)


async def test_a_dead_nodes_people_leave_once_when_its_lease_ends(cluster: Cluster) -> None:
    dying, two, three = cluster.node(), cluster.node(), cluster.node()
    async with dying.client() as ann, two.client() as bob, three.client() as cy:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await cy.join("general", "cy")
        await bob.until("roster", count=3)
        await may_bury()
        dying.send(signal.SIGKILL)
        died = time.monotonic()
        for client in (bob, cy):
            assert (await client.hear())["username"] == "ann"
            assert time.monotonic() - died < LEASE + 1
            assert (await client.hear())["users"] == ["bob", "cy"]
        await asyncio.sleep(LEASE)  # another survivor has noticed, too
        for client in (bob, cy):
            await quiet(client)


async def test_a_node_that_stood_still_is_out_and_comes_back(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, one.client() as dan, two.client() as bob:
        session = (await ann.join("general", "ann"))["session"]
        await dan.join("general", "dan")
        await bob.join("general", "bob")
        await ann.until("roster", count=3)
        await may_bury()
        one.send(signal.SIGSTOP)
        # Those of a dead node leave at once, in no promised order.
        assert {(await bob.until("left"))["username"] for _ in range(2)} == {"ann", "dan"}
        async with two.client() as thief:
            await thief.join("general", "ann")
            one.send(signal.SIGCONT)
            error = await ann.until("error")
            assert (error["code"], error["room"]) == ("name_taken", "general")
            await bob.until("joined", username="dan")
            async with asyncio.timeout(PATIENCE):
                while True:
                    await bob.say("join", room="general", username="bob", id="look")
                    users = (await answer(bob, "look"))["users"]
                    if sorted(users) == ["ann", "bob", "dan"]:
                        break
            await dan.say("join", room="general", username="dan", id="look")
            assert (await answer(dan, "look"))["users"] == users
            await ann.say("join", room="general", username="ann", session=session, id="me")
            assert (await answer(ann, "me"))["code"] == "name_taken"


async def test_a_pause_of_redis_makes_nobody_leave_or_join(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob, one.client() as gone:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await gone.join("general", "gone")
        await ann.until("roster", count=3)
        await bob.until("roster", count=3)
        await may_bury()
        for pause in ("stop", "restart"):
            if pause == "stop":
                cluster.redis.send(signal.SIGSTOP)
            else:
                cluster.redis.kill()
            await ann.say("join", room="other", username="ann", keep=True, id="no")
            assert (await answer(ann, "no"))["code"] == "storage_unavailable"
            await asyncio.sleep(LEASE + 1)  # every lease has ended
            if pause == "stop":
                cluster.redis.send(signal.SIGCONT)
            else:
                await gone.socket.close()
                cluster.redis.start()
            await asyncio.sleep(LEASE + SLACK + 1)  # if anyone were taken for dead, then by now
            for client in (ann, bob):
                if pause == "restart":
                    assert (await client.hear())["username"] == "gone"
                    assert (await client.hear())["users"] == ["ann", "bob"]
                await quiet(client)
        await ann.say("join", room="other", username="ann", keep=True, id="yes")
        assert (await answer(ann, "yes"))["users"] == ["ann"]


async def test_a_join_that_was_given_up_puts_nobody_out_later(cluster: Cluster) -> None:
    """It waits in a network that hangs, and so long they come in elsewhere."""
    async with linked(cluster.redis) as link:
        one = await asyncio.to_thread(cluster.node, link)  # while the link passes on what it says
        two = cluster.node()
        async with two.client() as bob, two.client() as ann, one.client() as dan:
            session = (await ann.join("general", "ann"))["session"]
            await bob.join("general", "bob")
            await dan.join("general", "dan")
            await bob.until("roster", count=3)
            link.hang()
            async with one.client() as gone:
                await gone.say("join", room="general", username="ann", session=session)
                await until(lambda: b"_move" in link.held)
            async with two.client() as live:
                await live.join("general", "ann", session=session)
                assert (await ann.closed())[0] == 4409
                link.mend()
                await stays(live, one, bob)


@asynccontextmanager
async def linked(redis: RedisServer) -> AsyncIterator[Link]:
    link = Link(redis.port)
    await link.open()
    try:
        yield link
    finally:
        await link.close()


async def test_a_join_that_was_given_up_while_its_node_stood_still_puts_nobody_out(
    cluster: Cluster,
) -> None:
    one, two = cluster.node(), cluster.node()
    async with two.client() as bob, two.client() as ann, one.client() as dan:
        session = (await ann.join("general", "ann"))["session"]
        await bob.join("general", "bob")
        await dan.join("general", "dan")
        await bob.until("roster", count=3)
        async with one.client() as gone:
            one.send(signal.SIGSTOP)
            await gone.say("join", room="general", username="ann", session=session)
            gone.socket.transport.abort()
        async with two.client() as live:
            await live.join("general", "ann", session=session)
            assert (await ann.closed())[0] == 4409
            one.send(signal.SIGCONT)
            await stays(live, one, bob)


async def stays(live: Client, node: Node, bob: Client) -> None:
    """`live` is not put out by what the node has done before it lets someone in."""
    async with node.client() as eve:
        while True:  # Redis may have been away for it
            await eve.say("join", room="general", username="eve", id="in")
            if (await answer(eve, "in"))["type"] == "welcome":
                break
        await bob.until("joined", username="eve")
        await live.say("chat", text="here", id="here")
        assert (await answer(live, "here"))["type"] == "chat"


async def test_a_redis_that_lost_all_learns_who_is_there(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob, two.client() as cy:
        for name, client in (("ann", ann), ("bob", bob), ("cy", cy)):
            await client.join("general", name)
        await ann.until("roster", count=3)
        await bob.until("roster", count=3)
        redis = cluster.redis.client
        redis.flushall()
        await until(lambda: redis.hlen("hubbub:{general}:here") == 3 + 3)
        async with one.client() as dan:
            welcome = await dan.join("general", "dan")
            assert welcome["users"] == ["ann", "bob", "cy", "dan"]
            for client in (ann, bob):
                heard = [await client.hear()]
                while heard[-1].get("users") != ["ann", "bob", "cy", "dan"]:
                    heard.append(await client.hear())
                told = [one["username"] for one in heard if one["type"] in {"joined", "left"}]
                assert told == ["dan"]


async def test_who_was_lost_with_redis_and_is_not_told_again_is_gone(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        two.send(signal.SIGKILL)
        cluster.redis.client.flushall()
        assert (await ann.until("left"))["username"] == "bob"
        await roster(ann, "ann")


async def test_a_node_that_stops_is_out_of_all_rosters_at_once(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        await has_nodes(one, 2)
        two.send(signal.SIGTERM)
        await ann.until("left", username="bob")
        two.end()
        await has_nodes(one, 1)
        redis = cluster.redis.client
        assert len(redis.keys("hubbub:{ nodes}:rooms:*")) == 1


class Wanderer:
    """Comes and goes at random, and knows where it is."""

    def __init__(self, client: Client, name: str, dice: Random) -> None:
        self.client, self.name, self.dice = client, name, dice
        self.where: dict[str, str] = {}
        self.halfway = asyncio.Event()

    async def answer(self, id: str) -> Frame:
        while (frame := await self.client.hear()).get("id") != id:
            if frame["type"] == "error":  # it was put out, because someone else had the name
                assert frame["code"] == "name_taken"
                self.where.pop(frame["room"], None)
        return frame

    async def wander(self, steps: int) -> None:
        for step in range(steps):
            if step == steps // 2:
                self.halfway.set()
            room = self.dice.choice(["red", "blue"])
            if self.where and self.dice.random() < 0.3:
                await self.client.say("leave", id=str(step))
                await self.answer(str(step))
                self.where.clear()
                continue
            name = self.dice.choice([self.name, "anyone", "Anyone", f"{self.name}!"])
            keep = self.dice.random() < 0.5
            await self.client.say("join", room=room, username=name, keep=keep, id=str(step))
            came = await self.answer(str(step))
            if came["type"] == "welcome":
                self.where = {**(self.where if keep else {}), room: name}
            elif came["code"] == "storage_unavailable":
                await asyncio.sleep(0.1)
            else:
                assert came["code"] == "name_taken"


@pytest.mark.parametrize("trouble", ["none", "restart", "flush", "stop", "node"])
async def test_every_roster_is_who_is_there_in_the_end(cluster: Cluster, trouble: str) -> None:
    nodes = [cluster.node() for _ in range(3)]
    redis = cluster.redis
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(nodes[n % 3].client()) for n in range(18)]
        people = [
            Wanderer(client, f"c{number}", Random(SEED + number))
            for number, client in enumerate(clients)
        ]
        first = people[0]
        if trouble == "node":
            await may_bury()
        wandering = asyncio.gather(*(one.wander(40) for one in people))
        await first.halfway.wait()
        if trouble == "restart":
            redis.kill()
            redis.start()
        elif trouble == "flush":
            redis.client.flushall()
        elif trouble == "stop":
            redis.send(signal.SIGSTOP)
            await asyncio.sleep(1)
            redis.send(signal.SIGCONT)
        elif trouble == "node":
            nodes[1].send(signal.SIGSTOP)
            await asyncio.sleep(LEASE + 2)
            nodes[1].send(signal.SIGCONT)
        await wandering

        async def agree() -> bool:
            for room in ("red", "blue"):
                there = sorted(one.where[room] for one in people if room in one.where)
                told = []
                for one in people:
                    if room in one.where:
                        fields = {"room": room, "username": one.where[room], "keep": True}
                        await one.client.say("join", **fields, id="look")
                        told.append((await one.answer("look")).get("users", []))
                if any(sorted(users) != there or users != told[0] for users in told):
                    return False
            return True

        async with asyncio.timeout(30):
            while not await agree():
                pass
