"""`@name` says who is meant, whoever spells it; `@room` means all, from moderators alone."""

from __future__ import annotations

import time

import pytest

from hubbub.chat import likeness
from tests.promises.test_moderation import ask, said, scene
from tests.server import house


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("@bob hello", ["bob"]),
        ("hello @BOB, and @cy!", ["bob", "cy"]),
        ("(@b\u043eb)", ["bob"]),
        ("@bob @bob @cy @bob", ["bob", "cy"]),
        ("@bobby", None),
        ("me@bob.example", None),
        ("@ bob", None),
        ("@dan", None),
        ("@", None),
        ("@@bob", ["bob"]),
        ("@Mary Ann is late", ["Mary Ann"]),
        ("@mary  ann's turn", ["Mary Ann"]),
        ("@mary", None),
        ("@room", None),
        ("@\u00e9lo\u00efse, @e\u0301loi\u0308se", ["\u00c9lo\u00efse"]),
    ],
)
async def test_who_is_meant_is_said_by_the_names_in_the_room(
    text: str, meant: list[str] | None
) -> None:
    async with scene() as here, here.here.client() as mary, here.here.client() as eloise:
        await mary.join("general", "Mary Ann")
        await eloise.join("general", "\u00c9lo\u00efse")
        told = await said(here.bob, text)
        assert told.get("mentions") == meant
        heard = await here.cy.until("chat")
        assert heard.get("mentions") == meant


async def test_only_a_moderator_means_all() -> None:
    async with scene() as here, here.here.client() as fake:
        assert "mentions" not in await said(here.bob, "@room look")
        assert (await said(here.ann, "@Room look, @bob"))["mentions"] == ["@room", "bob"]
        await fake.join("general", "@room")
        assert "mentions" not in await said(here.bob, "@@room look")


async def test_a_known_user_is_meant_also_when_away() -> None:
    async with house() as here, here.client() as ann:
        standing = here.server.lobby.standing
        standing.know("Zo\u00eb", likeness.keys("Zo\u00eb"))
        await ann.join("general", "ann")
        assert (await said(ann, "where is @zo\u00eb?"))["mentions"] == ["Zo\u00eb"]


async def test_an_edit_mentions_anew() -> None:
    async with scene() as here:
        await said(here.bob, "@cy")
        assert (await ask(here.bob, "edit", seq=1, text="@ann"))["mentions"] == ["ann"]
        assert (await here.cy.until("edited"))["mentions"] == ["ann"]
        (chat,) = (await ask(here.cy, "history"))["events"]
        assert chat["mentions"] == ["ann"]
        await ask(here.bob, "delete", seq=1)
        (chat,) = (await ask(here.cy, "history"))["events"]
        assert "mentions" not in chat


async def test_a_text_of_nothing_but_signs_costs_little() -> None:
    async with scene() as here:
        began = time.process_time()
        for text in ("@" * 4000, "@\u0430 " * 1000, "@ . " * 1000):
            await said(here.bob, text)
        assert time.process_time() - began < 1.0
