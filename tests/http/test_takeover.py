"""The socket is really free of aiohttp. A new aiohttp that is made otherwise must fail here."""

import asyncio
import gc
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import uvloop
from aiohttp.web_protocol import RequestHandler
from websockets.asyncio.client import connect

from hubbub.delivery.connection import Connection
from hubbub.delivery.wires import Wire
from hubbub.http.server import Server
from hubbub.settings import Settings
from tests.raw import Raw
from tests.server import PATIENCE, Client, house


def certificate(folder: Path) -> dict[str, Path]:
    """A certificate for this machine, signed by itself."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return {"tls_cert": cert, "tls_key": key}


async def test_aiohttp_keeps_nothing_of_a_connection_that_was_taken_over() -> None:
    async with house() as here, here.client() as ann:
        await ann.join("general", "alice")
        await ann.nothing_more()
        assert here.server._runner.server is not None
        assert not here.server._runner.server.connections
        gc.collect()
        handlers = [one for one in gc.get_objects() if isinstance(one, RequestHandler)]
        assert not [one for one in handlers if one.transport is not None]
        assert not [task for task in asyncio.all_tasks() if "RequestHandler" in repr(task)]
        (member,) = here.server.lobby.rooms["general"].members.values()
        connection = member.sessions[0].socket
        assert isinstance(connection._transport, Wire)


async def test_a_thousand_connections_leave_nothing_behind() -> None:
    async with house() as here:
        for _ in range(1000):
            async with Raw(here):
                pass
        async with asyncio.timeout(PATIENCE):
            await here.server._heartbeat.empty()
        gc.collect()
        # Of this server: what a test of a fault has logged keeps the frame in which that was.
        left = [one for one in gc.get_objects() if isinstance(one, Connection)]
        assert not [one for one in left if one._hub is here.server.hub]
        assert here.server._admission.inside == 0


async def test_a_client_that_is_gone_before_the_answer_is_nobody() -> None:
    async with house() as here, here.client() as ann:
        for _ in range(50):
            raw = Raw(here)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(raw.socket, ("127.0.0.1", here.port))
            raw.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset
            await loop.sock_sendall(raw.socket, b"GET /ws HTTP/1.1\r\nHost: x\r\n")
            raw.socket.close()
        await ann.join("general", "alice")
        await ann.nothing_more()


async def test_it_works_through_tls(tmp_path: Path) -> None:
    paths = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(paths["tls_cert"]))
    async with house(**paths, crowd=5) as here:
        assert here.url.startswith("https://")
        async with here.client(ssl=trust) as ann, here.client(ssl=trust) as bob:
            await ann.join("general", "alice")
            await bob.join("general", "bob")
            await ann.until("roster", count=2)
            for number in range(200):
                await bob.say("chat", text=f"{number} " + "x" * 3000)
            for number in range(200):
                for client in (ann, bob):
                    assert (await client.hear())["seq"] == number + 1
            await bob.socket.close()
            assert (await ann.hear())["type"] == "left"


async def test_a_slow_reader_behind_tls_misses_nothing(tmp_path: Path) -> None:
    paths = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(paths["tls_cert"]))
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    async with (
        house(**paths, tail_bytes=64_000_000, tail_events=100_000) as here,
        here.client(ssl=trust) as ann,
    ):
        narrow.connect(("127.0.0.1", here.port))
        async with here.client(ssl=trust, max_queue=1, sock=narrow) as slow:
            await slow.join("general", "slow")
            await ann.join("general", "alice")
            feed = here.server.hub.feeds["general"]
            said = 0
            while not feed.behind or said < 500:
                said += 1
                await ann.say("chat", text=f"{said} " + "x" * 3900)
                await ann.until("chat")
            for number in range(said):
                assert (await slow.until("chat"))["seq"] == number + 1


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_it_works_on_either_loop(loop: str, secure: bool, tmp_path: Path) -> None:
    paths = certificate(tmp_path) if secure else {}
    trust = ssl.create_default_context(cafile=str(paths["tls_cert"])) if secure else None

    async def talk() -> None:
        server = Server(Settings(addr="127.0.0.1:0", store="memory:", rate=0, **paths))  # type: ignore[arg-type]
        (url,) = await server.start()
        async with connect(url.replace("http", "ws") + "/ws", ssl=trust) as socket:
            client = Client(socket)
            await client.join("general", "alice")
            await client.say("chat", text="hello")
            assert (await client.hear())["text"] == "hello"
        await server.stop()

    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(talk())
