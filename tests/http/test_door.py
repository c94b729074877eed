"""Who gets in through the real door: tokens in each way, and each refusal with its code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from hubbub.chat.grants import Grant
from hubbub.http.refusals import REFUSALS
from tests.access.signing import SECRET, forged, public_pem, token
from tests.raw import HANDSHAKE
from tests.server import PATIENCE, House, house

UPGRADE = dict(line.split(": ") for line in HANDSHAKE.strip().split("\r\n")[2:])
ANN = token(name="Ann B.", rooms={"general": "rw", "team-*": "r"})
BOB = token(sub="bob")
EXPIRED = token(exp=1)
EARLY = token(nbf=9e10)
WAYS = ["query", "header", "subprotocol"]


class Asked:
    """An answer that has been read."""

    def __init__(self, status: int, headers: Any, body: Any) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def code(self) -> str:
        code: str = self.body["error"]["code"]
        assert REFUSALS[code][0] == self.status  # type: ignore[index]
        assert self.body["error"]["message"]
        return code


async def ask(here: House, path: str, *headers: tuple[str, str], **upgrade: str) -> Asked:
    sent = [*headers, *upgrade.items()]
    async with (
        aiohttp.ClientSession(here.url) as session,
        session.get(path, headers=sent) as answer,
    ):
        return Asked(answer.status, answer.headers, await answer.json())


@asynccontextmanager
async def door(auth: str = "required", **settings: Any) -> AsyncIterator[House]:
    async with house(auth=auth, jwt_secret=SECRET, **settings) as here:
        yield here


def sent(way: str, made: str) -> tuple[str, dict[str, str]]:
    """What to append to the address, and the headers."""
    match way:
        case "query":
            return f"?token={made}", {}
        case "header":
            return "", {"Authorization": f"Bearer {made}"}
    return "", {"Sec-WebSocket-Protocol": f"hubbub, bearer.{made}"}


def only_connection(here: House) -> Any:
    (connection,) = here.server._heartbeat
    return connection


@pytest.mark.parametrize("auth", ["optional", "required"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_token_comes_in_three_ways_and_becomes_a_grant(way: str, auth: str) -> None:
    async with door(auth) as here:
        end, headers = sent(way, ANN)
        protocols = headers.pop("Sec-WebSocket-Protocol", "").split(", ") if headers else []
        options: dict[str, Any] = {"additional_headers": headers}
        if any(protocols):
            options["subprotocols"] = [Subprotocol(one) for one in protocols]
        async with connect(here.ws + end, compression=None, **options) as socket:
            assert socket.subprotocol == ("hubbub" if way == "subprotocol" else None)
            await socket.send('{"type":"ping"}')
            assert await socket.recv() == '{"type":"pong"}'
            assert only_connection(here).session.grant == Grant(
                "ann", "Ann B.", {"general": "rw", "team-*": "r"}
            )


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, None),
        ("hubbub", "hubbub"),
        ("chat, hubbub", "hubbub"),
        ("chat", None),
        ("Hubbub", None),
        (f"bearer.{ANN}", None),
    ],
)
async def test_only_our_subprotocol_is_chosen(offered: str | None, chosen: str | None) -> None:
    async with door("optional") as here:
        offers = None if offered is None else [Subprotocol(one) for one in offered.split(", ")]
        async with connect(here.ws, compression=None, subprotocols=offers) as socket:
            assert socket.subprotocol == chosen


async def test_without_a_token_one_is_a_guest_where_it_is_optional() -> None:
    async with door("optional") as here, here.client() as guest:
        await guest.nothing_more()
        assert only_connection(here).session.grant is None


async def test_where_it_is_off_no_token_is_looked_at() -> None:
    async with house() as here:
        async with connect(f"{here.ws}?token=nonsense", compression=None) as socket:
            await socket.send('{"type":"ping"}')
            await socket.recv()
            assert only_connection(here).session.grant is None
        assert (await ask(here, "/api/session?token=nonsense")).body["auth"] == "off"


@pytest.mark.parametrize("path", ["/ws", "/api/session", "/api/rooms"])
async def test_a_missing_token_is_refused_where_it_is_required(path: str) -> None:
    async with door() as here:
        for headers in ({}, {"Authorization": "Basic YTpi"}, {"Sec-WebSocket-Protocol": "hubbub"}):
            answer = await ask(here, path, **UPGRADE, **headers)
            assert answer.code == "unauthorized"
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="hubbub"'


@pytest.mark.parametrize("path", ["/ws", "/api/session", "/api/rooms"])
@pytest.mark.parametrize("auth", ["optional", "required"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_token_that_is_no_good_is_refused_with_its_code(
    path: str, auth: str, way: str
) -> None:
    async with door(auth) as here:
        for made, code in (
            (EXPIRED, "token_expired"),
            (EARLY, "token_not_yet_valid"),
            (token("ES256"), "bad_token"),
            (forged({"alg": "none"}, {"sub": "ann"}, None), "bad_token"),
            (ANN[:-4], "bad_token"),
            ("x", "bad_token"),
            ("", "bad_token"),
        ):
            end, headers = sent(way, made)
            answer = await ask(here, path + end, **UPGRADE, **headers)
            assert answer.code == code
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
            assert made == "" or made not in str(answer.body)
        assert here.server._admission.inside == 0


async def test_two_different_tokens_are_none_and_the_same_twice_is_one() -> None:
    async with door() as here:
        ways = [sent(way, BOB) for way in WAYS]
        for end, headers in ways:
            if end:
                continue
            assert (await ask(here, f"/api/session?token={ANN}", **headers)).code == "bad_token"
            same = await ask(here, f"/api/session?token={BOB}", **headers)
            assert same.body["username"] == "bob"
        twice = await ask(here, f"/api/session?token={ANN}&token={BOB}")
        assert twice.code == "bad_token"
        bearers = [("Authorization", f"Bearer {one}") for one in (ANN, BOB)]
        assert (await ask(here, "/api/session", *bearers)).code == "bad_token"


async def test_the_session_says_who_one_is_and_what_is_asked_for() -> None:
    made = token(name="Ann B.", exp=9e9)
    async with door("optional") as here:
        known = await ask(here, "/api/session", Authorization=f"bearer {made}")
        assert known.body == {
            "username": "ann",
            "name": "Ann B.",
            "guest": False,
            "auth": "optional",
            "ends": 9e9,
            "mod_password": False,
        }
        guest = await ask(here, "/api/session")
        assert guest.body == {
            "username": None,
            "name": None,
            "guest": True,
            "auth": "optional",
            "ends": None,
            "mod_password": False,
        }
        assert guest.headers["Cache-Control"] == "no-store"


async def test_rooms_are_listed_to_those_who_may_read_them() -> None:
    async with (
        door() as here,
        here.client(additional_headers={"Authorization": f"Bearer {BOB}"}) as bob,
    ):
        for room in ("general", "team-red", "secret"):
            await bob.join(room, "bob", keep=True)
        listed = await ask(here, "/api/rooms", Authorization=f"Bearer {ANN}")
        assert [one["room"] for one in listed.body["rooms"]] == ["general", "team-red"]
        listed = await ask(here, "/api/rooms", Authorization=f"Bearer {BOB}")
        assert len(listed.body["rooms"]) == 3


async def test_the_page_and_the_health_need_no_token() -> None:
    async with door() as here, aiohttp.ClientSession(here.url) as session:
        for path in ("/", "/static/style.css", "/health"):
            async with session.get(path) as answer:
                assert answer.status == 200
                await answer.read()


@pytest.mark.parametrize(
    ("origins", "headers", "status"),
    [
        ("same", {}, 101),
        ("same", {"Origin": "http://x", "Host": "x"}, 101),
        ("same", {"Origin": "https://x", "Host": "x"}, 101),
        ("same", {"Origin": "http://evil", "Host": "x"}, 403),
        ("same", {"Origin": "null"}, 403),
        ("same", {"Origin": ""}, 403),
        ("same", {"Origin": "http://x", "Host": "x:81"}, 403),
        ("same", {"Origin": "https://pub", "X-Forwarded-Host": "pub"}, 403),
        ("https://a.example", {"Origin": "https://a.example"}, 101),
        ("https://a.example", {"Origin": "http://x", "Host": "x"}, 403),
        ("same, https://*.example", {"Origin": "https://a.example"}, 101),
        ("*", {"Origin": "null"}, 101),
    ],
)
async def test_a_page_of_another_host_is_kept_out(
    origins: str, headers: dict[str, str], status: int
) -> None:
    async with house(origins=origins) as here:
        if status == 403:
            for path in ("/ws", "/api/session"):
                assert (await ask(here, path, **UPGRADE, **headers)).code == "forbidden_origin"
        else:
            async with connecting(here, headers) as found:
                assert found == 101
            assert (await ask(here, "/api/session", **headers)).status == 200


@asynccontextmanager
async def connecting(here: House, headers: dict[str, str]) -> AsyncIterator[int]:
    """The status of an upgrade with these headers; open for as long as the block."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = HANDSHAKE if "Host" not in headers else HANDSHAKE.replace("Host: x\r\n", "")
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    writer.write(head.replace("\r\n\r\n", f"\r\n{lines}\r\n").encode())
    async with asyncio.timeout(PATIENCE):
        answer = await reader.readuntil(b"\r\n\r\n")
    try:
        yield int(answer.split()[1])
    finally:
        writer.close()
        await writer.wait_closed()


