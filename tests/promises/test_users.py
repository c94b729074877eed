"""Users of tokens: one name for all their sockets, their rights, and the end of their token."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from hubbub.delivery import hub
from hubbub.delivery.connection import Connection
from hubbub.protocol.audit import USERS
from hubbub.store.base import StoreError
from tests.server import PATIENCE, Client, Frame, House, house
from tests.store.kinds import store_of

SECRET = "a secret of at least thirty-two bytes"


def token(sub: str = "ann", ttl: float = 600, **claims: Any) -> str:
    return jwt.encode({"sub": sub, "exp": int(time.time() + ttl), **claims}, SECRET, "HS256")


@asynccontextmanager
async def tokens(auth: str = "required", **settings: Any) -> AsyncIterator[House]:
    async with house(auth=auth, jwt_secret=SECRET, **settings) as here:
        yield here


@asynccontextmanager
async def user(here: House, sub: str = "ann", **claims: Any) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token(sub, **claims)}"}
    async with here.client(additional_headers=headers) as client:
        yield client


async def welcomed(client: Client, room: str, **fields: Any) -> Frame:
    await client.say("join", room=room, **fields)
    return await client.until("welcome", room=room)


async def refused(client: Client, kind: str, **fields: Any) -> str:
    """Ask for something that is refused; gives the code."""
    await client.say(kind, id="no", **fields)
    return str((await client.until("error", id="no"))["code"])


async def test_who_has_a_token_is_called_what_it_says() -> None:
    async with tokens() as here, user(here, name="Ann Ünal") as ann:
        welcome = await welcomed(ann, "general")
        assert welcome["username"] == "ann"
        assert welcome["users"] == ["ann"]
        assert welcome["names"] == {"ann": "Ann Ünal"}
        assert "session" not in welcome
        joined = await ann.hear()
        assert joined == {
            "type": "joined",
            "room": "general",
            "username": "ann",
            "name": "Ann Ünal",
        }
        assert (await ann.hear())["names"] == {"ann": "Ann Ünal"}
        await ann.say("chat", text="hello")
        assert (await ann.hear())["name"] == "Ann Ünal"
        assert await refused(ann, "join", room="other", username="bob") == "forbidden"
        await welcomed(ann, "other", username=" ann ")


async def test_one_user_with_several_sockets_is_listed_once_and_leaves_with_the_last() -> None:
    async with tokens() as here, user(here, "bob") as bob, user(here) as one, user(here) as two:
        await welcomed(bob, "general")
        await welcomed(one, "general")
        await bob.until("roster", users=["bob", "ann"])
        welcome = await welcomed(two, "general")
        assert welcome["users"] == ["bob", "ann"]
        await bob.nothing_more()
        await two.say("chat", text="from the second")
        for client in (bob, one, two):
            assert (await client.until("chat"))["username"] == "ann"
        await bob.say("chat", text="to both")
        for client in (one, two):
            await client.until("chat", text="to both")
        await one.say("leave", id="bye")
        await one.until("left", id="bye")
        await bob.until("chat", text="to both")
        await bob.nothing_more()
        await two.socket.close()
        assert (await bob.hear())["type"] == "left"
        assert (await bob.hear())["users"] == ["bob"]


async def test_both_sockets_may_change_what_either_said() -> None:
    async with tokens() as here, user(here) as one, user(here) as two, user(here, "bob") as bob:
        for client in (one, two, bob):
            await welcomed(client, "general")
        await one.say("chat", text="mine", id="m1")
        seq = (await one.until("chat"))["seq"]
        await two.say("edit", seq=seq, text="still mine")
        assert (await one.until("edited"))["text"] == "still mine"
        assert await refused(bob, "delete", seq=seq) == "forbidden"
        await two.say("chat", text="mine", id="m1")
        assert (await two.until("chat", id="m1"))["seq"] == seq, "an id is the user's"


async def test_a_token_says_which_rooms_one_hears_and_speaks_in() -> None:
    rooms = {"general": "rw", "news": "r", "team-*": "rw"}
    async with tokens() as here, user(here, rooms=rooms) as ann:
        assert (await welcomed(ann, "news"))["writes"] is False
        assert await refused(ann, "chat", text="breaking") == "forbidden"
        assert await refused(ann, "edit", seq=1, text="x") == "forbidden"
        assert await refused(ann, "join", room="secret") == "forbidden"
        await ann.say("chat", text="x", room="news", id="still-there")
        assert (await ann.until("error"))["id"] == "still-there", "a refused join changes nothing"
        assert "writes" not in await welcomed(ann, "team-7")
        await ann.say("chat", text="hello team")
        await ann.until("chat")


async def test_moderators_by_token_keep_order_where_it_says_so() -> None:
    async with tokens() as here, user(here, mod=["news"]) as ann, user(here, "bob") as bob:
        welcome = await welcomed(ann, "news")
        assert (welcome["mod"], "mod_all" in welcome) == (True, False)
        assert "mod" not in await welcomed(bob, "news")
        await ann.say("mute", username="bob", id="m")
        await ann.until("ok", id="m")
        assert await refused(bob, "chat", text="x") == "muted"
        assert await refused(ann, "ban", username="bob", everywhere=True) == "forbidden"
        assert "mod" not in await welcomed(ann, "general")
        assert await refused(ann, "mute", username="ann") == "forbidden"


async def test_a_moderator_who_was_away_cannot_be_muted_either() -> None:
    async with tokens() as here, user(here, mod=True) as ann:
        assert (await welcomed(ann, "general"))["mod_all"] is True
        async with user(here, "bob", mod=["general"]) as bob:
            await welcomed(bob, "general")
            await bob.say("chat", text="in order")
            seq = (await bob.until("chat"))["seq"]
        await ann.until("left")
        await ann.say("mute", seq=seq, id="m")
        await ann.until("ok", id="m")
        async with user(here, "bob", mod=["general"]) as bob:
            assert "muted" not in await welcomed(bob, "general")
            await bob.say("chat", text="still")
            await bob.until("chat", text="still")
        async with user(here, "bob") as bob:
            assert (await welcomed(bob, "general"))["muted"] == {}
            assert await refused(bob, "chat", text="x") == "muted"


async def test_a_mute_is_of_the_user_on_every_socket_and_through_every_token() -> None:
    async with tokens() as here, user(here, mod=True) as ann, user(here, "bob") as bob:
        await welcomed(ann, "general")
        await welcomed(bob, "general")
        await ann.say("mute", username="bob", everywhere=True, id="m")
        await ann.until("ok", id="m")
        async with user(here, "bob") as other:
            assert (await welcomed(other, "general"))["muted"] == {}
            assert await refused(other, "chat", text="x") == "muted"
            await welcomed(other, "elsewhere")
            assert await refused(other, "chat", text="x") == "muted"


async def test_the_tokens_end_ends_the_socket() -> None:
    async with tokens() as here, user(here, ttl=1.5) as ann, user(here, "bob") as bob:
        await welcomed(ann, "general")
        await welcomed(bob, "general")
        assert await ann.closed() == (4401, "token_expired")
        await bob.until("left", username="ann")


async def test_a_new_token_goes_on_and_its_grants_hold_at_once() -> None:
    async with tokens() as here, user(here, ttl=1.5) as ann, user(here, "bob") as bob:
        await welcomed(bob, "general")
        await welcomed(ann, "general")
        await welcomed(ann, "news", keep=True)
        await bob.until("roster", users=["bob", "ann"])
        fresh = token(rooms={"news": "r"}, ttl=600)
        await ann.say("auth", token=fresh, id="a")
        error = await ann.until("error")
        assert (error["code"], error["room"]) == ("forbidden", "general")
        await ann.until("ok", id="a")
        await bob.until("left", username="ann")
        assert await refused(ann, "chat", text="x") == "forbidden"
        until = time.time() + 1.5
        while time.time() < until:  # past the end of the first token
            await ann.say("ping", id="p")
            await ann.until("pong", id="p")


async def test_a_new_token_may_have_another_display_name() -> None:
    async with tokens() as here, user(here, name="Ann") as ann, user(here, "bob") as bob:
        await welcomed(ann, "general")
        await welcomed(bob, "general")
        await bob.until("roster", names={"ann": "Ann"})
        await ann.say("auth", token=token(name="Ann Ünal"), id="a")
        await ann.until("ok", id="a")
        roster = await bob.until("roster")
        assert roster["names"] == {"ann": "Ann Ünal"}
        await ann.say("chat", text="it is me", id="c")
        assert (await bob.until("chat"))["name"] == "Ann Ünal"
        await ann.say("auth", token=token(name="Ann Ünal"), id="again")
        await ann.until("ok", id="again")
        await bob.nothing_more()


async def test_of_sockets_that_are_gone_and_tokens_that_were_renewed_nothing_is_kept() -> None:
    async with tokens() as here, user(here) as ann:
        for number in range(150):
            await ann.say("auth", token=token(ttl=600 + number), id="renew")
            await ann.until("ok", id="renew")
        assert len(here.server.hub.expiry) <= 100
        before = connections()
        for _ in range(5):
            async with user(here):
                pass
        await ann.nothing_more()
        assert connections() <= before


def connections() -> int:
    """How many are in memory."""
    gc.collect()
    return sum(isinstance(one, Connection) for one in gc.get_objects())


async def test_a_bad_new_token_changes_nothing() -> None:
    async with tokens() as here, user(here) as ann:
        await welcomed(ann, "general")
        for bad in ("nonsense", token(ttl=-5), token() + "x"):
            assert await refused(ann, "auth", token=bad) == "bad_token"
        assert await refused(ann, "auth", token=token("bob")) == "forbidden"
        await ann.say("chat", text="still here")
        await ann.until("chat")


async def test_without_tokens_there_is_nothing_to_show() -> None:
    async with house() as here, here.client() as ann:
        assert await refused(ann, "auth", token="x") == "forbidden"


async def test_guests_are_marked_and_users_are_not() -> None:
    async with tokens("optional") as here, user(here) as ann, here.client() as guest:
        await welcomed(ann, "general")
        welcome = await welcomed(guest, "general", username="gus")
        assert welcome["guests"] == ["gus"]
        assert welcome["session"]
        assert (await ann.until("joined", username="gus"))["guest"] is True
        assert (await ann.until("roster"))["guests"] == ["gus"]
        await guest.say("chat", text="hello")
        assert (await ann.until("chat"))["guest"] is True
        await ann.say("chat", text="hello")
        assert "guest" not in await guest.until("chat", username="ann")


async def test_a_guest_cannot_take_a_users_name(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'chat.db'}"
    async with tokens("optional", store=store) as here, here.client() as guest:
        async with user(here) as ann:
            await welcomed(ann, "general")
        for name in ("ann", "Ann", "ANN"):
            assert await refused(guest, "join", room="x", username=name) == "name_taken"
    async with tokens("optional", store=store) as again, again.client() as guest:
        assert await refused(guest, "join", room="x", username="ann") == "name_taken"


async def test_a_users_name_is_theirs_though_the_store_failed_when_they_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "RETRY", 0.05)
    store = f"sqlite:{tmp_path / 'chat.db'}"
    async with tokens("optional", store=store) as here, user(here) as ann:
        with monkeypatch.context() as broken:
            failure = StoreError("the disk is full")
            broken.setattr(here.server.keeper, "append", lambda _, __, done: done(failure))
            await welcomed(ann, "general")
        async with asyncio.timeout(PATIENCE):
            while not store_of(here).after(USERS, 0, 1).events:
                await ann.say("ping", id="still")
                await ann.until("pong", id="still")
        await ann.say("chat", text="hello")
        await ann.until("chat")
    async with tokens("optional", store=store) as here, here.client() as eve:
        assert await refused(eve, "join", room="general", username="ann") == "name_taken"


async def test_a_guest_who_has_a_users_name_makes_way() -> None:
    async with tokens("optional") as here, here.client() as guest, user(here) as ann:
        await welcomed(guest, "general", username="ann")
        await guest.until("roster")
        welcome = await welcomed(ann, "general")
        assert welcome["users"] == ["ann"]
        assert "guests" not in welcome
        error = await guest.until("error")
        assert (error["code"], error["room"]) == ("name_taken", "general")
        assert await refused(guest, "chat", text="x") == "not_joined"


async def test_a_guest_becomes_a_user_by_a_token_outside_of_rooms() -> None:
    async with tokens("optional") as here, here.client() as guest:
        await welcomed(guest, "general", username="gus")
        assert await refused(guest, "auth", token=token()) == "forbidden"
        await guest.say("leave", id="bye")
        await guest.until("left", id="bye")
        await guest.say("auth", token=token(), id="a")
        await guest.until("ok", id="a")
        assert (await welcomed(guest, "general"))["username"] == "ann"


@pytest.mark.parametrize("auth", ["off", "optional"])
async def test_who_has_no_token_needs_a_name(auth: str) -> None:
    settings = {"jwt_secret": SECRET} if auth == "optional" else {}
    async with house(auth=auth, **settings) as here, here.client() as ann:
        await ann.say("join", room="general", id="j")
        error = await ann.hear()
        assert (error["code"], error["id"]) == ("invalid", "j")
        assert error["message"] == "invalid message: Object missing required field `username`"
