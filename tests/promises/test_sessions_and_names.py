"""A name is held by one person in a room, and nobody is locked out by their own ghost."""

import secrets

from tests.server import house


async def test_a_name_is_held_once_in_a_room_however_it_is_written() -> None:
    async with house() as here, here.client() as ann, here.client() as eve:
        await ann.join("general", "Zo\u00eb  B")
        for same in ("Zo\u00eb  B", "zo\u00eb b", "ZOE\u0308 B", "\uff3a\uff4f\u00eb b"):
            await eve.say("join", room="general", username=same)
            error = await eve.hear()
            assert error["code"] == "name_taken", same
        await eve.join("other", "Zo\u00eb  B")
        await ann.nothing_more()


async def test_letters_of_another_case_are_not_another_name() -> None:
    async with house() as here, here.client() as ann, here.client() as eve:
        await ann.join("general", "alice")
        await eve.say("join", room="general", username="Alice")
        assert (await eve.hear())["code"] == "name_taken"


async def test_a_name_is_free_again_when_its_holder_has_left() -> None:
    async with house() as here, here.client() as ann, here.client() as eve:
        await eve.join("general", "eve")
        await ann.join("general", "alice")
        await ann.socket.close()
        await eve.until("left")
        assert (await eve.join("general", "alice"))["users"] == ["alice"]


async def test_a_session_takes_its_own_name_over_from_its_ghost() -> None:
    async with (
        house() as here,
        here.client() as bob,
        here.client() as ghost,
        here.client() as ann,
    ):
        session = (await ghost.join("general", "alice"))["session"]
        await bob.join("general", "bob")
        await bob.say("chat", text="hello")
        await ghost.until("chat")
        await ann.say("join", room="general", username="alice", session=session)
        welcome = await ann.hear()
        assert welcome["type"] == "welcome"
        assert welcome["users"] == ["alice", "bob"], "the place in the roster is kept"
        assert welcome["session"] == session
        assert [event["text"] for event in welcome["history"]] == ["hello"]
        code, reason = await ghost.closed()
        assert code == 4409
        assert reason
        await bob.until("chat")
        await bob.nothing_more()
        await ann.say("chat", text="it is me")
        assert (await bob.hear())["username"] == "alice"


async def test_another_session_does_not_take_a_name_over() -> None:
    async with house() as here, here.client() as ann, here.client() as eve:
        await ann.join("general", "alice")
        guess = secrets.token_urlsafe(16)
        await eve.say("join", room="general", username="alice", session=guess)
        assert (await eve.hear())["code"] == "name_taken"
        await ann.nothing_more()
        await eve.say("join", room="general", username="eve", session=guess)
        assert (await eve.until("welcome"))["session"] == guess


async def test_the_ghost_leaves_its_other_rooms() -> None:
    async with house() as here, here.client() as bob, here.client() as ghost, here.client() as ann:
        await bob.join("blue", "bob")
        session = (await ghost.join("red", "alice"))["session"]
        await ghost.join("blue", "alice", keep=True)
        await bob.until("roster", count=2)
        await ann.say("join", room="red", username="alice", session=session)
        assert (await ann.hear())["type"] == "welcome"
        assert (await bob.hear())["type"] == "left"
        assert (await bob.hear())["users"] == ["bob"]


async def test_a_socket_in_a_room_keeps_its_session() -> None:
    async with house() as here, here.client() as ann:
        await ann.join("red", "alice")
        await ann.say("join", room="blue", username="a", session=secrets.token_urlsafe(16))
        assert (await ann.hear())["code"] == "forbidden"
        await ann.nothing_more()


async def test_sessions_differ_and_one_socket_has_one() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        first = (await ann.join("red", "alice"))["session"]
        assert (await ann.join("blue", "alice"))["session"] == first
        assert (await bob.join("blue", "bob"))["session"] != first


async def test_changing_ones_name_is_a_departure_and_an_arrival() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await bob.join("general", "bob")
        await ann.join("general", "alice")
        await bob.until("roster", count=2)
        await ann.say("join", room="general", username="ann")
        frames = await bob.hear_all(3)
        assert [(f["type"], f.get("username")) for f in frames[:2]] == [
            ("left", "alice"),
            ("joined", "ann"),
        ]
        assert frames[2]["users"] == ["bob", "ann"]
        await bob.nothing_more()
