"""Moderators keep order: what they do is told, kept, carried out at once and outlives a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from tests.redis import RedisServer
from tests.server import Client, Frame, House, house

PASSWORD = "only for the hosts"
_numbers = count(1)


class Scene:
    """A room with a moderator, Ann, and two others."""

    def __init__(self, here: House, ann: Client, bob: Client, cy: Client) -> None:
        self.here = here
        self.ann, self.bob, self.cy = ann, bob, cy


@asynccontextmanager
async def scene(**settings: Any) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(house(mod_password=PASSWORD, **settings))
        ann, bob, cy = [await stack.enter_async_context(here.client()) for _ in range(3)]
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await cy.join("general", "cy")
        await ann.until("roster", count=3)
        await bob.until("roster", count=3)
        assert (await ask(ann, "mod", password=PASSWORD))["type"] == "ok"
        yield Scene(here, ann, bob, cy)


async def ask(client: Client, kind: str, **fields: Any) -> Frame:
    """Ask for something; gives the answer, and passes over all else."""
    number = f"q{next(_numbers)}"
    await client.say(kind, id=number, **fields)
    while (frame := await client.hear()).get("id") != number:
        pass
    del frame["id"]
    return frame


async def said(client: Client, text: str) -> Frame:
    """Say something; gives its own copy or the error."""
    return await ask(client, "chat", text=text)


async def test_the_password_makes_a_moderator_and_nothing_else_does() -> None:
    async with scene() as here:
        for kind, fields in (
            ("kick", {"username": "cy"}),
            ("mute", {"username": "cy"}),
            ("ban", {"username": "cy"}),
            ("purge", {"username": "cy"}),
            ("pardon", {"number": 1}),
            ("sanctions", {}),
            ("slow", {"seconds": 5}),
            ("read_only", {"on": True}),
            ("topic", {"topic": "tea"}),
            ("pin", {"seq": 1}),
        ):
            error = await ask(here.bob, kind, **fields)
            assert (error["type"], error["code"]) == ("error", "forbidden"), kind
        wrong = await ask(here.bob, "mod", password="only for the host")
        assert (wrong["code"], wrong["message"]) == ("forbidden", "that is not the password")
        assert (await ask(here.bob, "kick", username="cy"))["code"] == "forbidden"
        await here.cy.nothing_more()


async def test_who_tries_the_password_is_in_the_log() -> None:
    async with house(mod_password=PASSWORD) as here:
        with capture_logs() as lines:
            here.server.hub.log = structlog.get_logger()
            async with here.client() as ann:
                for guess in ("no", PASSWORD, "no"):
                    await ask(ann, "mod", password=guess)
        tried = [line for line in lines if "by password" in line["event"]]
        assert [line["event"].split()[0] for line in tried] == ["no", "a", "no"]
        assert {line["remote"] for line in tried} == {"127.0.0.1"}
        assert PASSWORD not in str(lines)


async def test_the_password_cannot_be_guessed_for_long() -> None:
    async with scene() as here:
        answers = [await ask(here.bob, "mod", password=f"guess {n}") for n in range(7)]
        assert [one["code"] for one in answers[:4]] == ["forbidden"] * 4
        assert answers[-1]["code"] == "rate_limited"
        assert answers[-1]["retry_after"] > 1
        # Another socket from the same address may not go on, not even with the right one.
        assert (await ask(here.cy, "mod", password=PASSWORD))["code"] == "rate_limited"


async def test_without_a_password_nobody_becomes_a_moderator_by_one() -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "ann")
        assert (await ask(ann, "mod", password=""))["code"] == "forbidden"


async def test_who_is_kicked_is_out_and_may_come_back() -> None:
    async with scene() as here:
        ok = await ask(here.ann, "kick", username="BOB", reason="cool down")
        assert ok == {"type": "ok"}
        event = await here.bob.until("moderated")
        assert event == {
            "type": "moderated",
            "room": "general",
            "seq": 1,
            "action": "kick",
            "by": "ann",
            "ts": event["ts"],
            "username": "bob",
            "reason": "cool down",
        }
        error = await here.bob.hear()
        assert (error["code"], error["room"]) == ("kicked", "general")
        assert "cool down" in error["message"]
        assert error["reason"] == "cool down"
        assert await here.cy.until("moderated") == event
        assert (await here.cy.hear())["type"] == "left"
        assert (await here.cy.hear())["users"] == ["ann", "cy"]
        assert (await said(here.bob, "hey"))["code"] == "not_joined"
        await here.bob.join("general", "bob")
        assert (await said(here.bob, "back"))["seq"] == 2


async def test_who_is_muted_hears_and_does_not_speak_until_the_time_is_over() -> None:
    async with scene() as here:
        mine = await said(here.bob, "before")
        fields = {"seconds": 1000, "reason": "cool down"}
        assert (await ask(here.ann, "mute", username="bob", **fields))["type"] == "ok"
        event = await here.bob.until("moderated")
        assert (event["action"], event["username"]) == ("mute", "bob")
        error = await said(here.bob, "words")
        assert (error["code"], error["until"]) == ("muted", event["until"])
        assert error["reason"] == "cool down"
        edit = await ask(here.bob, "edit", seq=mine["seq"], text="other words")
        assert edit["code"] == "muted"
        assert (await ask(here.bob, "delete", seq=mine["seq"]))["type"] == "deleted"
        await here.ann.say("chat", text="can you hear me?")
        await here.bob.until("chat", text="can you hear me?")
        # It goes with the identity, not with the socket.
        await here.bob.say("leave", id="bye")
        await here.bob.until("left", id="bye")
        welcome = await here.bob.join("general", "robert")
        assert welcome["muted"] == {"until": event["until"], "reason": "cool down"}
        assert (await said(here.bob, "words"))["code"] == "muted"
        here.here.server.lobby.offset += 1001
        assert (await said(here.bob, "words"))["type"] == "chat"


async def test_who_is_banned_is_out_at_once_and_stays_out() -> None:
    async with scene() as here:
        assert (await ask(here.ann, "ban", username="bob", reason="spam"))["type"] == "ok"
        error = await here.bob.until("error")
        assert (error["code"], error["room"]) == ("banned", "general")
        assert "spam" in error["message"]
        assert (error["reason"], "everywhere" in error) == ("spam", False)
        assert (await here.bob.closed())[0] == 4403
        await here.cy.until("left", username="bob")


async def test_a_ban_is_of_the_person_whatever_they_call_themselves(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'chat.db'}"
    async with scene(store=store) as here, here.here.client() as again:
        session = await session_of(here, "bob")
        assert (await ask(here.ann, "ban", username="bob", seconds=5000))["type"] == "ok"
        assert (await here.bob.closed())[0] == 4403
        error = await ask(again, "join", room="general", username="nice", session=session)
        assert error["code"] == "banned"
        assert error["until"] > 0
        # In other rooms they may be: the ban is of this one.
        await again.join("other", "nice", session=session)
    async with house(store=store, mod_password=PASSWORD) as here2, here2.client() as again:
        error = await ask(again, "join", room="general", username="nice", session=session)
        assert error["code"] == "banned", "a restart changes nothing"


async def session_of(here: Scene, name: str) -> str:
    """The secret that a member's session proves itself with."""
    members = here.here.server.lobby.rooms["general"].members
    return members[name].sessions[0].secret


