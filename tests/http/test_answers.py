"""What the server answers over plain HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from tests.raw import HANDSHAKE
from tests.server import House, house

UPGRADE = dict(line.split(": ") for line in HANDSHAKE.strip().split("\r\n")[1:])


class Http:
    """Asks, and reads each answer to its end, so that its connection is free again."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def get(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> aiohttp.ClientResponse:
        async with self.session.request(method, path, headers=headers) as answer:
            await answer.read()
            return answer


@asynccontextmanager
async def asking(here: House) -> AsyncIterator[Http]:
    async with aiohttp.ClientSession(here.url) as session:
        yield Http(session)


async def test_rooms_are_listed_by_name_while_someone_is_in_them() -> None:
    async with house() as here, asking(here) as http, here.client() as ann, here.client() as bob:
        assert await (await http.get("/api/rooms")).text() == '{"rooms":[]}'
        await ann.join("red", "alice")
        await ann.join("blue", "alice", keep=True)
        await bob.join("red", "bob")
        answer = await http.get("/api/rooms")
        assert await answer.text() == (
            '{"rooms":[{"room":"blue","users":1},{"room":"red","users":2}]}'
        )
        assert answer.content_type == "application/json"
        await ann.say("leave", id="x")
        await ann.until("left", room="red")
        rooms = (await (await http.get("/api/rooms")).json())["rooms"]
        assert rooms == [{"room": "red", "users": 1}]


async def test_rooms_can_be_listed_page_by_page() -> None:
    async with house() as here, asking(here) as http, here.client() as ann:
        names = ["blue", "café & co", "green", "red"]
        for name in names:
            await ann.join(name, "alice", keep=True)
        listed: list[str] = []
        more = True
        while more:
            after = quote(listed[-1]) if listed else ""
            page = await (await http.get(f"/api/rooms?limit=3&after={after}")).json()
            assert len(page["rooms"]) <= 3
            listed += [room["room"] for room in page["rooms"]]
            more = page["more"]
        assert listed == names
        assert (await (await http.get("/api/rooms?after=green")).json()) == {
            "rooms": [{"room": "red", "users": 1}]
        }
        whole = await (await http.get("/api/rooms?limit=4")).json()
        assert whole["more"] is False


@pytest.mark.parametrize("limit", ["", "0", "-1", "many", "1.5", "\u0661"])
async def test_a_page_of_no_size_is_refused(limit: str) -> None:
    async with house() as here, asking(here) as http:
        answer = await http.get(f"/api/rooms?limit={quote(limit)}")
        assert answer.status == 400
        assert (await answer.json())["error"]["code"] == "bad_request"


async def test_health_is_a_small_json() -> None:
    async with house() as here, asking(here) as http:
        answer = await http.get("/health")
        assert answer.status == 200
        assert await answer.json() == {"status": "ok"}


async def test_every_answer_has_its_security_headers() -> None:
    async with house() as here, asking(here) as http:
        paths = ("/", "/api/rooms", "/health", "/nothing", "/ws", "/static/icon.svg", "/static/no")
        for path in paths:
            answer = await http.get(path)
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert f"ws://127.0.0.1:{here.port}" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_what_is_a_part_of_a_page_obeys_that_and_is_guessed_to_be_nothing_else() -> None:
    async with house() as here, asking(here) as http:
        styles, script = (
            ("style.css", "text/css; charset=utf-8"),
            ("view/app.js", "text/javascript"),
        )
        for path, kind in (styles, script):
            answer = await http.get(f"/static/{path}")
            assert answer.headers["Content-Type"] == kind
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.headers["Server"] == "Hubbub"
            assert "Content-Security-Policy" not in answer.headers


async def test_a_strange_host_does_not_get_into_the_policy() -> None:
    async with house() as here, asking(here) as http:
        for host in ("evil; script-src *", "a b", "caf\u00e9"):
            answer = await http.get("/", headers={"Host": host})
            assert "evil" not in answer.headers["Content-Security-Policy"]
            assert "ws://" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Upgrade": None}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Connection": "close"}, 426),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": None}, 426),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
        ({"Sec-WebSocket-Key": "not base64 at all"}, 400),
    ],
)
async def test_a_wrong_handshake_is_refused_with_a_reason(
    changes: dict[str, str | None], status: int
) -> None:
    async with house() as here, asking(here) as http:
        headers = {**UPGRADE, **changes}
        sent = {name: value for name, value in headers.items() if value is not None}
        answer = await http.get("/ws", headers=sent)
        assert answer.status == status
        body: dict[str, Any] = json.loads(await answer.text())
        assert body["error"]["message"]
        if status == 426:
            assert answer.headers["Sec-WebSocket-Version" if "V" in str(changes) else "Upgrade"]


async def test_a_refused_upgrade_leaves_the_connection_usable() -> None:
    async with house() as here, asking(here) as http:
        for _ in range(3):
            assert (await http.get("/ws")).status == 426
            assert (await http.get("/health")).status == 200


async def test_what_is_not_there_is_said_as_json() -> None:
    async with house() as here, asking(here) as http:
        answer = await http.get("/no/such/page")
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_found"
        answer = await http.get("/api/rooms", method="POST")
        assert answer.status == 405
        assert answer.headers["Allow"]
        for path in ("/static/../settings.py", "/static/%2e%2e/settings.py", "/static/"):
            assert (await http.get(path)).status in {403, 404}


async def test_a_full_server_says_so_before_the_upgrade() -> None:
    async with house(max_connections=2) as here, asking(here) as http:
        async with here.client(), here.client():
            answer = await http.get("/ws", headers=UPGRADE)
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert (await answer.json())["error"]["code"] == "full"
        async with here.client() as ann:
            await ann.join("general", "alice")


async def test_one_address_may_have_so_many_connections() -> None:
    async with house(max_connections_per_ip=2) as here, asking(here) as http:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(here.client())
            answer = await http.get("/ws", headers=UPGRADE)
            assert answer.status == 429
            assert (await answer.json())["error"]["code"] == "too_many_connections"
        async with here.client() as ann:
            await ann.join("general", "alice")
