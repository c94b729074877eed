"""A reader that stops reading costs the others nothing, and is told of what it missed."""

import asyncio

import pytest

from tests.raw import Raw, flood
from tests.server import Frame, house


async def test_a_slow_reader_within_the_tail_misses_nothing() -> None:
    async with house(tail_bytes=64_000_000, tail_events=100_000) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        await flood(here, "general", 2000)
        assert here.server.hub.feeds["general"].behind, "the flood was too small to fill a socket"
        for number in range(2000):
            chat = await slow.until("chat")
            assert chat["seq"] == number + 1
        await flood(here, "general", 1)
        assert (await slow.until("chat"))["seq"] == 2001
        assert not here.server.hub.feeds["general"].behind, "it is fed with the others again"


async def test_a_reader_behind_the_tail_is_told_the_gap_and_goes_on() -> None:
    async with house(tail_events=50, tail_bytes=10_000_000) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        await flood(here, "general", 3000)
        feed = here.server.hub.feeds["general"]
        assert feed.behind
        assert len(feed.log) <= 50
        seen = 0
        gaps: list[Frame] = []
        rosters: list[Frame] = []
        while seen < 3000:
            frame = await slow.read()
            if frame["type"] == "gap":
                assert frame["room"] == "general"
                assert frame["first"] == seen + 1
                gaps.append(frame)
                seen = frame["last"]
            elif frame["type"] == "chat":
                assert frame["seq"] == seen + 1
                seen = frame["seq"]
        assert len(gaps) == 1
        while not rosters:
            frame = await slow.read()
            if frame["type"] == "roster":
                rosters.append(frame)
        assert rosters[0]["users"] == ["slow"], "a fresh roster, for what was not kept"


@pytest.mark.parametrize("at_once", [1, 2000])
async def test_a_stopped_reader_does_not_hold_its_answers_without_bound(at_once: int) -> None:
    async with house() as here, here.client() as other, Raw(here) as stopped:
        await other.join("general", "other")
        await stopped.say(type="join", room="general", username="stopped")
        await other.until("joined", username="stopped")
        (reader,) = [
            member.sessions[0].socket
            for member in here.server.lobby.rooms["general"].members.values()
            if member.name == "stopped"
        ]
        wrong = b"\x81\x84\0\0\0\0nope" * at_once
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(30):
            while True:
                try:
                    async with asyncio.timeout(0.5):  # until no more is taken
                        await loop.sock_sendall(stopped.socket, wrong)
                        await asyncio.sleep(0)
                except TimeoutError:
                    break
        waiting = reader._transport.get_write_buffer_size()
        assert 0 < waiting < 2 * 65536
        await other.say("chat", text="unharmed")
        await other.until("chat")


async def test_who_is_behind_leaves_only_after_it_has_heard_all() -> None:
    async with house(tail_bytes=64_000_000, tail_events=100_000) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        await flood(here, "general", 2000)
        assert here.server.hub.feeds["general"].behind
        await slow.say(type="leave", id="bye")
        seen = 0
        while (frame := await slow.read())["type"] != "left" or frame.get("id") != "bye":
            if frame["type"] == "chat":
                seen = frame["seq"]
        assert seen == 2000