async def test_a_ban_everywhere_ends_all_sockets_of_the_person() -> None:
    async with scene() as here, here.here.client() as second:
        session = await session_of(here, "bob")
        await second.join("other", "bobby", session=session)
        assert (await ask(here.ann, "ban", username="bob", everywhere=True))["type"] == "ok"
        assert (await here.bob.closed())[0] == 4403
        assert (await second.closed())[0] == 4403
        async with here.here.client() as third:
            error = await ask(third, "join", room="third", username="x", session=session)
            assert (error["code"], error["everywhere"]) == ("banned", True)
            assert "until" not in error


async def test_a_ban_of_an_address_is_of_all_who_come_from_there_but_moderators() -> None:
    async with scene() as here:
        assert (await ask(here.ann, "ban", username="bob", address=True))["type"] == "ok"
        assert (await here.bob.closed())[0] == 4403
        assert (await here.cy.closed())[0] == 4403, "the same address"
        async with here.here.client() as fresh:
            error = await ask(fresh, "join", room="general", username="dora")
            assert error["code"] == "banned"
        assert (await said(here.ann, "alone"))["type"] == "chat"
        (sanction,) = (await ask(here.ann, "sanctions"))["sanctions"]
        assert sanction["address"] is True
        assert "127.0.0.1" not in str(sanction), "moderators need not know addresses"


