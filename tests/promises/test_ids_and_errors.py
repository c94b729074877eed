"""What is wrong is said, to the offender alone, with a stable code and the frame's own id."""

import json

import pytest

from tests.server import house


async def test_the_answer_carries_the_questions_id() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await bob.join("general", "bob")
        await ann.say("join", room="general", username="alice", id="j1")
        assert (await ann.hear())["id"] == "j1"
        await ann.until("roster", count=2)
        assert (await bob.until("joined")) == {
            "type": "joined",
            "room": "general",
            "username": "alice",
        }
        await bob.until("roster", count=2)
        await ann.say("chat", text="hi", id="c1")
        for client in (ann, bob):
            assert (await client.hear())["id"] == "c1"
        await ann.say("ping")
        assert await ann.hear() == {"type": "pong"}
        await ann.say("chat", text="x" * 4001, id="c2")
        error = await ann.hear()
        assert (error["code"], error["id"]) == ("too_long", "c2")
        await bob.nothing_more()


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("", "truncated"),
        ("hello", "malformed"),
        ("[]", "Expected `object`"),
        ("{}", "`type`"),
        ('{"type":"dance"}', "'dance' - at `$.type`"),
        ('{"type":7}', "`$.type`"),
        ('{"type":"chat"}', "`text`"),
        ('{"type":"chat","text":5}', "got `int` - at `$.text`"),
        ('{"type":"join","room":"a"}', "`username`"),
        ('{"type":"join","room":"a","username":"b","since":-1}', "`$.since`"),
        ('{"type":"join","room":"a","username":"b","session":"short"}', "`$.session`"),
        ('{"type":"ping","id":""}', "`$.id`"),
        ('{"type":"ping","id":"' + "x" * 65 + '"}', "`$.id`"),
        ('{"type":"ping","id":"caf\u00e9"}', "`$.id`"),
        ('{"type":"ping","id":"line\\n"}', "`$.id`"),
        ('{"type":"chat","text":"\\ud800"}', "surrogate"),
        ('{"type":"ping","x":' + "[" * 10_000 + "]" * 10_000 + "}", "deep"),
        ('{"type":"join","room":"a","username":"b","since":1e999}', ""),
        ('{"type":"join","room":"a","username":"b","since":' + "9" * 5000 + "}", ""),
    ],
)
async def test_what_cannot_be_read_is_said_and_the_socket_stays(text: str, about: str) -> None:
    async with house() as here, here.client() as ann:
        await ann.socket.send(text)
        error = await ann.hear()
        assert error["type"] == "error"
        assert error["code"] == "invalid"
        assert error["message"].startswith("invalid message: ")
        assert about in error["message"]
        assert len(error["message"]) < 300
        await ann.nothing_more()


async def test_an_unreadable_frame_is_answered_with_its_id_if_that_is_legible() -> None:
    async with house() as here, here.client() as ann:
        await ann.socket.send('{"type":"chat","id":"c9","text":null}')
        assert (await ann.hear())["id"] == "c9"
        await ann.socket.send('{"type":"chat","id":17,"text":null}')
        assert "id" not in await ann.hear()


async def test_unknown_fields_and_doubled_keys_are_borne() -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "alice")
        await ann.socket.send('{"type":"chat","colour":{"deep":[1]},"text":"a","text":"b"}')
        assert (await ann.hear())["text"] == "b"
        await ann.socket.send(json.dumps({"text": "any order", "n": 10**40, "type": "chat"}))
        assert (await ann.hear())["text"] == "any order"


async def test_texts_survive_whatever_they_are() -> None:
    texts = [
        "<b>&amp;</b>",
        "emoji 👩‍👩‍👧",
        "nul \x00 in it",
        "\u202eright to left",
        "a\nb",
        "\U0010ffff",
    ]
    async with house() as here, here.client() as ann:
        await ann.join("general", "alice")
        for text in texts:
            await ann.say("chat", text=text)
            assert (await ann.hear())["text"] == text


async def test_a_text_is_counted_in_characters_once_trimmed() -> None:
    async with house(max_text=5) as here, here.client() as ann:
        await ann.join("general", "alice")
        await ann.say("chat", text="  👍👍👍👍👍  ")
        assert (await ann.hear())["text"] == "👍" * 5
        await ann.say("chat", text="👍" * 6)
        error = await ann.hear()
        assert error["code"] == "too_long"
        assert "at most 5" in error["message"]
        await ann.nothing_more()


async def test_names_too_long_or_unseen_are_refused() -> None:
    async with house(max_name=4, max_room=6) as here, here.client() as ann:
        for room, username, code in (
            ("general", "ann", "too_long"),
            ("red", "annie", "too_long"),
            ("red", "a\u200bb", "bad_name"),
            ("r\x07d", "ann", "bad_name"),
            ("red", "\u0301a", "bad_name"),
        ):
            await ann.say("join", room=room, username=username, id="j")
            error = await ann.hear()
            assert (error["code"], error["id"]) == (code, "j")
        await ann.join("redred", "anni")


async def test_over_the_rate_nothing_is_published_and_the_socket_stays() -> None:
    async with house(rate=2.0, burst=6) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "alice")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        for number in range(8):
            await ann.say("chat", text=str(number), id=f"c{number}")
        await ann.say("ping")
        frames = []
        while (frame := await ann.hear())["type"] != "pong":
            frames.append(frame)
        said = [frame["text"] for frame in frames if frame["type"] == "chat"]
        refused = [frame for frame in frames if frame["type"] == "error"]
        assert said[:6] == ["0", "1", "2", "3", "4", "5"], "a burst is three seconds' worth"
        assert len(refused) == 8 - len(said) > 0
        for error in refused:
            assert error["code"] == "rate_limited"
            assert error["id"] not in [f"c{text}" for text in said]
            assert 0 < error["retry_after"] <= 0.5 * len(refused) + 0.02
        assert [(await bob.hear())["text"] for _ in said] == said
        await bob.nothing_more()
