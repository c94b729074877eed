"""Which rooms there are, for who may see them."""

from __future__ import annotations

from tests.promises.test_moderation import ask, said, scene
from tests.promises.test_users import tokens, user
from tests.server import house


async def test_rooms_are_listed_with_what_they_are_about_and_where_they_stand() -> None:
    async with scene() as here, here.here.client() as dan:
        await ask(here.ann, "topic", topic="Tea")
        last = await said(here.bob, "hello")
        await dan.join("a quiet one", "dan")
        told = await ask(dan, "rooms")
        assert told == {
            "type": "rooms",
            "rooms": [
                {"room": "a quiet one", "count": 1},
                {"room": "general", "count": 3, "seq": 2, "ts": last["ts"], "topic": "Tea"},
            ],
            "more": False,
        }


async def test_a_list_of_rooms_goes_on_where_it_ended() -> None:
    async with house() as here, here.client() as ann:
        for name in ("c", "a", "b"):
            await ann.join(name, "ann", keep=True)
        told = await ask(ann, "rooms", limit=2)
        assert ([one["room"] for one in told["rooms"]], told["more"]) == (["a", "b"], True)
        told = await ask(ann, "rooms", limit=2, after="b")
        assert ([one["room"] for one in told["rooms"]], told["more"]) == (["c"], False)


async def test_only_rooms_that_a_token_lets_one_into_are_listed() -> None:
    rooms = {"news": "r", "team-*": "rw"}
    async with tokens() as here, user(here, rooms=rooms) as ann, user(here, "bob") as bob:
        for name in ("news", "secret", "team-a"):
            await bob.join(name, "bob", keep=True)
        told = await ask(ann, "rooms")
        assert [one["room"] for one in told["rooms"]] == ["news", "team-a"]
