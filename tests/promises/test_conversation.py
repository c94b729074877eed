"""People answer each other and react to what was said, and all see the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.promises.test_moderation import Scene, ask, said, scene
from tests.server import Client, Frame, house

THUMB = "\N{THUMBS UP SIGN}"


async def test_a_reply_shows_what_it_answers_and_a_thread_shows_all_replies() -> None:
    async with scene() as here:
        await said(here.bob, "does it rain? " + "x" * 200)
        told = await ask(here.ann, "chat", text="no", reply_to=1)
        quote = {"seq": 1, "username": "bob", "text": ("does it rain? " + "x" * 200)[:120]}
        assert told["reply"] == quote
        assert (await here.cy.until("chat", seq=2))["reply"] == quote
        await said(here.bob, "a plain one")
        await ask(here.cy, "chat", text="yes", reply_to=1)
        thread = await ask(here.bob, "thread", seq=1)
        assert (thread["type"], thread["seq"], thread["more"]) == ("thread", 1, False)
        assert [event["seq"] for event in thread["events"]] == [1, 2, 4]
        older = await ask(here.bob, "thread", seq=1, limit=1)
        assert [event["seq"] for event in older["events"]] == [1, 4]
        assert older["more"] is True
        older = await ask(here.bob, "thread", seq=1, limit=1, before=4)
        assert ([event["seq"] for event in older["events"]], older["more"]) == ([1, 2], False)


async def test_a_reply_to_nothing_is_refused_and_a_plain_message_is_as_it_was() -> None:
    async with scene() as here:
        for seq in (1, 99):
            assert (await ask(here.bob, "chat", text="hm", reply_to=seq))["code"] == "not_found"
            assert (await ask(here.bob, "react", seq=seq, emoji=THUMB))["code"] == "not_found"
            assert (await ask(here.bob, "thread", seq=seq))["code"] == "not_found"
        await said(here.bob, "gone")
        await ask(here.bob, "delete", seq=1)
        assert (await ask(here.cy, "chat", text="hm", reply_to=1))["code"] == "not_found"
        await here.ann.say("chat", text="plain")
        plain = await here.ann.until("chat", seq=3)
        assert list(plain) == ["type", "room", "username", "text", "ts", "seq"]


async def test_deleted_words_are_gone_from_replies_for_those_who_come_later() -> None:
    async with scene() as here:
        await said(here.bob, "my secret")
        await ask(here.cy, "chat", text="oh", reply_to=1)
        await ask(here.cy, "react", seq=1, emoji=THUMB)
        await ask(here.bob, "delete", seq=1)
        async with here.here.client() as dan, here.here.client() as eve:
            welcome = await dan.join("general", "dan")
            first, reply = welcome["history"]
            assert (first["text"], first["deleted"], "reactions" in first) == ("", True, False)
            assert reply["reply"] == {"seq": 1, "username": "bob", "text": "", "deleted": True}
            await eve.say("join", room="general", username="eve", since=0, epoch=welcome["epoch"])
            replay = [await eve.until(kind) for kind in ("chat", "chat", "reacted", "deleted")]
            assert replay[:2] == [first, reply]
            assert (await ask(eve, "thread", seq=1))["events"] == [first, reply]
            assert (await ask(eve, "history"))["events"] == [first, reply]


async def test_a_reaction_is_told_to_all_and_stands_with_the_message() -> None:
    async with scene() as here:
        await said(here.ann, "cake!")
        told = await ask(here.bob, "react", seq=1, emoji=THUMB)
        assert (told["type"], told["seq"], told["target"]) == ("reacted", 2, 1)
        assert (told["username"], told["emoji"], told["on"]) == ("bob", THUMB, True)
        heard = await here.cy.until("reacted")
        assert heard == told
        assert "id" not in heard
        again = await ask(here.bob, "react", seq=1, emoji=THUMB)
        stand: Frame = {THUMB: {"count": 1, "users": ["bob"]}}
        assert (again["type"], again["target"], again["reactions"]) == ("reactions", 1, stand)
        heart = await ask(here.cy, "react", seq=1, emoji="\u2764")
        assert heart["emoji"] == "\u2764\ufe0f", "written in full"
        async with here.here.client() as dan:
            (chat,) = (await dan.join("general", "dan"))["history"]
            assert chat["reactions"] == {**stand, "\u2764\ufe0f": {"count": 1, "users": ["cy"]}}
            assert (await ask(here.bob, "react", seq=1, emoji=THUMB, on=False))["count"] == 0
            assert (await dan.until("reacted"))["users"] == []


@pytest.mark.parametrize(
    "emoji", ["", "a", ":thumbsup:", THUMB * 2, THUMB + "x", "1", "\u200d", "\U0001f1e6", "#"]
)
async def test_only_one_real_emoji_is_a_reaction(emoji: str) -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "ann")
        await said(ann, "hello")
        refused = await ask(ann, "react", seq=1, emoji=emoji)
        assert (refused["type"], refused["code"]) == ("error", "invalid")
        await ann.nothing_more()


@pytest.mark.parametrize(
    "emoji",
    ["\U0001f1e9\U0001f1ea", "\U0001f469\u200d\U0001f680", "\U0001f44d\U0001f3fd", "#\ufe0f\u20e3"],
)
async def test_flags_families_skin_tones_and_keycaps_are_one_emoji(emoji: str) -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "ann")
        await said(ann, "hello")
        assert (await ask(ann, "react", seq=1, emoji=emoji))["emoji"] == emoji


async def test_a_message_has_so_many_different_reactions() -> None:
    async with house(max_reactions=2) as here, here.client() as ann:
        await ann.join("general", "ann")
        await said(ann, "hello")
        for emoji in ("\U0001f600", "\U0001f601"):
            assert (await ask(ann, "react", seq=1, emoji=emoji))["type"] == "reacted"
        assert (await ask(ann, "react", seq=1, emoji="\U0001f602"))["code"] == "forbidden"
        assert (await ask(ann, "react", seq=1, emoji="\U0001f600", on=False))["count"] == 0
        assert (await ask(ann, "react", seq=1, emoji="\U0001f602"))["type"] == "reacted"


async def muted(here: Scene) -> None:
    await ask(here.ann, "mute", username="bob")


async def read_only(here: Scene) -> None:
    await ask(here.ann, "read_only", on=True)


@pytest.mark.parametrize(("silence", "code"), [(muted, "muted"), (read_only, "read_only")])
async def test_who_may_not_speak_may_not_react_either(silence: Any, code: str) -> None:
    async with scene() as here:
        await said(here.ann, "hello")
        await silence(here)
        assert (await ask(here.bob, "react", seq=1, emoji=THUMB))["code"] == code
        assert (await ask(here.bob, "chat", text="x", reply_to=1))["code"] == code
        assert (await ask(here.ann, "react", seq=1, emoji=THUMB))["type"] == "reacted"


async def test_reactions_have_the_pace_of_messages() -> None:
    async with house(rate=0.01, burst=2) as here, here.client() as ann:
        await ann.join("general", "ann")
        await said(ann, "hello")
        assert (await ask(ann, "react", seq=1, emoji=THUMB))["type"] == "reacted"
        refused = await ask(ann, "react", seq=1, emoji=THUMB, on=False)
        assert refused["code"] == "rate_limited"
        assert refused["retry_after"] > 50


async def test_a_reader_who_stays_in_no_room_converses_in_none() -> None:
    async with house() as here, here.client() as ann:
        fields: Any
        for kind, fields in (("react", {"emoji": THUMB}), ("thread", {})):
            assert (await ask(ann, kind, seq=1, **fields))["code"] == "not_joined"


async def test_the_tokens_of_two_rooms_keep_to_their_rooms(clients: list[Client]) -> None:
    """In several rooms, a frame says which one it is for."""
    ann, _ = clients
    await ann.join("red", "ann")
    await ann.join("blue", "ann", keep=True)
    await ask(ann, "chat", text="hello", room="blue")
    assert (await ask(ann, "react", seq=1, emoji=THUMB))["code"] == "room_required"
    assert (await ask(ann, "react", seq=1, emoji=THUMB, room="red"))["code"] == "not_found"
    assert (await ask(ann, "react", seq=1, emoji=THUMB, room="blue"))["room"] == "blue"


@pytest.fixture
async def clients() -> Any:
    async with house() as here, here.client() as ann, here.client() as bob:
        yield [ann, bob]
