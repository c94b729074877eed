"""Who comes back names the last `seq` it saw, and gets the rest."""

from typing import Any

import pytest

from tests.redis import RedisServer
from tests.server import Client, house


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "memory:"
    redis: RedisServer = request.getfixturevalue("redis")
    redis.client.flushall()
    return redis.url


async def say_all(client: Client, *texts: str) -> None:
    for text in texts:
        await client.say("chat", text=text)
        await client.until("chat", text=text)


async def come_back(client: Client, welcome: dict[str, Any], since: int, **more: Any) -> Any:
    fields = {"since": since, "epoch": welcome["epoch"], **more}
    await client.say("join", room="general", username="bob", **fields)
    return await client.hear()


async def test_a_newcomer_is_shown_the_last_chats_whole(store: str) -> None:
    async with house(history=3, store=store) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "alice")
        await say_all(ann, "one", "two", "three", "four")
        welcome = await bob.join("general", "bob")
        assert welcome["seq"] == 4
        assert [event["text"] for event in welcome["history"]] == ["two", "three", "four"]
        assert [event["seq"] for event in welcome["history"]] == [2, 3, 4]
        assert list(welcome["history"][0]) == ["type", "room", "username", "text", "ts", "seq"]


async def test_who_comes_back_gets_all_since_and_then_what_is_live(store: str) -> None:
    async with house(store=store) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "alice")
        async with here.client() as before:
            welcome = await before.join("general", "bob")
        await say_all(ann, "one", "two", "three")
        back = await come_back(bob, welcome, 1)
        assert "history" not in back
        assert "gap" not in back
        assert back["seq"] == 3
        events = await bob.hear_all(4)
        assert [event.get("text") for event in events[:2]] == ["two", "three"]
        assert [event["type"] for event in events[2:]] == ["joined", "roster"]
        await say_all(ann, "four")
        assert (await bob.hear())["seq"] == 4


async def test_a_gap_is_told_in_the_welcome() -> None:
    async with house(tail_events=2) as here, here.client() as ann, here.client() as bob:
        welcome = await ann.join("general", "alice")
        await say_all(ann, "one", "two", "three", "four", "five")
        back = await come_back(bob, welcome, 1)
        assert back["gap"] == {"first": 2, "last": 3}
        assert [event["text"] for event in await bob.hear_all(2)] == ["four", "five"]


async def test_another_log_is_told_as_a_reset_with_history(store: str) -> None:
    async with house(store=store) as here, here.client() as ann, here.client() as bob:
        welcome = await ann.join("general", "alice")
        await say_all(ann, "one", "two")
        for since, epoch in ((1, "another"), (99, welcome["epoch"])):
            back = await come_back(bob, welcome, since, epoch=epoch)
            assert back["reset"] is True
            assert [event["text"] for event in back["history"]] == ["one", "two"]
            await bob.until("roster", count=2)
            await bob.say("leave", id="x")
            await bob.until("left", id="x")


async def test_an_empty_rooms_log_is_kept_a_while(store: str) -> None:
    async with house(store=store) as here, here.client() as ann, here.client() as bob:
        welcome = await ann.join("general", "alice")
        await say_all(ann, "one", "two")
        await ann.say("leave", id="x")
        await ann.until("left", id="x")
        assert "general" not in here.server.lobby.rooms
        back = await come_back(bob, welcome, 1)
        assert back["epoch"] == welcome["epoch"]
        assert (await bob.hear())["text"] == "two"


async def test_a_message_sent_twice_with_its_id_is_in_the_log_once(store: str) -> None:
    async with house(store=store) as here, here.client() as ann, here.client() as bob:
        session = (await ann.join("general", "alice"))["session"]
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        await ann.say("chat", text="once", id="m1")
        first = await ann.hear()
        assert (await bob.hear()) == first
        await ann.say("chat", text="once", id="m1")
        assert await ann.hear() == first, "the answer is the first one, seq and all"
        await ann.say("chat", text="other", id="m1")
        error = await ann.hear()
        assert (error["code"], error["id"]) == ("id_reused", "m1")
        async with here.client() as again:
            await again.say("join", room="general", username="alice", session=session)
            await again.until("welcome")
            await again.say("chat", text="once", id="m1")
            assert await again.hear() == first
        await bob.say("chat", text="bob's own", id="m1")
        mine = await bob.until("chat")
        assert mine["seq"] == 2, "an id belongs to its author"


async def test_who_comes_back_and_goes_on_at_once_has_all_that_was_said_before(store: str) -> None:
    async with house(store=store) as here, here.client() as ann, here.client() as bob:
        welcome = await ann.join("general", "alice")
        await say_all(ann, "one", "two", "three")
        # All in one breath: the replay is still to be read when the next join comes.
        await bob.say("join", room="general", username="bob", since=1, epoch=welcome["epoch"])
        await bob.say("chat", text="last words", id="mine")
        await bob.say("join", room="other", username="bob", id="on")
        heard = []
        while (frame := await bob.hear()).get("id") != "on":
            heard.append(frame)
        assert [frame["seq"] for frame in heard if frame["type"] == "chat"] == [2, 3, 4]
        assert [frame["text"] for frame in heard if frame.get("id") == "mine"] == ["last words"]


async def test_a_welcome_shows_nothing_that_is_no_longer_kept() -> None:
    async with house(tail_events=4, history=50) as here, here.client() as ann:
        await ann.join("general", "ann")
        for number in range(3):
            await ann.say("chat", text=f"word {number}", id=f"c{number}")
            await ann.until("chat", id=f"c{number}")
        for number in range(2):
            await ann.say("edit", seq=3, text=f"other {number}", id=f"e{number}")
            await ann.until("edited", id=f"e{number}")
        async with here.client() as bob:
            welcome = await bob.join("general", "bob")
            assert [one["seq"] for one in welcome["history"]] == [2, 3]
            await bob.say("history", id="h")
            events = (await bob.until("history", id="h"))["events"]
            assert events == welcome["history"]
