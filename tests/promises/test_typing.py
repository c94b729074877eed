"""Who is writing is told to the others, seldom, and kept nowhere."""

from __future__ import annotations

from tests.promises.test_conversation import muted
from tests.promises.test_moderation import ask, said, scene
from tests.server import house

TYPING = {"type": "typing", "room": "general", "username": "bob"}


async def test_the_others_hear_who_is_writing_and_nothing_is_kept() -> None:
    async with scene() as here:
        await said(here.bob, "first")
        await here.bob.say("typing")
        await here.bob.nothing_more()
        assert (await here.cy.hear())["text"] == "first"
        assert await here.cy.hear() == TYPING
        assert (await ask(here.cy, "history"))["events"][-1]["seq"] == 1
        assert await here.ann.until("typing") == TYPING


async def test_it_is_told_at_most_once_in_three_seconds() -> None:
    async with scene() as here:
        for _ in range(5):
            assert (await ask(here.bob, "typing"))["type"] == "ok"
        assert await here.cy.hear() == TYPING
        await here.cy.nothing_more()
        member = here.here.server.lobby.rooms["general"].members["bob"]
        member.typed -= 3.0
        await ask(here.bob, "typing")
        assert await here.cy.hear() == TYPING


async def test_a_crowd_does_not_hear_who_is_writing() -> None:
    async with house(crowd=1) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await ask(bob, "typing")
        await said(bob, "hello")
        kinds = set()
        while (frame := await ann.hear())["type"] != "chat":
            kinds.add(frame["type"])
        assert "typing" not in kinds


async def test_who_may_not_speak_does_not_seem_to_write() -> None:
    async with scene() as here:
        await muted(here)
        assert (await ask(here.bob, "typing"))["code"] == "muted"
        await ask(here.cy, "ping")
        await here.cy.nothing_more()