async def test_an_ipv6_address_is_its_whole_64_for_bans_and_guesses() -> None:
    async with house(mod_password=PASSWORD, trusted_proxies="127.0.0.1") as here:

        def come(host: str) -> AbstractAsyncContextManager[Client]:
            return here.client(additional_headers={"X-Forwarded-For": f"2001:db8:{host}"})

        async with come("1::1") as ann, come("2::1") as bob, come("2::2") as cy:
            await ann.join("general", "ann")
            await bob.join("general", "bob")
            await cy.join("general", "cy")
            assert (await ask(ann, "mod", password=PASSWORD))["type"] == "ok"
            assert (await ask(ann, "ban", username="bob", address=True))["type"] == "ok"
            assert (await bob.closed())[0] == 4403
            assert (await cy.closed())[0] == 4403
        async with come("2::3") as bob, come("3::1") as dora:
            assert (await ask(bob, "join", room="general", username="x"))["code"] == "banned"
            await dora.join("general", "dora")
        codes = []
        for number in range(7):
            async with come(f"4::{number}") as eve:
                codes.append((await ask(eve, "mod", password="guess"))["code"])
        assert codes[-1] == "rate_limited"


async def test_a_ban_of_the_address_is_of_all_that_the_person_is_here_from() -> None:
    async with house(mod_password=PASSWORD, trusted_proxies="127.0.0.1") as here:

        def come(host: str) -> AbstractAsyncContextManager[Client]:
            return here.client(additional_headers={"X-Forwarded-For": f"10.0.0.{host}"})

        async with come("1") as ann, come("2") as bob, come("3") as bobby:
            await ann.join("general", "ann")
            session = (await bob.join("general", "bob"))["session"]
            await bobby.join("general", "bobby", session=session)
            assert (await ask(ann, "mod", password=PASSWORD))["type"] == "ok"
            assert (await ask(ann, "ban", username="bob", address=True))["type"] == "ok"
            assert (await bob.closed())[0] == 4403
            assert (await bobby.closed())[0] == 4403
        async with come("3") as fresh:
            assert (await ask(fresh, "join", room="general", username="x"))["code"] == "banned"


async def test_a_pardon_lifts_what_is_listed() -> None:
    async with scene() as here:
        session = await session_of(here, "bob")
        await ask(here.ann, "mute", username="cy")
        await ask(here.ann, "ban", username="bob", reason="spam")
        assert (await here.bob.closed())[0] == 4403
        listed = (await ask(here.ann, "sanctions"))["sanctions"]
        assert [(one["action"], one["username"], one["by"]) for one in listed] == [
            ("mute", "cy", "ann"),
            ("ban", "bob", "ann"),
        ]
        for sanction in listed:
            assert (await ask(here.ann, "pardon", number=sanction["number"]))["type"] == "ok"
        assert (await ask(here.ann, "sanctions"))["sanctions"] == []
        again = await ask(here.ann, "pardon", number=listed[0]["number"])
        assert again["code"] == "not_found"
        assert (await said(here.cy, "thanks"))["type"] == "chat"
        async with here.here.client() as bob:
            await bob.join("general", "bob", session=session)


