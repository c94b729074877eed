"""Who follows rooms without being in them hears that there is news, and no more than that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.nodes import started
from tests.promises.test_moderation import ask, said, scene
from tests.promises.test_users import tokens, user
from tests.redis import RedisServer
from tests.server import Client, House, house

SOON = 0.05
"""Seconds in which news are gathered here."""


async def news(client: Client) -> list[dict[str, Any]]:
    """What the next news are of."""
    return list((await client.until("news"))["rooms"])


async def test_who_follows_rooms_hears_how_they_stand_and_then_of_what_is_new() -> None:
    async with house(news_interval=SOON) as here, here.client() as ann, here.client() as bob:
        await bob.join("garden", "bob")
        old = await said(bob, "old")
        told = await ask(ann, "follow", rooms=["garden", "attic", "garden"])
        garden = {"room": "garden", "seq": 1, "ts": old["ts"]}
        assert told["type"] == "news"
        assert told["rooms"] == [garden, {"room": "attic", "seq": 0}]
        last = await said(bob, "new")
        (found,) = await news(ann)
        assert found == {"room": "garden", "seq": 2, "ts": last["ts"], "count": 1}


async def test_news_are_gathered_and_say_how_many_and_whom_they_mention() -> None:
    async with house(news_interval=0.4) as here, here.client() as ann, here.client() as bob:
        await bob.join("garden", "bob")
        await bob.join("attic", "bob", keep=True)
        async with here.client() as cy:
            await cy.join("garden", "Cy")
            await ask(ann, "follow", rooms=["garden", "attic"])
            for text in ("one", "@cy two", "three"):
                await ask(bob, "chat", text=text, room="garden")
            await ask(bob, "chat", text="four", room="attic")
            found = {one["room"]: one for one in await news(ann)}
        assert {room: one["count"] for room, one in found.items()} == {"garden": 3, "attic": 1}
        assert found["garden"]["mentions"] == ["Cy"]
        assert "mentions" not in found["attic"]


async def test_only_messages_are_news_and_only_of_rooms_that_one_is_not_in() -> None:
    async with house(news_interval=SOON) as here, here.client() as ann, here.client() as bob:
        await ann.join("attic", "ann")
        await bob.join("attic", "bob")
        await bob.join("garden", "bob", keep=True)
        await ask(bob, "chat", text="one", room="garden")
        await ask(ann, "follow", rooms=["garden", "attic"])
        await ask(bob, "react", seq=1, emoji="\N{THUMBS UP SIGN}", room="garden")
        await ask(bob, "edit", seq=1, text="won", room="garden")
        await ask(bob, "chat", text="here", room="attic")
        last = await ask(bob, "chat", text="two", room="garden")
        heard = []
        while (frame := await ann.hear())["type"] != "news":
            heard.append(frame["type"])
        assert heard.count("chat") == 1
        assert [(one["room"], one["seq"]) for one in frame["rooms"]] == [("garden", last["seq"])]
        # Who has come in hears the room itself.
        await ann.join("garden", "ann", keep=True)
        await ask(bob, "chat", text="three", room="garden")
        await ask(bob, "chat", text="four", room="attic")
        await ann.until("chat", text="four")
        here.server.hub.gazette._look()
        await ann.nothing_more()


async def test_another_list_takes_the_place_of_the_first_and_an_empty_one_ends_it() -> None:
    async with house(news_interval=SOON) as here, here.client() as ann, here.client() as bob:
        await bob.join("garden", "bob")
        await bob.join("attic", "bob", keep=True)
        await ask(ann, "follow", rooms=["garden"])
        await ask(ann, "follow", rooms=["attic"])
        await ask(bob, "chat", text="one", room="garden")
        await ask(bob, "chat", text="two", room="attic")
        assert [one["room"] for one in await news(ann)] == ["attic"]
        assert (await ask(ann, "follow", rooms=[]))["rooms"] == []
        gazette = here.server.hub.gazette
        assert not gazette._circles


async def test_who_is_gone_follows_nothing() -> None:
    async with house(news_interval=SOON) as here:
        async with here.client() as ann:
            await ask(ann, "follow", rooms=["garden"])
            assert here.server.hub.gazette._circles
        async with here.client() as bob:
            await bob.join("garden", "bob")
            await said(bob, "hello")
        while here.server.hub.gazette._timer is not None:
            async with here.client() as bob:
                await ask(bob, "ping")
        assert not here.server.hub.gazette._circles
        assert not here.server.hub.gazette._told


async def test_words_of_who_left_before_anyone_looked_are_news() -> None:
    async with house(news_interval=0.3) as here, here.client() as ann:
        await ask(ann, "follow", rooms=["garden"])
        async with here.client() as bob:
            await bob.join("garden", "bob")
            last = await said(bob, "and gone")
            await ask(bob, "leave")
        (found,) = await news(ann)
        assert (found["room"], found["seq"]) == ("garden", last["seq"])


async def test_one_hears_nothing_of_rooms_that_one_may_not_be_in() -> None:
    rooms = {"news": "r", "team-*": "rw"}
    async with (
        tokens(news_interval=SOON) as here,
        user(here, rooms=rooms) as ann,
        user(here, "bob") as bob,
    ):
        for name in ("news", "secret", "team-a"):
            await bob.join(name, "bob", keep=True)
        told = await ask(ann, "follow", rooms=["news", "secret", "team-a"])
        assert [one["room"] for one in told["rooms"]] == ["news", "team-a"]
        for name in ("secret", "team-a"):
            await ask(bob, "chat", text="x", room=name)
        assert [one["room"] for one in await news(ann)] == ["team-a"]


async def test_who_is_banned_hears_nothing_more_of_the_room() -> None:
    async with scene(news_interval=SOON) as here:
        await here.bob.join("den", "bob", keep=True)  # or the ban ends the connection
        await ask(here.bob, "follow", rooms=["general", "attic"])
        await ask(here.ann, "ban", username="bob")
        await here.bob.until("error", code="banned")
        await here.ann.join("attic", "ann", keep=True)
        await ask(here.ann, "chat", text="secret", room="general")
        await ask(here.ann, "chat", text="open", room="attic")
        assert [one["room"] for one in await news(here.bob)] == ["attic"]
        told = await ask(here.bob, "follow", rooms=["general", "attic"])
        assert [one["room"] for one in told["rooms"]] == ["attic"]


async def test_a_banned_user_hears_nothing_of_the_room_on_a_new_connection() -> None:
    async with tokens() as here, user(here, "bob", mod=True) as bob, user(here) as ann:
        await ann.join("attic", "ann")
        await bob.join("attic", "bob")
        await ask(bob, "ban", username="ann")
        async with user(here) as again:
            assert (await ask(again, "rooms", rooms=["attic"]))["rooms"] == []
            assert (await ask(again, "follow", rooms=["attic"]))["rooms"] == []
        async with user(here, "cy") as other:
            assert len((await ask(other, "follow", rooms=["attic"]))["rooms"]) == 1


async def test_so_many_rooms_can_be_followed_and_their_names_are_looked_at() -> None:
    async with house(max_followed=2) as here, here.client() as ann:
        told = await ask(ann, "follow", rooms=["a", "b", "c"])
        assert (told["code"], told["message"]) == ("invalid", "at most 2 rooms can be followed")
        assert (await ask(ann, "follow", rooms=["a", "x" * 65]))["code"] == "too_long"
        assert (await ask(ann, "follow", rooms=["a\u202e"]))["code"] == "bad_name"
        assert (await ask(ann, "follow", rooms="a"))["code"] == "invalid"


@asynccontextmanager
async def stored(store: str, folder: Path, **settings: Any) -> AsyncIterator[House]:
    more = {"store": f"sqlite:{folder}/chat.db"} if store == "sqlite" else {}
    async with house(news_interval=SOON, **more, **settings) as here:
        yield here


@pytest.mark.parametrize("store", ["memory", "sqlite"])
@pytest.mark.parametrize("history", [0, 50])
async def test_news_come_of_every_store_with_or_without_history(
    store: str, history: int, tmp_path: Path
) -> None:
    async with (
        stored(store, tmp_path, history=history) as here,
        here.client() as ann,
        here.client() as bob,
    ):
        await bob.join("garden", "bob")
        await said(bob, "old")
        assert (await ask(ann, "follow", rooms=["garden"]))["rooms"][0]["seq"] == 1
        last = await said(bob, "new")
        (found,) = await news(ann)
        assert (found["seq"], found["ts"]) == (2, last["ts"])
        assert found.get("count", 0) == (1 if history else 0)
        await ask(bob, "leave")
        told = await ask(ann, "follow", rooms=["garden"])
        assert told["rooms"] == [{"room": "garden", "seq": 2, "ts": last["ts"]}]


async def test_news_come_from_the_other_nodes(redis: RedisServer, tmp_path: Path) -> None:
    flags = ("--news-interval", str(SOON))
    with (
        started(redis, tmp_path, "one", *flags) as one,
        started(redis, tmp_path, "two", *flags) as two,
    ):
        async with one.client() as ann, one.client() as cy, two.client() as bob:
            await bob.join("there", "bob")
            await bob.join("both", "bob", keep=True)
            await cy.join("both", "cy")
            await ask(ann, "follow", rooms=["there", "both"])
            for room in ("there", "both"):
                last = await ask(bob, "chat", text="hello @cy", room=room)
                (found,) = await news(ann)
                assert (found["room"], found["seq"]) == (room, last["seq"])
                # Of a room that nobody on this node is in, only the newest message is looked at.
                assert found.get("mentions") == (["cy"] if room == "both" else None)
