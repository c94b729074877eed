"""Who is in a room is the same on every node, and outlives what nodes and Redis go through."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from tests.nodes import Node, started
from tests.promises.cluster import answer, roster
from tests.promises.test_users import SECRET, token, user
from tests.redis import RedisServer
from tests.server import PATIENCE, Client, Frame, house

Three = tuple[Node, Node, Node]


@pytest.fixture(scope="module")
def nodes(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    folder = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        one, two, three = (
            stack.enter_context(started(redis, folder, name)) for name in ("one", "two", "three")
        )
        yield one, two, three


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
