"""One socket in several rooms, and crowds."""

from contextlib import AsyncExitStack

from tests.server import house


async def test_with_keep_one_stays_in_the_other_rooms() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await bob.join("red", "bob")
        await ann.join("red", "alice")
        await bob.until("roster", count=2)
        await ann.join("blue", "alice", keep=True)
        await bob.nothing_more()
        await bob.say("chat", text="to red")
        assert (await ann.hear())["room"] == "red"
        await ann.say("chat", text="which?", id="c")
        error = await ann.hear()
        assert (error["code"], error["id"]) == ("room_required", "c")
        await ann.say("chat", text="this one", room=" blue ")
        assert (await ann.hear())["room"] == "blue"
        await ann.say("chat", text="that one", room="green")
        assert (await ann.hear())["code"] == "not_joined"


async def test_leave_without_a_room_leaves_all() -> None:
    async with house() as here, here.client() as ann:
        for room in ("red", "blue", "green"):
            await ann.join(room, "alice", keep=True)
        await ann.say("leave", room="blue", id="one")
        assert await ann.hear() == {
            "type": "left",
            "room": "blue",
            "username": "alice",
            "id": "one",
        }
        await ann.say("leave", id="all")
        assert [frame["room"] for frame in await ann.hear_all(2)] == ["red", "green"]
        await ann.say("leave", id="more")
        assert (await ann.hear())["code"] == "not_joined"
        await ann.say("leave")
        await ann.nothing_more()


async def test_a_join_without_keep_leaves_them_all() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await bob.join("red", "bob")
        await ann.join("red", "alice")
        await ann.join("blue", "alice", keep=True)
        await bob.until("roster", count=2)
        await ann.join("green", "alice")
        assert [frame["type"] for frame in await bob.hear_all(2)] == ["left", "roster"]


async def test_a_socket_may_be_in_so_many_rooms_and_no_more() -> None:
    async with house(max_rooms_per_connection=2) as here, here.client() as ann:
        await ann.join("one", "alice", keep=True)
        await ann.join("two", "alice", keep=True)
        await ann.say("join", room="three", username="alice", keep=True)
        assert (await ann.hear())["code"] == "forbidden"
        await ann.join("three", "alice")


async def test_past_the_crowd_comings_and_goings_are_told_by_the_roster_alone() -> None:
    async with house(crowd=3) as here, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(here.client()) for _ in range(5)]
        for number, client in enumerate(clients[:4]):
            await client.join("general", f"u{number}")
        first = clients[0]
        assert (await first.until("roster", count=3))["users"] == ["u0", "u1", "u2"]
        assert (await first.hear())["count"] == 4, "no `joined` of the one that made it a crowd"
        await clients[4].say("join", room="general", username="u4")
        welcome = await clients[4].hear()
        assert (welcome["type"], welcome["count"]) == ("welcome", 5)
        await first.nothing_more()
        roster = await first.hear()
        assert (roster["type"], roster["count"]) == ("roster", 5)
        for client in clients[3:]:
            await client.socket.close()
        frames = [await first.hear()]
        while frames[-1].get("count") != 3:
            frames.append(await first.hear())
        left = [frame["username"] for frame in frames if frame["type"] == "left"]
        assert left in (["u4"], ["u3"]), "the one with which the crowd ended"


async def test_a_crowds_roster_comes_at_most_once_a_second() -> None:
    async with house(crowd=1) as here, AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(here.client())
        await watcher.join("general", "watcher")
        loop = here.server.hub._loop
        began = loop.time()
        for number in range(20):
            client = await stack.enter_async_context(here.client())
            await client.say("join", room="general", username=f"u{number}")
            await client.until("welcome")
        rosters = 1
        while (await watcher.until("roster"))["count"] < 21:
            rosters += 1
        assert rosters <= 2 + (loop.time() - began), "20 joins made a roster a second, not 20"