async def test_behind_a_trusted_proxy_its_host_and_clients_count() -> None:
    settings = {"trusted_proxies": "127.0.0.1, 10.0.0.0/8", "max_connections_per_ip": 1}
    async with house(**settings) as here:
        page = {"Origin": "https://chat.example", "X-Forwarded-Host": "chat.example"}
        one = {**page, "X-Forwarded-For": "203.0.113.9, 2001:db8::1, 10.0.0.1"}
        other = {**page, "X-Forwarded-For": "2001:db8:0:1::1"}
        neighbour = {"X-Forwarded-For": "1.1.1.1, 2001:db8::2"}
        async with connecting(here, one) as first, connecting(here, other) as second:
            assert (first, second) == (101, 101)
            refused = await ask(here, "/ws", **UPGRADE, **neighbour)
            assert refused.code == "too_many_connections"
            remotes = {connection._remote for connection in here.server._heartbeat}
            assert remotes == {"2001:db8::1", "2001:db8:0:1::1"}
            async with connecting(here, {"X-Forwarded-For": "garbage"}) as third:
                assert third == 101


async def test_without_trust_what_headers_say_of_addresses_counts_nothing() -> None:
    one, other = {"X-Forwarded-For": "1.1.1.1"}, {"X-Forwarded-For": "2.2.2.2"}
    async with house(max_connections_per_ip=1) as here, connecting(here, one) as first:
        assert first == 101
        assert (await ask(here, "/ws", **UPGRADE, **other)).code == "too_many_connections"


