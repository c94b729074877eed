"""Plain sockets without a transport of the loop's each: nothing is lost, nobody is stopped."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hubbub.delivery.connection import BATCH, GRACE, Connection
from hubbub.delivery.wires import EpollWires, LoopWires, Wire
from hubbub.websocket.frames import text_frame
from tests.raw import Raw, flood
from tests.server import PATIENCE, House, house


@pytest.fixture(params=["epoll", "the loop"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type:
    """What looks at the sockets: epoll of our own, or the loop, as where there is none."""
    if request.param == "epoll":
        return EpollWires
    monkeypatch.delattr(select, "epoll")
    return LoopWires


@asynccontextmanager
async def wired(kind: type, **settings: Any) -> AsyncIterator[House]:
    async with house(**settings) as here:
        assert type(here.server._wires) is kind
        yield here


def connection(here: House, name: str) -> Connection:
    (found,) = [
        member.sessions[0].socket
        for member in here.server.lobby.rooms["general"].members.values()
        if member.name == name
    ]
    assert isinstance(found, Connection)
    assert isinstance(found._transport, Wire)
    return found


def is_held(one: Connection) -> bool:
    assert isinstance(one._transport, Wire)
    return one._held is not None and not one._transport.is_read


async def test_people_come_talk_and_go(kind: type) -> None:
    async with wired(kind) as here, here.client() as ann:
        await ann.join("general", "ann")
        async with here.client() as bob:
            await bob.join("general", "bob")
            await ann.until("roster", count=2)
            for number in range(200):
                await bob.say("chat", text=f"{number} " + "x" * 3000)
            for number in range(200):
                for client in (ann, bob):
                    assert (await client.until("chat"))["seq"] == number + 1
        assert (await ann.until("left"))["username"] == "bob"
        await ann.until("roster", count=1)
        await ann.nothing_more()


async def test_a_message_larger_than_what_is_read_at_once_comes_whole(kind: type) -> None:
    async with (
        wired(kind, max_text=300_000, max_frame=400_000) as here,
        here.client(max_size=None) as ann,
    ):
        await ann.join("general", "ann")
        text = "".join(f"{number} " for number in range(40_000))[:200_000] + "."
        await ann.say("chat", text=text)
        assert (await ann.until("chat"))["text"] == text


async def test_a_reader_that_was_full_hears_all_and_its_leave_comes_last(kind: type) -> None:
    async with wired(kind, tail_bytes=64_000_000, tail_events=100_000) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        await flood(here, "general", 2000)
        assert connection(here, "slow")._transport.get_write_buffer_size() > 0
        for number in range(2000):
            while (frame := await slow.read())["type"] != "chat":
                pass
            assert frame["seq"] == number + 1
        await slow.say(type="leave", id="bye")
        while (frame := await slow.read())["type"] != "left" or frame.get("id") != "bye":
            pass


async def test_a_close_frame_waits_for_what_was_begun_and_then_the_stream_ends(kind: type) -> None:
    async with wired(kind, tail_bytes=64_000_000, tail_events=100_000) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        await flood(here, "general", 2000)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(slow.socket, b"\xff\xff")  # no frame: a breach of the protocol
        opcode, payload = 1, b""
        while opcode != 8:
            opcode, payload = await slow.next()
        assert int.from_bytes(payload[:2], "big") == 1002
        assert not slow.data
        async with asyncio.timeout(GRACE / 2):  # after that it would be cut off
            assert await loop.sock_recv(slow.socket, 1) == b""


async def test_a_piece_that_does_not_fit_is_written_in_parts(kind: type) -> None:
    words = "".join(f"{number} " for number in range(400_000)).encode()
    async with wired(kind) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        mine = connection(here, "slow")
        with socket.socket(fileno=os.dup(mine.fd)) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        mine.write(text_frame(words))
        assert mine._transport.get_write_buffer_size() > 0
        mine.write(text_frame(b"and this"))
        assert await slow.next() == (1, words)
        assert await slow.next() == (1, b"and this")
        assert mine._transport.get_write_buffer_size() == 0


async def test_no_more_is_read_while_the_store_is_behind(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wired(kind, max_pending=3) as here, Raw(here) as ann, here.client() as bob:
        await bob.join("general", "bob")
        await ann.say(type="join", room="general", username="ann")
        await bob.until("roster", count=2)
        mine, hub = connection(here, "ann"), here.server.hub
        asked: list[tuple[Any, ...]] = []
        right = hub.keeper.append
        monkeypatch.setattr(hub.keeper, "append", lambda *one: asked.append(one))
        ann.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = 0
        async with asyncio.timeout(PATIENCE):
            while not is_held(mine):
                said += 1
                await ann.say(type="chat", text=str(said))
                await asyncio.sleep(0)
        assert len(hub._line) < said
        assert 3 <= len(hub._line) <= 3 + BATCH
        for more in range(100):
            await ann.say(type="chat", text=str(said + 1 + more))
        assert len(asked) == 1
        monkeypatch.setattr(hub.keeper, "append", right)
        right(*asked[0])
        for number in range(said + 100):
            assert (await bob.until("chat"))["text"] == str(number + 1)


async def test_who_is_reset_or_ends_the_stream_is_out_at_once(kind: type) -> None:
    async with wired(kind) as here:
        async with here.client() as ann:
            await ann.join("general", "ann")
            for name, linger in (("reset", b"\1\0\0\0\0\0\0\0"), ("ended", bytes(8))):
                async with Raw(here) as raw:
                    await raw.say(type="join", room="general", username=name)
                    await ann.until("joined", username=name)
                    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                assert (await ann.until("left"))["username"] == name
        async with asyncio.timeout(PATIENCE):
            await here.server._heartbeat.empty()


async def test_a_fault_in_one_connection_ends_that_one_alone(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: faults.append(told))
    async with wired(kind) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        number = connection(here, "bob").number
        right = Connection.data_received

        def wrong(self: Connection, data: bytes) -> None:
            if self.number == number:
                raise ValueError("a fault")
            right(self, data)

        monkeypatch.setattr(Connection, "data_received", wrong)
        await bob.say("chat", text="never heard")
        assert (await ann.until("left"))["username"] == "bob"
        await ann.say("chat", text="unharmed")
        assert (await ann.until("chat"))["text"] == "unharmed"
    assert [str(told["exception"]) for told in faults] == ["a fault"]


async def test_descriptors_are_given_back(kind: type) -> None:
    async with wired(kind) as here:
        async with Raw(here) as raw:
            first = raw.socket.fileno()
        for _ in range(50):
            async with Raw(here) as raw:
                await raw.say(type="join", room="general", username="ann")
                await raw.until("roster")
            async with asyncio.timeout(PATIENCE):
                await here.server._heartbeat.empty()
            await asyncio.sleep(0)
        with socket.socket() as last:
            assert last.fileno() <= first + 1, "numbers are used again"
        assert not any(here.server._wires._wires)


async def test_what_several_say_at_once_is_one_turn() -> None:
    async with house() as here, Raw(here) as ann, Raw(here) as bob:
        for raw, name in ((ann, "ann"), (bob, "bob")):
            await raw.say(type="join", room="general", username=name)
            await raw.until("roster")
        batches: list[int] = []
        store = here.server.keeper._store  # type: ignore[attr-defined]
        right = store.append

        def append(drafts: Any, ts: int) -> Any:
            batches.append(len(drafts))
            return right(drafts, ts)

        store.append = append
        # Sent without the loop, which is the server's as well, having its turn in between.
        for raw in (ann, bob):
            head = b'{"type":"chat","text":"x"}'
            raw.socket.send(bytes((0x81, 0x80 | len(head))) + b"\0\0\0\0" + head)
        await bob.until("chat")
        assert batches == [2]


async def test_a_connection_at_rest_is_four_small_objects() -> None:
    """Beside its name, secret and identity: the reason why many fit into little memory."""
    async with house() as here, here.client() as ann:
        await ann.join("general", "ann")
        await ann.nothing_more()
        mine = connection(here, "ann")
        member = mine.session.member
        assert member is not None
        parts = [mine, mine.session, mine._transport, member]
        assert not any(hasattr(part, "__dict__") for part in parts)
        assert sum(map(sys.getsizeof, parts)) <= 600
        assert mine._parser is None
        assert mine.session._several is None
        assert mine.feeds is here.server.hub.feeds["general"].alone
        assert mine.send is mine._transport
        assert member.key is member.look is member.name
        assert mine._remote is mine.session.address
        held = [type(one) for part in parts for one in gc.get_referents(part)]
        assert not {dict, list, bytearray} & set(held)
