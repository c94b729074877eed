"""The base protocol, as a ten-line client sees it, field order included."""

import json
import time
from contextlib import AsyncExitStack

from tests.server import Client, house


async def raw(client: Client) -> str:
    text = await client.socket.recv()
    assert isinstance(text, str)
    return text


async def test_a_joiner_is_welcomed_and_then_everyone_hears_of_it() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await ann.say("join", room="general", username="alice")
        welcome = await ann.hear()
        assert list(welcome)[:4] == ["type", "room", "username", "users"]
        assert welcome["users"] == ["alice"]
        assert welcome["count"] == 1
        assert welcome["seq"] == 0
        assert welcome["history"] == []
        assert len(welcome["session"]) >= 22
        assert await raw(ann) == '{"type":"joined","room":"general","username":"alice"}'
        roster = '{"type":"roster","room":"general","users":["alice"],"count":1}'
        assert await raw(ann) == roster

        await bob.say("join", room="general", username="bob")
        both = '{"type":"roster","room":"general","users":["alice","bob"],"count":2}'
        assert (await bob.hear())["users"] == ["alice", "bob"]
        for client in (bob, ann):
            assert await raw(client) == '{"type":"joined","room":"general","username":"bob"}'
            assert await raw(client) == both
            await client.nothing_more()


async def test_a_chat_reaches_everyone_with_its_fields_in_order() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "alice")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        before = time.time_ns() // 1_000_000
        await bob.say("chat", text="  hey \n")
        for client in (ann, bob):
            frame = json.loads(await raw(client))
            assert list(frame) == ["type", "room", "username", "text", "ts", "seq"]
            assert before <= frame.pop("ts") <= time.time_ns() // 1_000_000
            assert frame == {
                "type": "chat",
                "room": "general",
                "username": "bob",
                "text": "hey",
                "seq": 1,
            }


async def test_those_who_remain_hear_of_a_departure_of_any_kind() -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "alice")
        for way in ("leave", "switch", "close", "cut"):
            async with here.client() as bob:
                await bob.join("general", "bob")
                await ann.until("roster", count=2)
                if way == "leave":
                    await bob.say("leave")
                elif way == "switch":
                    await bob.say("join", room="other", username="bob")
                elif way == "close":
                    await bob.socket.close()
                else:
                    bob.socket.transport.abort()
                left = {"type": "left", "room": "general", "username": "bob"}
                roster = {"type": "roster", "room": "general", "users": ["alice"], "count": 1}
                assert await ann.hear_all(2) == [left, roster], way
            await ann.nothing_more()


async def test_who_left_hears_nothing_more_and_is_told_only_if_it_asked() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "alice")
        await bob.join("general", "bob")
        await bob.say("leave")
        await bob.nothing_more()
        await ann.say("chat", text="are you there?")
        await ann.until("chat")
        await bob.nothing_more()
        await bob.join("general", "bob")
        await bob.say("leave", id="done")
        assert await bob.hear() == {
            "type": "left",
            "room": "general",
            "username": "bob",
            "id": "done",
        }
        await bob.say("chat", text="hello?")
        assert (await bob.hear())["code"] == "not_joined"


async def test_a_second_join_switches_rooms() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await ann.join("red", "alice")
        await bob.join("red", "bob")
        await ann.until("roster", count=2)
        await bob.say("join", room="blue", username="bob")
        assert [frame["type"] for frame in await ann.hear_all(2)] == ["left", "roster"]
        blue = await bob.hear_all(3)
        assert [(frame["type"], frame["room"]) for frame in blue] == [
            ("welcome", "blue"),
            ("joined", "blue"),
            ("roster", "blue"),
        ]
        await ann.say("chat", text="only red hears this")
        await ann.until("chat")
        await bob.nothing_more()


async def test_joining_where_one_is_answers_welcome_and_disturbs_nobody() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "alice")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        await bob.say("join", room=" general ", username="bob", id="again")
        welcome = await bob.hear()
        assert welcome["type"] == "welcome"
        assert welcome["id"] == "again"
        assert welcome["users"] == ["alice", "bob"]
        await bob.nothing_more()
        await ann.nothing_more()


async def test_base_errors_have_their_words_and_leave_the_socket_open() -> None:
    async with house() as here, here.client() as ann:
        await ann.say("chat", text="hello?")
        assert await ann.hear() == {
            "type": "error",
            "message": "join a room before chatting",
            "code": "not_joined",
        }
        for room, username in ((" ", "alice"), ("general", "\t\n"), ("", "")):
            await ann.say("join", room=room, username=username)
            assert await ann.hear() == {
                "type": "error",
                "message": "room and username must not be empty",
                "code": "empty_name",
            }
        await ann.join("general", "alice")


async def test_blank_chats_and_binary_frames_are_ignored() -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "alice")
        await ann.say("chat", text=" \n\t ")
        await ann.socket.send(b'{"type":"chat","text":"binary"}')
        await ann.nothing_more()
        await ann.say("chat", text=" ", id="blank")
        error = await ann.hear()
        assert (error["code"], error["id"]) == ("empty", "blank")


async def test_a_refused_join_leaves_one_where_one_was() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await ann.join("red", "alice")
        await bob.join("blue", "bob")
        for room, username in (("blue", "bob"), ("", "x"), ("blue", "a\u202eb")):
            await ann.say("join", room=room, username=username)
            assert (await ann.hear())["type"] == "error"
        await ann.say("chat", text="still here")
        assert (await ann.hear())["room"] == "red"


async def test_one_sees_names_in_the_order_of_joining() -> None:
    async with house() as here, AsyncExitStack() as stack:
        names = ["zoe", "adam", "mia", "bert"]
        for number, name in enumerate(names):
            client = await stack.enter_async_context(here.client())
            assert (await client.join("general", name))["users"] == names[: number + 1]
