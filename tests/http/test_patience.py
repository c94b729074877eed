"""A client that does not send its request in time is let go; nobody else is."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from hubbub.http.patience import Patient
from tests.http.test_takeover import certificate
from tests.raw import HANDSHAKE
from tests.server import PATIENCE, House, house

WITHIN = 0.4
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
STYLE = b"GET /static/style.css HTTP/1.1\r\nHost: x\r\n\r\n"


class Plain:
    """A client of a plain TCP stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, request: bytes = HEALTH) -> int:
        """The status of a request that is sent whole; its body is read."""
        self.writer.write(request)
        return await self.answer()

    async def answer(self) -> int:
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await self.reader.readexactly(size)
        return int(head.split()[1])

    async def trickle(self, data: bytes) -> None:
        """A byte now and then, for as long as the server listens, and longer than it should."""
        try:
            for byte in data:
                self.writer.write(bytes((byte,)))
                await self.writer.drain()
                await asyncio.sleep(WITHIN / 8)
        except ConnectionError:
            pass

    async def rest(self) -> bytes:
        """What comes until the server hangs up, which it must."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@asynccontextmanager
async def plain(here: House) -> AsyncIterator[Plain]:
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    try:
        yield Plain(reader, writer)
    finally:
        writer.close()


def connections(here: House) -> list[Patient]:
    assert here.server._runner.server is not None
    return [one for one in here.server._runner.server.connections if isinstance(one, Patient)]


async def test_many_slow_clients_hold_no_sockets_and_others_are_served() -> None:
    async with (
        house(handshake_timeout=WITHIN) as here,
        here.client() as ann,
        AsyncExitStack() as stack,
    ):
        await ann.join("general", "ann")
        slow = [await stack.enter_async_context(plain(here)) for _ in range(300)]
        trickles = [
            asyncio.create_task(one.trickle(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 500))
            for one in slow[::2]
        ]
        began = time.monotonic()
        async with plain(here) as quick:
            assert await quick.ask() == 200
        ends = await asyncio.gather(*(one.rest() for one in slow))
        assert time.monotonic() - began < PATIENCE / 2
        assert {end[:12] for end in ends[1::2]} == {b""}
        assert {end[:12] for end in ends[::2]} <= {b"HTTP/1.1 408", b""}
        for task in trickles:
            task.cancel()
        await ann.nothing_more()
        assert len(connections(here)) <= 1  # the quick one


async def test_a_late_request_is_told_so() -> None:
    async with house(handshake_timeout=WITHIN) as here, plain(here) as slow:
        slow.writer.write(HEALTH[:-2])
        head, _, body = (await slow.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert json.loads(body)["error"]["code"] == "request_timeout"


@pytest.mark.parametrize("begun", [b"G", HEALTH[:-2], b"\r\n"])
async def test_later_requests_on_a_connection_have_to_come_in_time_too(begun: bytes) -> None:
    async with house(handshake_timeout=WITHIN) as here, plain(here) as slow:
        for _ in range(3):
            assert await slow.ask() == 200
        slow.writer.write(begun)
        began = time.monotonic()
        assert (await slow.rest())[:12] in (b"HTTP/1.1 408", b"")
        assert time.monotonic() - began > WITHIN / 2


async def test_a_connection_may_rest_between_its_requests() -> None:
    async with house(handshake_timeout=WITHIN) as here, plain(here) as calm, plain(here) as late:
        assert await calm.ask() == 200
        await late.rest()  # so long it lasts until the late are sent away
        assert await calm.ask() == 200
        calm.writer.write(HEALTH[:9])
        await asyncio.sleep(0)
        calm.writer.write(HEALTH[9:])
        assert await calm.answer() == 200


async def test_a_socket_that_was_taken_over_owes_nothing() -> None:
    async with house(handshake_timeout=WITHIN) as here, plain(here) as still, plain(here) as late:
        still.writer.write(HANDSHAKE.encode())
        await still.reader.readuntil(b"\r\n\r\n")
        still.writer.write(b"\x89")  # half a ping
        await late.rest()
        still.writer.write(b"\x80\0\0\0\0")
        assert await still.reader.readexactly(2) == b"\x8a\0"


async def test_a_slow_download_is_left_to_end() -> None:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    count = 25
    async with house(handshake_timeout=WITHIN) as here:
        narrow.connect(("127.0.0.1", here.port))
        reader, writer = await asyncio.open_connection(sock=narrow, limit=1024)
        slow = Plain(reader, writer)
        assert await slow.ask() == 200
        (busy,) = [one for one in connections(here) if one.owes_since is None]
        assert busy.transport is not None
        ours = busy.transport.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        writer.write(STYLE * count)
        assert await slow.answer() == 200
        writer.write(HEALTH[:5])  # the next request is begun, and its answer is far
        async with plain(here) as late:
            await late.rest()
        for _ in range(count - 1):
            assert await slow.answer() == 200
        writer.write(HEALTH[5:])
        assert await slow.answer() == 200
        writer.close()


async def test_a_server_that_was_held_up_blames_nobody() -> None:
    async with house(handshake_timeout=WITHIN) as here, plain(here) as prompt:
        async with plain(here) as other:
            assert await other.ask() == 200  # so both are known to the server
        time.sleep(WITHIN * 2)  # noqa: ASYNC251  # the loop hangs, as it should not
        for _ in range(3):  # and goes on with what is due
            await asyncio.sleep(0)
        assert await prompt.ask() == 200


async def test_a_tls_handshake_has_to_come_in_time(tmp_path: Path) -> None:
    paths = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(paths["tls_cert"]))
    async with (
        house(**paths, handshake_timeout=WITHIN) as here,
        here.client(ssl=trust) as ann,
        plain(here) as silent,
        plain(here) as half,
    ):
        half.writer.write(b"\x16\x03\x01\x02\x00\x01")
        await silent.rest()
        await half.rest()
        await ann.nothing_more()
