"""How far a user has read is kept, told to their other sockets, and to nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hubbub.store.base import StoreError
from hubbub.store.hints import of_user
from tests.nodes import Node, started
from tests.promises.cluster import answer, until
from tests.promises.test_moderation import ask, said
from tests.promises.test_users import SECRET, token, tokens, user, welcomed
from tests.redis import RedisServer, listeners
from tests.server import Client, House, house


@asynccontextmanager
async def stored(store: str, folder: Path, **settings: Any) -> AsyncIterator[House]:
    more = {"store": f"sqlite:{folder}/chat.db"} if store == "sqlite" else {}
    async with tokens(**more, **settings) as here:
        yield here


async def listed(client: Client, *rooms: str) -> list[dict[str, Any]]:
    """How these rooms stand, without their times."""
    told = await ask(client, "rooms", rooms=list(rooms))
    return [{key: one[key] for key in one if key != "ts"} for one in told["rooms"]]


async def standing(client: Client, room: str) -> tuple[int | None, ...]:
    """How far one has read in a room, what one has not, and how many of that mention one."""
    (one,) = await listed(client, room)
    return tuple(one.get(key) for key in ("read", "unread", "mentions"))


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_what_was_read_is_kept_and_what_was_not_is_counted(
    store: str, tmp_path: Path
) -> None:
    async with (
        stored(store, tmp_path) as here,
        user(here) as ann,
        user(here, "bob", mod=True) as bob,
    ):
        await welcomed(ann, "garden")
        await welcomed(bob, "garden")
        for text in ("one", "two"):
            await said(bob, text)
        assert await standing(ann, "garden") == (None, None, None)
        marked = await ask(ann, "read", seq=1)
        assert marked == {"type": "read", "room": "garden", "seq": 1}
        assert await standing(ann, "garden") == (1, 1, 0)
        for text in ("to @ann", "to @bob", "to @room"):
            await said(bob, text)
        await said(ann, "my own")
        assert await standing(ann, "garden") == (1, 4, 2)
        assert (await ask(ann, "read", seq=6))["seq"] == 6
        assert (await ask(ann, "read", seq=3))["seq"] == 6
        assert await standing(ann, "garden") == (6, 0, 0)
        assert await standing(bob, "garden") == (None, None, None)
        # The list of rooms with someone in them says it, too.
        (room,) = (await ask(ann, "rooms"))["rooms"]
        assert (room["count"], room["read"], room["unread"], room["mentions"]) == (2, 6, 0, 0)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_the_rooms_that_one_has_read_are_listed_with_nobody_in_them(
    store: str, tmp_path: Path
) -> None:
    async with stored(store, tmp_path) as here, user(here, "bob", mod=True) as bob:
        async with user(here) as ann:
            for room in ("attic", "cellar", "garden"):
                await welcomed(bob, room, keep=True)
                await welcomed(ann, room, keep=True)
                await bob.say("chat", room=room, text="one", id=room)
                assert (await answer(bob, room))["seq"] == 1
            for room in ("attic", "garden"):
                await ask(ann, "read", room=room, seq=1)
            await bob.say("ban", room="attic", username="ann", id="ban")
            assert (await answer(bob, "ban"))["type"] == "ok"
            await bob.say("chat", room="garden", text="to @ann", id="more")
            assert (await answer(bob, "more"))["seq"] == 2
        for room in ("attic", "cellar", "garden"):
            await bob.say("leave", room=room, id=f"leave {room}")
            assert (await answer(bob, f"leave {room}"))["type"] == "left"
        async with user(here) as ann:
            told = (await ask(ann, "rooms", mine=True))["rooms"]
            assert [(one["room"], one["count"], one["read"], one["mentions"]) for one in told] == [
                ("garden", 0, 1, 1)
            ]


async def test_a_guest_has_read_nothing() -> None:
    async with house() as here, here.client() as guest:
        refused = await ask(guest, "rooms", mine=True)
        assert (refused["type"], refused["code"]) == ("error", "forbidden")


async def test_ones_other_sockets_hear_of_it_and_nobody_else_does() -> None:
    async with (
        tokens() as here,
        user(here) as desk,
        user(here) as phone,
        user(here) as tablet,
        user(here) as watch,
        user(here, "bob") as bob,
    ):
        for client in (desk, phone, bob):
            await welcomed(client, "garden")
        await ask(tablet, "follow", rooms=["garden"])
        await ask(bob, "follow", rooms=["garden"])
        await said(bob, "one")
        await desk.say("read", seq=1)
        for other in (phone, tablet):
            assert await other.until("read") == {"type": "read", "room": "garden", "seq": 1}
        for stranger in (desk, watch, bob):  # who asked without an id knows it
            await stranger.say("ping")
            heard = []
            while (frame := await stranger.hear())["type"] != "pong":
                heard.append(frame["type"])
            assert "read" not in heard
        async with user(here) as late:
            await ask(late, "rooms")
            await ask(desk, "read", seq=1)
            assert (await late.until("read"))["seq"] == 1
        assert sorted(here.server.hub.markers._users) == ["ann", "bob"]
    assert not here.server.hub.markers._users


async def test_one_need_not_be_in_a_room_to_have_read_it_but_has_to_be_let_in() -> None:
    rooms = {"garden": "r"}
    async with tokens() as here, user(here, rooms=rooms) as ann, user(here, "bob") as bob:
        await welcomed(bob, "garden")
        await welcomed(bob, "attic", keep=True)
        for room in ("garden", "attic"):
            await ask(bob, "chat", text="hello", room=room)
        assert (await ask(ann, "read", seq=1, room="garden"))["seq"] == 1
        refused = await ask(ann, "read", seq=1, room="attic")
        assert (refused["code"], refused["message"]) == ("forbidden", "you may not be in attic")
        assert (await ask(ann, "read", seq=1))["code"] == "not_joined"
        assert (await ask(bob, "read", seq=1))["code"] == "room_required"
        late = await ask(ann, "read", seq=2, room="garden")
        assert (late["code"], late["message"]) == ("not_found", "garden has not come to seq 2")
        assert (await ask(ann, "read", seq=1, room="cellar\u202e"))["code"] == "bad_name"
        assert [one["room"] for one in await listed(ann, "garden", "attic")] == ["garden"]


async def test_a_guest_has_no_marker_but_may_ask_how_rooms_stand() -> None:
    async with tokens(auth="optional") as here, here.client() as guest, user(here) as ann:
        await guest.join("garden", "guest")
        await said(guest, "hello")
        refused = await ask(guest, "read", seq=1)
        assert refused["code"] == "forbidden"
        assert refused["message"] == "only users with a token have their reading kept"
        wanted = {"room": "garden", "count": 1, "seq": 1}
        empty = {"room": "cellar", "count": 0}
        assert await listed(guest, "garden", "cellar") == [empty, wanted]
        assert await listed(ann, "cellar", "garden", "cellar") == [empty, wanted]


async def test_as_many_rooms_as_can_be_followed_can_be_asked_for() -> None:
    async with tokens(max_followed=2) as here, user(here) as ann:
        told = await ask(ann, "rooms", rooms=["a", "b", "c"])
        assert (told["code"], told["message"]) == ("invalid", "at most 2 rooms can be named")
        assert (await ask(ann, "rooms", rooms=["x" * 65]))["code"] == "too_long"
        told = await ask(ann, "rooms", rooms=["b", "a"], limit=1)
        assert ([one["room"] for one in told["rooms"]], told["more"]) == (["a"], True)


async def test_what_a_store_cannot_keep_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with tokens() as here, user(here) as ann, user(here) as phone:
        await welcomed(ann, "garden")
        await welcomed(phone, "garden")
        await said(ann, "one")
        monkeypatch.setattr(
            here.server.hub.keeper, "mark", lambda _, done: done(StoreError("the disk is full"))
        )
        refused = await ask(ann, "read", seq=1)
        assert (refused["code"], refused["retry_after"]) == ("storage_unavailable", 1.0)
        monkeypatch.undo()
        assert (await ask(ann, "read", seq=1))["seq"] == 1
        assert (await phone.until("read"))["seq"] == 1


async def test_what_gathers_while_the_store_works_is_kept_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        tokens() as here,
        user(here) as ann,
        user(here, "bob") as bob,
        user(here, "cy") as cy,
        user(here, "dan") as dan,
    ):
        for client in (ann, bob, cy):
            await welcomed(client, "garden")
        for text in ("one", "two"):
            await said(ann, text)
        keeper = here.server.hub.keeper
        asked: list[Any] = []
        monkeypatch.setattr(keeper, "mark", lambda marks, done: asked.append((marks, done)))
        await ann.say("read", seq=1, id="a")
        while not asked:
            await ask(dan, "ping")
        for client, name in ((bob, "b"), (cy, "c")):
            await client.say("read", seq=2, id=name)
        while len(here.server.hub.markers._waiting) < 2:
            await ask(dan, "ping")
        monkeypatch.undo()
        ((marks, done),) = asked
        batches: list[int] = []
        mark = keeper.mark

        def count(marks: Any, done: Any) -> None:
            batches.append(len(marks))
            mark(marks, done)

        monkeypatch.setattr(keeper, "mark", count)
        mark(marks, done)
        for client, name, seq in ((ann, "a", 1), (bob, "b", 2), (cy, "c", 2)):
            assert (await client.until("read", id=name))["seq"] == seq
        assert batches == [2]


@pytest.mark.parametrize("how", ["inside", "follows", "both"])
async def test_the_other_nodes_are_told(redis: RedisServer, tmp_path: Path, how: str) -> None:
    redis.flush()
    flags = ("--auth", "required", "--jwt-secret", SECRET)
    headers = {"Authorization": f"Bearer {token()}"}

    def ann(node: Node) -> Any:
        return node.client(additional_headers=headers)

    with (
        started(redis, tmp_path, "one", *flags) as one,
        started(redis, tmp_path, "two", *flags) as two,
    ):
        bearer = {"Authorization": f"Bearer {token('bob')}"}
        async with (
            ann(one) as desk,
            ann(two) as phone,
            ann(two) as tablet,
            two.client(additional_headers=bearer) as bob,
        ):
            for client in (desk, bob):
                await welcomed(client, "garden")
            if how != "follows":
                await welcomed(phone, "garden")
            if how != "inside":
                await ask(tablet, "follow", rooms=["garden"])
            await until(lambda: listeners(redis.client, of_user("ann")) == 2)
            await said(bob, "to @ann")
            await desk.until("chat")
            assert (await ask(desk, "read", seq=1))["seq"] == 1
            if how != "follows":
                assert (await phone.until("read"))["seq"] == 1
            if how != "inside":
                assert (await tablet.until("read"))["seq"] == 1
            await said(bob, "to @ann again")
            assert await standing(tablet, "garden") == (1, 1, 1)
            assert await standing(desk, "garden") == (1, 1, 1)