async def test_someone_who_has_gone_is_known_by_their_message() -> None:
    async with scene() as here:
        session = await session_of(here, "bob")
        seq = (await said(here.bob, "rude"))["seq"]
        await here.bob.socket.close()
        await here.ann.until("left", username="bob")
        assert (await ask(here.ann, "ban", username="bob"))["code"] == "not_found"
        assert (await ask(here.ann, "ban", seq=99))["code"] == "not_found"
        assert (await ask(here.ann, "ban"))["code"] == "invalid"
        unknown = await ask(here.ann, "ban", seq=seq, address=True)
        assert unknown["code"] == "not_found"
        assert "address is not known" in unknown["message"]
        assert (await ask(here.ann, "ban", seq=seq))["type"] == "ok"
        async with here.here.client() as bob:
            error = await ask(bob, "join", room="general", username="bob", session=session)
            assert error["code"] == "banned"


async def test_a_moderator_deletes_anyones_message() -> None:
    async with scene() as here:
        seq = (await said(here.bob, "rude words"))["seq"]
        assert (await ask(here.cy, "delete", seq=seq))["code"] == "forbidden"
        deleted = await ask(here.ann, "delete", seq=seq)
        assert (deleted["type"], deleted["target"], deleted["username"]) == ("deleted", seq, "ann")
        assert (await here.cy.until("deleted"))["target"] == seq
        async with here.here.client() as dora:
            welcome = await dora.join("general", "dora")
            assert welcome["history"][0]["text"] == ""
            assert welcome["history"][0]["username"] == "bob"
        assert (await ask(here.ann, "delete", seq=seq))["code"] == "not_found"
        own = await ask(here.ann, "edit", seq=seq, text="put into his mouth")
        assert own["code"] in {"forbidden", "not_found"}


async def test_a_moderator_edits_nobody_elses_words() -> None:
    async with scene() as here:
        seq = (await said(here.bob, "my words"))["seq"]
        error = await ask(here.ann, "edit", seq=seq, text="put into his mouth")
        assert error["code"] == "forbidden"


@pytest.mark.parametrize("by", ["username", "seq"])
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_all_messages_of_one_author_go_at_once(
    by: str, kind: str, tmp_path: Path, redis: RedisServer
) -> None:
    redis.client.flushall()
    store = redis.url if kind == "redis" else f"sqlite:{tmp_path / 'chat.db'}"
    async with scene(store=store) as here:
        last = 0
        for number in range(5):
            last = (await said(here.bob, f"spam {number}"))["seq"]
            await said(here.cy, f"fine {number}")
        whom = {"username": "bob"} if by == "username" else {"seq": last}
        ok = await ask(here.ann, "purge", **whom)
        assert ok == {"type": "ok", "count": 5}
        event = await here.cy.until("moderated")
        assert (event["action"], event["username"]) == ("purge", "bob")
        gone = [(await here.cy.until("deleted"))["target"] for _ in range(5)]
        assert gone == [1, 3, 5, 7, 9]
        texts = [one["text"] for one in (await ask(here.cy, "history"))["events"]]
        assert [text for text in texts if text] == [f"fine {number}" for number in range(5)]
        assert (await ask(here.ann, "purge", **whom))["code"] == "not_found"


