"""Who comes too fast is told so, who goes on is sent away, and others do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from itertools import count
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from hubbub.delivery import connection
from hubbub.websocket.parser import Item, Parser
from tests.raw import Raw
from tests.server import Client, Frame, House, house

_numbers = count(1)


async def burst(client: Client, frames: list[dict[str, Any]]) -> list[Frame]:
    """Send all at once; gives their answers, which carry their ids."""
    ids = [f"b{next(_numbers)}" for _ in frames]
    for number, frame in zip(ids, frames, strict=True):
        await client.socket.send(json.dumps({**frame, "id": number}))
    answers: dict[str, Frame] = {}
    while len(answers) < len(frames):
        frame = await client.hear()
        if frame.get("id") in ids:
            answers[frame["id"]] = frame
    return [answers[number] for number in ids]


def refused(answers: list[Frame]) -> list[Frame]:
    return [one for one in answers if one["type"] == "error"]


KINDS: dict[str, dict[str, Any]] = {
    "messages": {"type": "chat", "text": "hello"},
    "edits": {"type": "edit", "seq": 1, "text": "x"},
    "joins": {"type": "join", "room": "general", "username": "ann"},
    "pings": {"type": "ping"},
    "looks back": {"type": "history"},
    "acts of moderators": {"type": "slow", "seconds": 1},
    "what cannot be read": {"type": "nonsense"},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_frame_has_its_pace(kind: str) -> None:
    async with house(rate=0.1, burst=5) as here, here.client() as ann:
        await ann.join("general", "ann")
        answers = await burst(ann, [KINDS[kind]] * 9)
        late = [one for one in refused(answers) if one["code"] == "rate_limited"]
        assert len(late) in {4, 5}, "the join at the beginning counted, too"
        assert late == answers[-len(late) :], "the first ones were let through"
        assert all(1 < one["retry_after"] <= 10.02 for one in late)
        # The other kinds have a pace of their own.
        other = KINDS["pings" if kind != "pings" else "messages"]
        if kind in {"messages", "edits", "joins", "pings"}:
            assert (await burst(ann, [other]))[0]["type"] in {"pong", "chat"}


async def test_a_join_that_comes_too_soon_opens_nothing() -> None:
    async with house(rate=0.01, burst=2) as here, here.client() as ann:
        await burst(ann, [{"type": "join", "room": f"r{n}", "username": "ann"} for n in range(2)])
        opened: list[str] = []
        keeper = here.server.hub.keeper
        keeper.open = lambda name, *_: opened.append(name)  # type: ignore[method-assign]
        joins = [{"type": "join", "room": f"n{n}", "username": "ann"} for n in range(5)]
        assert {one["code"] for one in await burst(ann, joins)} == {"rate_limited"}
        assert opened == []


async def test_who_waits_as_told_is_let_through() -> None:
    async with house(rate=20.0, burst=1) as here, here.client() as ann:
        await ann.join("general", "ann")
        (first, second) = await burst(ann, [KINDS["messages"]] * 2)
        assert first["type"] == "chat"
        assert second["code"] == "rate_limited"
        await asyncio.sleep(second["retry_after"])
        (third,) = await burst(ann, [KINDS["messages"]])
        assert third["type"] == "chat"


async def test_bytes_have_their_pace_too() -> None:
    settings: Any = {"rate": 1000.0, "burst": 1000, "rate_bytes": 100, "burst_bytes": 3000}
    async with house(**settings) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        long = {"type": "chat", "text": "x" * 1000}
        answers = [(await burst(ann, [long]))[0] for _ in range(5)]
        late = refused(answers)
        assert 1 <= len(late) <= 3
        assert {one["code"] for one in late} == {"rate_limited"}
        assert all(one["retry_after"] > 0.5 for one in late)
        heard = [await bob.until("chat") for _ in range(5 - len(late))]
        assert [one["seq"] for one in heard] == list(range(1, len(heard) + 1))
        await bob.nothing_more()


async def test_a_frame_larger_than_the_burst_passes_and_is_paid_for_afterwards() -> None:
    async with house(rate=1000.0, rate_bytes=1000, burst_bytes=100) as here, here.client() as ann:
        await ann.socket.send(json.dumps({"type": "ping", "id": "small"}))
        await ann.until("pong")
        (answer,) = await burst(ann, [{"type": "ping", "more": "x" * 5000}])
        if answer["type"] == "error":
            await asyncio.sleep(answer["retry_after"])
            (answer,) = await burst(ann, [{"type": "ping", "more": "x" * 5000}])
        assert answer["type"] == "pong"
        (answer,) = await burst(ann, [{"type": "ping"}])
        assert answer["retry_after"] > 4


async def is_open(client: Client) -> bool:
    """Wait for the next error; False if the end comes first."""
    try:
        await client.until("error")
    except ConnectionClosed:
        return False
    return True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is sent away is waited for less long than it would be."""
    monkeypatch.setattr(connection, "GRACE", 0.2)