async def test_the_session_is_refused_for_the_same_reasons_as_an_upgrade() -> None:
    async with house(max_connections=1) as here, here.client():
        for path in ("/ws", "/api/session"):
            full = await ask(here, path, **UPGRADE)
            assert full.code == "full"
            assert full.headers["Retry-After"] == "5"
    async with house(max_connections_per_ip=1) as here, here.client():
        for path in ("/ws", "/api/session"):
            answer = await ask(here, path, **UPGRADE)
            assert answer.code == "too_many_connections"
    async with house() as here:
        here.server._admission.is_open = False
        for path in ("/ws", "/api/session"):
            stopping = await ask(here, path, **UPGRADE)
            assert stopping.code == "stopping"
            assert stopping.headers["Retry-After"] == "5"


async def test_keys_that_cannot_be_fetched_are_told_and_asked_for_again() -> None:
    async with house(auth="required", jwks="http://127.0.0.1:1/jwks") as here:
        made = token("RS256", head={"kid": "k"})
        answer = await ask(here, f"/ws?token={made}", **UPGRADE)
        assert answer.code == "keys_unavailable"
        assert answer.headers["Retry-After"]


async def test_places_are_counted_again_after_a_token_was_waited_for() -> None:
    async with door(max_connections=1) as here:
        gate = asyncio.Event()
        real = here.server.verifier
        assert real is not None
        verify, waiting = real.verify, asyncio.Semaphore(0)

        async def slow(token: str) -> Grant:
            waiting.release()
            await gate.wait()
            return await verify(token)

        real.verify = slow  # type: ignore[method-assign]
        sockets = [connecting(here, {"Authorization": f"Bearer {ANN}"}) for _ in range(5)]
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            tasks = [group.create_task(stack.enter_async_context(one)) for one in sockets]
            for _ in tasks:
                await waiting.acquire()
            gate.set()
            statuses = sorted([await task for task in tasks])
            assert statuses == [101, 503, 503, 503, 503]


async def test_a_public_key_file_is_enough_to_check_tokens(tmp_path: Any) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(public_pem("EdDSA"))
    async with house(auth="required", jwt_key=file) as here:
        answer = await ask(here, f"/api/session?token={token('EdDSA')}")
        assert answer.body["username"] == "ann"
        assert (await ask(here, f"/api/session?token={ANN}")).code == "bad_token"