async def test_slow_mode_holds_for_all_but_moderators() -> None:
    async with scene() as here:
        assert (await ask(here.ann, "slow", seconds=1000))["type"] == "ok"
        event = await here.bob.until("moderated")
        assert (event["action"], event["seconds"]) == ("slow", 1000)
        assert (await said(here.bob, "one"))["type"] == "chat"
        error = await said(here.bob, "two")
        assert error["code"] == "rate_limited"
        assert 900 < error["retry_after"] <= 1000.01
        await here.bob.say("leave", id="bye")
        await here.bob.until("left", id="bye")
        welcome = await here.bob.join("general", "bob")
        assert welcome["slow"] == 1000
        assert (await said(here.bob, "three"))["code"] == "rate_limited", (
            "who comes back is no newer"
        )
        assert (await said(here.cy, "one"))["type"] == "chat"
        assert (await said(here.ann, "one"))["type"] == "chat"
        assert (await said(here.ann, "two"))["type"] == "chat"
        assert (await ask(here.ann, "slow", seconds=0))["type"] == "ok"
        assert (await said(here.bob, "four"))["type"] == "chat"


async def test_in_slow_mode_a_message_may_be_sent_again() -> None:
    async with scene() as here:
        assert (await ask(here.ann, "slow", seconds=1000))["type"] == "ok"
        for _ in range(2):
            await here.bob.say("chat", text="one", id="i1")
            assert (await here.bob.until("chat", id="i1"))["seq"] == 2
        await here.bob.say("chat", text="two", id="i1")
        assert (await here.bob.until("error"))["code"] == "id_reused"
        await here.bob.say("chat", text="two", id="i2")
        assert (await here.bob.until("error"))["code"] == "rate_limited"


async def test_slow_mode_outlives_a_restart(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'chat.db'}"
    async with scene(store=store) as here:
        assert (await ask(here.ann, "slow", seconds=1000))["type"] == "ok"
        assert (await said(here.bob, "one"))["type"] == "chat"
    async with house(store=store) as again, again.client() as bob, again.client() as cy:
        await bob.join("general", "bob")
        assert (await said(bob, "two"))["code"] == "rate_limited"
        await cy.join("general", "cy")
        assert (await said(cy, "one"))["type"] == "chat"


async def test_in_a_read_only_room_only_moderators_speak(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'chat.db'}"
    async with scene(store=store) as here:
        assert (await ask(here.ann, "read_only", on=True))["type"] == "ok"
        assert (await here.bob.until("moderated"))["on"] is True
        assert (await said(here.bob, "words"))["code"] == "read_only"
        assert (await said(here.ann, "news"))["type"] == "chat"
    async with house(store=store) as again, again.client() as bob:
        assert (await bob.join("general", "bob"))["read_only"] is True
        assert (await said(bob, "words"))["code"] == "read_only"


async def test_no_moderator_is_acted_upon() -> None:
    async with scene() as here:
        assert (await ask(here.cy, "mod", password=PASSWORD))["type"] == "ok"
        for kind in ("kick", "mute", "ban", "purge"):
            for name in ("cy", "ann"):
                assert (await ask(here.ann, kind, username=name))["code"] == "forbidden", kind


async def test_an_act_that_is_asked_for_twice_is_done_once() -> None:
    async with scene() as here:
        await here.ann.say("mute", username="bob", id="once")
        await here.ann.until("ok", id="once")
        await here.ann.say("mute", username="bob", id="once")
        await here.ann.until("ok", id="once")
        await here.ann.say("mute", username="cy", id="once")
        assert (await here.ann.until("error"))["code"] == "id_reused"
        assert len((await ask(here.ann, "sanctions"))["sanctions"]) == 1
        await said(here.ann, "that was all")
        told = await here.cy.until("moderated")
        assert (told["action"], told["username"]) == ("mute", "bob")
        assert (await here.cy.hear())["type"] == "chat", "the room heard of it once"


async def test_nothing_is_done_that_is_not_in_the_audit_log() -> None:
    async with scene() as here:
        await said(here.bob, "words")
        await here.ann.say("mute", username="cy", id="once")
        await here.ann.until("ok", id="once")
        await here.ann.say("purge", username="bob", id="once")
        assert (await here.ann.until("error", id="once"))["code"] == "id_reused"
        assert (await ask(here.ann, "history"))["events"][0]["text"] == "words"