@pytest.mark.parametrize("kind", ["messages", "joins", "what cannot be read"])
async def test_who_does_not_listen_is_sent_away(kind: str) -> None:
    settings: Any = {"rate": 1.0, "burst": 5, "max_refused": 10}
    async with house(**settings) as here, here.client() as ann, here.client() as bob:
        await bob.join("general", "bob")
        await ann.join("general", "ann")
        await bob.until("roster", count=2)
        for _ in range(40):
            await ann.socket.send(json.dumps(KINDS[kind]))
        errors = 0
        while await is_open(ann):
            errors += 1
        assert 10 <= errors <= 16
        assert (await ann.closed())[0] == 1008
        await bob.until("left", username="ann")


@pytest.mark.parametrize("opcode", [2, 9, 10], ids=["binary", "ping", "pong"])
async def test_frames_that_say_nothing_have_their_pace_too(
    opcode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    feed = Parser.feed

    def counted(parser: Parser, data: bytes) -> list[Item]:
        nonlocal read
        read += len(data)
        return feed(parser, data)

    monkeypatch.setattr(Parser, "feed", counted)
    settings: Any = {"rate": 1.0, "burst": 5, "rate_bytes": 10_000, "burst_bytes": 20_000}
    async with house(**settings) as here, Raw(here) as eve, here.client() as bob:
        frames = bytes((0x80 | opcode, 0x80, 0, 0, 0, 0)) * 5000
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(0.5):
                while True:
                    await asyncio.get_running_loop().sock_sendall(eve.socket, frames)
        assert read < 1_000_000, "of many megabytes"
        await bob.nothing_more()


async def test_who_was_slowed_is_read_again_and_not_given_up() -> None:
    settings: Any = {"rate": 1000.0, "rate_bytes": 10_000, "burst_bytes": 1000, "ping": 0.2}
    async with house(**settings) as here, here.client() as ann:
        await ann.socket.send(b"x" * 20_000)
        await ann.socket.send(b"x")
        await ann.say("ping", id="still here")
        await ann.until("pong", id="still here")


async def test_a_rate_of_none_limits_nothing() -> None:
    settings: Any = {"rate": 0.0, "rate_bytes": 1, "burst": 1, "max_refused": 1}
    async with house(**settings) as here, here.client() as ann:
        await ann.join("general", "ann")
        assert not refused(await burst(ann, [KINDS["messages"]] * 200))
        assert not refused(await burst(ann, [KINDS["pings"]] * 200))


async def test_there_are_at_most_so_many_rooms() -> None:
    async with house(max_rooms=2) as here, here.client() as ann, here.client() as bob:
        await ann.join("one", "ann")
        await ann.join("two", "ann", keep=True)
        await bob.say("join", room="three", username="bob", id="j")
        error = await bob.hear()
        assert (error["code"], error["id"]) == ("forbidden", "j")
        assert "2 rooms" in error["message"]
        await bob.join("two", "bob")
        await ann.say("leave", room="one", id="bye")
        await ann.until("left", id="bye")
        await bob.join("three", "bob")


async def end_of(client: Client) -> int | None:
    """Read on until the end; gives its code."""
    while await is_open(client):
        pass
    return (await client.closed())[0]


async def delays(here: House, messages: int) -> list[float]:
    """How long messages between two others take, one after the other."""
    async with here.client() as ann, here.client() as bob:
        await ann.join("quiet", "ann")
        await bob.join("quiet", "bob")
        taken: list[float] = []
        for _ in range(messages):
            begun = time.perf_counter()
            await ann.say("chat", text="hello")
            await bob.until("chat")
            taken.append(time.perf_counter() - begun)
            await ann.until("chat")
        return sorted(taken)


async def test_a_flood_of_one_client_is_cut_off_and_others_go_on() -> None:
    async with house(rate=100.0, burst=100) as here, here.client() as eve:
        await eve.join("general", "eve")
        flood = json.dumps({"type": "chat", "text": "x" * 100})

        async def pour() -> None:
            while True:
                await eve.socket.send(flood)

        pouring = asyncio.create_task(pour())
        closing = asyncio.create_task(end_of(eve))
        taken = await delays(here, 80)
        with pytest.raises(ConnectionClosed):
            await pouring
        assert await closing == 1008
        assert taken[len(taken) // 2] < 0.1
