"""Requests that mean harm are answered in our form, cost the log nothing, and hurt nobody."""

import asyncio
import json
import random

import pytest
from structlog.testing import capture_logs

from tests.raw import HANDSHAKE
from tests.server import PATIENCE, House, house

DICE = 400


async def send(here: House, request: bytes) -> tuple[int, bytes, bytes]:
    """Status, head and body of the answer to these bytes; the connection is closed after it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            sizes = [
                line.split(b":")[1]
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ]
            body = await reader.readexactly(int(sizes[0])) if sizes else b""
        return int(head.split()[1]), head, body
    finally:
        writer.close()


def get(path: str = "/health", *lines: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: x", *lines, "", "")).encode()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/health", f"A: {'a' * 65_536}"), 431),
        (get("/health", *(f"A{number}: a" for number in range(1000))), 431),
        (get(f"/ws?token={'a' * 65_536}"), 431),
        (get("/health", "A: \0"), 400),
        (get("/health", "A : a"), 400),
        (get("/health", " folded"), 400),
        (get("/health", "A: a\nB: b"), 400),
        (get("/health", "Host: y"), 400),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (get("/", "Content-Length: 5", "Transfer-Encoding: chunked"), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ],
)
async def test_a_request_that_breaks_http_is_refused_as_json(request_: bytes, status: int) -> None:
    async with house() as here:
        found, head, body = await send(here, request_)
        assert found == status
        assert head.startswith(b"HTTP/1.1 ")
        error = json.loads(body)["error"]
        assert (
            error["code"]
            == {
                400: "bad_request",
                431: "request_header_fields_too_large",
            }[status]
        )
        assert len(body) < 200
        assert b"Content-Security-Policy: default-src 'none'" in head
        assert b"aiohttp" not in head
        assert (await send(here, get()))[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/%2e%2e%2fsettings.py",
        "/static/..%2fsettings.py",
        "/static/..%5csettings.py",
        "/static/%252e%252e/settings.py",
        "/static/....//settings.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/style.css/../../settings.py",
        "/static/style.css%00.js",
        "/static/%00",
        "/static/%ff%fe",
        "/static/%c0%ae%c0%ae/settings.py",
        "/static/" + "a" * 4000,
        "/static/" + "%F0%9F%98%80" * 80,
        "/static",
        "/static/",
        "/static/view",
    ],
)
async def test_static_files_are_those_of_the_page_alone(path: str) -> None:
    async with house() as here:
        status, _, body = await send(here, get(path))
        assert status in (403, 404)
        assert b"Settings" not in body


INJECTED = "x\r\nX-Injected: yes"


@pytest.mark.parametrize(
    "request_",
    [
        get("/ws?token=x%0d%0aX-Injected:%20yes"),
        get("/no%0d%0aX-Injected:%20yes"),
        get("/static/x%0d%0aX-Injected:%20yes"),
        get("/%0d%0aX-Injected:%20yes", "Accept: text/html"),
        get("/ws", "Sec-WebSocket-Protocol: hubbub\u010d\u010aX-Injected: yes"),
        get("/", "Origin: http://x\rX-Injected: yes"),
        b"GET / HTTP/1.1\r\nHost: x; script-src *\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\x0bX-Injected: yes\r\n\r\n",
        HANDSHAKE.replace("Host: x", "Host: x\r\nSec-WebSocket-Protocol: a\tb, hubbub").encode(),
    ],
)
async def test_nothing_that_was_sent_gets_into_a_header_of_the_answer(request_: bytes) -> None:
    async with house() as here:
        _, head, _ = await send(here, request_)
        assert b"injected" not in head.lower()
        assert b"script-src *" not in head


async def test_a_failure_of_ours_is_told_without_its_insides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with house() as here:
        monkeypatch.setattr(here.server.lobby, "rooms", None)
        with capture_logs() as lines:
            status, head, body = await send(here, get("/api/rooms"))
        assert status == 500
        assert json.loads(body)["error"]["code"] == "internal_error"
        assert b"Content-Security-Policy" in head
        assert b"Attribute" not in body
        (line,) = [one for one in lines if one["log_level"] == "error"]
        assert isinstance(line["exc_info"], AttributeError)
        monkeypatch.undo()


async def test_a_name_cannot_break_out_of_json() -> None:
    async with house() as here, here.client() as ann:
        room = '"}],"x":"\\'
        await ann.join(room, "<script>")
        _, _, body = await send(here, get("/api/rooms"))
        assert json.loads(body) == {"rooms": [{"room": room, "users": 1}]}


async def test_random_changes_of_a_handshake_never_fail_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dice = random.Random(7)
    more = "Origin: http://x\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer a.b.c\r\n\r\n"
    good = HANDSHAKE[:-2].replace("/ws", "/ws?token=a.b.c").encode() + more.encode()
    settings = {"auth": "optional", "jwt_secret": "x" * 32, "trusted_proxies": "127.0.0.1"}
    async with house(**settings) as here:
        with capture_logs() as lines:
            for _ in range(DICE):
                request = bytearray(good)
                for _ in range(dice.choice((1, 2, 5))):
                    place = dice.randrange(len(request) - 4)
                    if dice.random() < 0.5:
                        request[place] = dice.randrange(256)
                    else:
                        request[place:place] = dice.choice((b"\r\n", b"\0", b"\xff", b", ", b"%00"))
                try:
                    status, _, _ = await send(here, bytes(request) + b"\r\n\r\n")
                except (asyncio.IncompleteReadError, ConnectionError):
                    continue
                assert status < 500
        assert (await send(here, get()))[0] == 200
    assert not [line for line in lines if line["log_level"] == "error"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
