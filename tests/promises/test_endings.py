"""A socket that ends in any way leaves its rooms at once and exactly once."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hubbub.delivery import connection
from hubbub.protocol.draft import Draft
from hubbub.store.base import Outcome
from hubbub.store.sqlite import SqliteStore
from tests.raw import Raw, flood
from tests.server import PATIENCE, house


async def test_a_peer_that_gives_no_sign_of_life_is_found() -> None:
    async with house(ping=0.4) as here, here.client() as ann, Raw(here) as silent:
        await ann.join("general", "alice")
        await silent.say(type="join", room="general", username="silent")
        await ann.until("joined")
        began = asyncio.get_running_loop().time()
        await ann.until("left", username="silent")
        assert asyncio.get_running_loop().time() - began < 2.0
        await ann.until("roster", count=1)
        await ann.nothing_more()


async def test_a_peer_that_answers_pings_stays_however_quiet() -> None:
    async with house(ping=0.1) as here, here.client() as ann:
        await ann.join("general", "alice")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await ann.socket.recv()
        await ann.nothing_more()


async def test_a_slow_reader_that_makes_progress_stays() -> None:
    # Looks are half a second apart: more than TCP itself may rest where a window is small (RTO).
    settings: Any = {"ping": 1.0, "stall_timeout": 1.2, "tail_events": 100_000}
    async with house(tail_bytes=64_000_000, **settings) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        flooding = asyncio.create_task(flood(here, "general", 2000))
        loop = asyncio.get_running_loop()
        until = loop.time() + 3.0
        while loop.time() < until or not flooding.done():
            # The slowness itself is what is tested: a little, and a pause, many times over.
            slow.data += await loop.sock_recv(slow.socket, 20_000)
            await asyncio.sleep(0.03)
        await flooding
        assert here.server.hub.feeds["general"].behind, "it had time to read everything"
        assert (await slow.until("chat"))["type"] == "chat"


async def test_a_reader_that_takes_nothing_for_too_long_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A slow machine takes more than two seconds for what a socket holds, through a small window.
    monkeypatch.setattr(connection, "GRACE", 30.0)
    settings: Any = {"ping": 0.4, "stall_timeout": 0.8, "tail_events": 10}
    async with house(**settings) as here, here.client() as ann, Raw(here) as stopped:
        await stopped.say(type="join", room="general", username="stopped")
        await stopped.until("roster")
        await flood(here, "general", 1500)
        # A slow machine has put them out before the flood is over.
        await ann.say("join", room="general", username="alice")
        while "stopped" in (await ann.until("roster"))["users"]:
            pass
        # What the socket held comes first, pings among it; then the reason.
        seen = 0
        while (frame := await stopped.next())[0] in {1, 9}:
            if frame[0] == 1:
                seen = json.loads(frame[1]).get("seq", seen)
        assert 0 < seen < 1500
        assert frame[0] == 8
        assert int.from_bytes(frame[1][:2], "big") == 1013
        assert b"since" in frame[1]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01a", 1002),
        (b"\xf1\x80\0\0\0\0", 1002),
        (b"\x81\x82\0\0\0\0\xff\xfe", 1007),
        (b"\x81\xff\0\0\0\0\0\x01\0\x01\0\0\0\0", 1009),
    ],
)
async def test_what_cannot_be_followed_closes_with_its_code(data: bytes, code: int) -> None:
    async with house() as here, here.client() as ann, here.client() as bad:
        await ann.join("general", "alice")
        await bad.join("general", "bad")
        await ann.until("roster", count=2)
        bad.socket.transport.write(data)
        assert (await bad.closed())[0] == code
        assert [frame["type"] for frame in await ann.hear_all(2)] == ["left", "roster"]
        await ann.nothing_more()


async def test_the_reason_of_a_close_arrives_though_the_peer_goes_on_sending() -> None:
    async with house() as here, Raw(here) as bad:
        loop = asyncio.get_running_loop()
        sending = asyncio.create_task(
            loop.sock_sendall(bad.socket, b"\xf1\x80\0\0\0\0" + b"x" * 8_000_000)
        )
        async with asyncio.timeout(PATIENCE):
            while len(bad.data) < 4:
                data = await loop.sock_recv(bad.socket, 100)
                assert data, "cut off without a word"
                bad.data += data
        assert bad.data[0] == 0x88
        assert int.from_bytes(bad.data[2:4], "big") == 1002
        await sending  # a reset, which elsewhere may overtake the close frame, would raise here


async def test_a_frame_over_the_limit_closes_and_one_within_does_not() -> None:
    async with house(max_frame=1000, max_text=5000) as here, here.client() as ann:
        await ann.join("general", "alice")
        text = "x" * (1000 - len(json.dumps({"type": "chat", "text": ""})))
        await ann.say("chat", text=text)
        await ann.until("chat")
        await ann.say("chat", text=text + "x")
        assert (await ann.closed())[0] == 1009


async def test_a_close_is_answered_in_kind() -> None:
    async with house() as here:
        for code in (1000, 3000, 4999):
            async with here.client() as ann:
                await ann.socket.close(code, "bye")
                assert ann.socket.close_code == code


async def test_stopping_tells_everyone_and_takes_nobody_new() -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "alice")
        await here.server.stop()
        code, reason = await ann.closed()
        assert (code, reason) == (1001, "the server is stopping")
        with pytest.raises(ConnectionRefusedError):
            async with here.client():
                pass


async def test_stopping_does_not_wait_long_for_who_does_not_answer() -> None:
    async with house() as here, Raw(here) as deaf:
        await deaf.say(type="join", room="general", username="deaf")
        await deaf.until("roster")
        loop = asyncio.get_running_loop()
        began = loop.time()
        await here.server.stop()
        assert loop.time() - began < 5


async def test_pings_of_the_protocol_are_answered() -> None:
    async with house() as here, here.client() as ann:
        async with asyncio.timeout(PATIENCE):
            await (await ann.socket.ping(b"payload"))


async def test_frames_sent_with_the_handshake_are_not_lost() -> None:
    join = b'{"type":"join","room":"general","username":"eager"}'
    frame = bytes((0x81, 0x80 | len(join))) + b"\0\0\0\0" + join
    async with house() as here, Raw(here, frame) as eager:
        assert (await eager.read())["type"] == "welcome"


async def test_frames_after_a_close_mean_nothing() -> None:
    async with house() as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "alice")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        chat = b'{"type":"chat","text":"from beyond"}'
        frame = bytes((0x81, 0x80 | len(chat))) + b"\0\0\0\0" + chat
        bob.socket.transport.write(b"\x88\x80\0\0\0\0" + frame)
        assert (await bob.closed())[0] == 1000
        assert (await ann.hear())["type"] == "left"
        await ann.until("roster")
        await ann.nothing_more()


async def test_after_its_close_frame_a_reader_is_sent_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, go_on = threading.Event(), threading.Event()
    append = SqliteStore.append

    def slowly(store: SqliteStore, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        wait.set()
        assert go_on.wait(PATIENCE)
        return append(store, drafts, ts)

    store = f"sqlite:{tmp_path / 'chat.db'}"
    async with house(store=store) as here, here.client() as bob, Raw(here) as ann:
        await bob.join("general", "bob")
        await ann.say(type="join", room="general", username="ann")
        while (await ann.until("roster"))["count"] < 2:
            pass
        monkeypatch.setattr(SqliteStore, "append", slowly)
        hub = here.server.hub
        (reader,) = hub.lobby.rooms["general"].members["ann"].sessions
        await bob.say("chat", text="one")
        assert await asyncio.to_thread(wait.wait, PATIENCE)
        await bob.say("chat", text="two")  # waits behind it, and so does that Ann is out
        while not hub._line:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        reader.socket.close(4401, "token_expired")
        go_on.set()
        await bob.until("chat", text="two")
        assert (await ann.next())[0] == 8
        with contextlib.suppress(BlockingIOError):
            ann.data += ann.socket.recv(1000)
        assert not ann.data
