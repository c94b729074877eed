"""Moderators say what a room is about, and pin what should be seen; it outlives a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubbub.chat.moderation import PINS
from tests.promises.test_moderation import ask, said, scene
from tests.server import Frame, house


def about(welcome: Frame) -> dict[str, Any]:
    return {name: welcome[name] for name in ("topic", "description", "pins") if name in welcome}


async def test_a_topic_is_told_to_all_and_to_all_who_come(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/chat.db"
    async with scene(store=store) as here:
        fields = {"topic": " Tea ", "description": "and cake"}
        assert (await ask(here.ann, "topic", **fields))["type"] == "ok"
        told = await here.bob.until("moderated")
        assert (told["action"], told["by"], told["seq"]) == ("topic", "ann", 1)
        assert about(told) == {"topic": "Tea", "description": "and cake"}
        await ask(here.ann, "topic", topic="Coffee")
        async with here.here.client() as dan:
            welcome = await dan.join("general", "dan")
            assert about(welcome) == {"topic": "Coffee", "description": "and cake"}
            assert about(await dan.join("other", "dan")) == {}
    async with house(store=store) as again, again.client() as eve:
        welcome = await eve.join("general", "eve")
        assert about(welcome) == {"topic": "Coffee", "description": "and cake"}


async def test_a_topic_can_be_taken_away() -> None:
    async with scene() as here:
        await ask(here.ann, "topic", topic="Tea", description="x")
        await ask(here.ann, "topic", topic="", description="")
        async with here.here.client() as dan:
            assert about(await dan.join("general", "dan")) == {}


async def test_pins_are_told_and_stay_until_they_are_taken_off() -> None:
    async with scene() as here:
        for text in ("one", "two", "three"):
            await said(here.bob, text)
        for seq in (3, 1):
            assert (await ask(here.ann, "pin", seq=seq))["type"] == "ok"
        told = [await here.cy.until("moderated") for _ in range(2)]
        assert [(one["action"], one["target"], one["on"]) for one in told] == [
            ("pin", 3, True),
            ("pin", 1, True),
        ]
        assert (await ask(here.ann, "pin", seq=1))["type"] == "ok"
        async with here.here.client() as dan:
            assert (await dan.join("general", "dan"))["pins"] == [1, 3]
            assert (await ask(dan, "thread", seq=3, limit=1))["events"][0]["text"] == "three"
            await ask(here.ann, "pin", seq=3, on=False)
            told = [await dan.until("moderated")]
            assert (told[0]["seq"], told[0]["target"], told[0]["on"]) == (6, 3, False)
            await ask(here.ann, "pin", seq=1, on=False)
            await ask(here.ann, "pin", seq=1, on=False)
            assert "pins" not in await dan.join("general", "dan2")


@pytest.mark.parametrize("seq", [2, 3, 99])
async def test_only_a_message_that_is_there_can_be_pinned(seq: int) -> None:
    async with scene() as here:
        await said(here.bob, "one")
        await said(here.bob, "two")
        await ask(here.bob, "delete", seq=2)
        assert (await ask(here.ann, "pin", seq=seq))["code"] == "not_found"


async def test_a_room_has_only_so_many_pins() -> None:
    async with scene() as here:
        for number in range(PINS + 1):
            await said(here.bob, str(number))
        for seq in range(1, PINS + 1):
            assert (await ask(here.ann, "pin", seq=seq))["type"] == "ok"
        assert (await ask(here.ann, "pin", seq=PINS + 1))["code"] == "forbidden"


@pytest.mark.parametrize(
    "fields", [{"topic": "x" * 201}, {"topic": "x", "description": "x" * 1001}]
)
async def test_a_topic_has_its_length(fields: dict[str, Any]) -> None:
    async with scene() as here:
        assert (await ask(here.ann, "topic", **fields))["code"] == "invalid"
