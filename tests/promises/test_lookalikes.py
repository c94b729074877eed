"""Nobody passes for another: not by letters that look alike, not by what cannot be seen."""

import pytest

from hubbub.settings import Settings
from tests.server import Client, house


async def refused(client: Client, room: str, username: str, **fields: object) -> str:
    await client.say("join", room=room, username=username, **fields)
    error = await client.hear()
    assert error["type"] == "error"
    assert error["message"]
    return str(error["code"])


async def test_a_name_that_looks_like_one_that_is_here_is_taken() -> None:
    async with house() as here, here.client() as ann, here.client() as eve:
        await ann.join("general", "paypal max")
        for same in ("раураӏ max", "PayPaI rnax", "ｐａｙｐａｌ\u3000max", "𝐩aypa1  мax".upper()):
            assert await refused(eve, "general", same) == "name_taken", same
        await ann.nothing_more()
        await eve.join("general", "paypal mac")


async def test_a_capital_that_looks_like_another_letter_is_taken_by_both_ways_to_read_it() -> None:
    async with (
        house() as here,
        here.client() as bob,
        here.client() as nick,
        here.client() as nu,
        here.client() as eve,
    ):
        await bob.join("general", "bob")
        await nick.join("general", "nick")
        assert await refused(eve, "general", "Νick") == "name_taken", "it is seen as Nick"
        await nick.say("leave", id="1")
        await nick.until("left", id="1")
        await nu.join("general", "Νick")
        for same in ("nick", "NICK", "νick", "νICK"):
            assert await refused(eve, "general", same) == "name_taken", same
        await nu.say("leave", id="2")
        await nu.until("left", id="2")
        await nick.join("general", "nick")
        assert (await eve.join("general", "νick"))["users"] == ["bob", "nick", "νick"]


@pytest.mark.parametrize(
    ("before", "after"), [("Νick", "nick"), ("nick", "Νick"), ("νick", "Νick"), ("Νick", "Νick")]
)
async def test_a_session_takes_its_name_over_however_it_is_spelt(before: str, after: str) -> None:
    async with (
        house() as here,
        here.client() as ghost,
        here.client() as bob,
        here.client() as ann,
        here.client() as eve,
    ):
        session = (await ghost.join("general", before))["session"]
        await bob.join("general", "bob")
        await ann.say("join", room="general", username=after, session=session)
        welcome = await ann.hear()
        assert welcome["users"] == [after, "bob"], "the place in the roster is kept"
        assert (await ghost.closed())[0] == 4409
        for same in (after, after.lower(), after.replace("Ν", "N")):
            assert await refused(eve, "general", same) == "name_taken", same
        await ann.say("leave", id="1")
        await ann.until("left", id="1")
        assert (await eve.join("general", before))["users"] == ["bob", before]


async def test_a_name_that_is_the_same_as_two_of_ones_own_is_taken() -> None:
    async with (
        house() as here,
        here.client() as one,
        here.client() as other,
        here.client() as third,
    ):
        session = (await one.join("general", "nick"))["session"]
        await other.join("general", "νick", session=session)
        assert await refused(third, "general", "Νick", session=session) == "name_taken"
        await one.until("joined", username="νick")
        await one.until("roster")
        await one.nothing_more()


async def test_names_are_written_as_their_people_write_them() -> None:
    async with house() as here, here.client() as ann, here.client() as bob, here.client() as eve:
        name = "نیلوفر\u200cپور"
        assert (await ann.join("خانه", name))["users"] == [name]
        assert (await bob.join("خانه", "👩\u200d👩\u200d👧"))["count"] == 2
        assert await refused(eve, "خانه", name.replace("\u200c", "")) == "name_taken"


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u3164", "\u200d"])
async def test_what_cannot_be_seen_is_in_no_name_of_a_person_or_a_room(hidden: str) -> None:
    async with house() as here, here.client() as eve:
        assert await refused(eve, "general", f"a{hidden}b") == "bad_name"
        assert await refused(eve, f"a{hidden}b", "eve") == "bad_name"


async def test_rooms_have_exactly_their_name() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        assert (await ann.join("Café", "ann"))["count"] == 1
        for other in ("café", "Cafe", "Саfé", "Ｃafé"):
            assert (await bob.join(other, "bob"))["users"] == ["bob"]
        await bob.say("join", room=" Cafe\u0301 ", username="bob")
        assert (await bob.until("welcome"))["room"] == "Café"
        await ann.until("joined", username="bob")


async def test_a_reserved_name_and_what_looks_like_it_is_nobodys() -> None:
    async with house(reserved="admin, Système, модератор,") as here, here.client() as eve:
        for name in (
            "admin",
            "ADMIN",
            "аdmin",
            "ADМIN",
            "adm1n",
            "syste\u0300me",
            "SYSTÈMЕ",
            "MОДEPATОP",
        ):
            assert await refused(eve, "general", name) == "name_taken", name
        await eve.say("join", room="general", username="Admin", id="a")
        error = await eve.hear()
        assert (error["code"], error["id"]) == ("name_taken", "a")
        assert "reserved" in error["message"]
        await eve.join("general", "administrator")


async def test_a_few_names_are_reserved_unless_one_says_otherwise() -> None:
    async with house() as here, here.client() as eve:
        for name in Settings().reserved_names:
            assert await refused(eve, "general", name.title()) == "name_taken"
    for none in ("", ",", " , "):
        async with house(reserved=none) as here, here.client() as eve:
            await eve.join("general", "admin")
