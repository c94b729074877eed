"""What the server refuses: it is said in words, and what was typed is kept."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import get_args

import pytest
from playwright.sync_api import Page, Request, Route, WebSocketRoute, expect

from hubbub.protocol.codes import ErrorCode
from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.people import STORE, join, people, say, texts, wait_for_letters, wake
from tests.page.trust import token
from tests.redis import RedisServer, redis_server


class Refusing:
    """Stands between the page and the server, and answers the next chat by an error."""

    def __init__(self, page: Page) -> None:
        self.error: dict[str, object] = {}
        page.route_web_socket("**/ws", self.connect)

    def connect(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def forward(message: str | bytes) -> None:
            frame = json.loads(message)
            if self.error and frame["type"] in {"chat", "edit"}:
                socket.send(json.dumps({"type": "error", "id": frame["id"], **self.error}))
                self.error = {}
            else:
                server.send(message)

        socket.on_message(forward)


def refused(tabs: Tabs, server: Server) -> tuple[Page, Refusing]:
    """Someone in a room, and what stands between them and the server."""
    page = tabs.open("about:blank")
    between = Refusing(page)
    page.goto(server.url)
    join(page, "Ann", "garden")
    return page, between


@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_whatever_a_message_is_refused_for_its_words_stay(
    tabs: Tabs, server: Server, code: str
) -> None:
    page, between = refused(tabs, server)
    between.error = {"code": code, "message": "the server's own words"}
    waits = code in {"rate_limited", "storage_unavailable"}
    if waits:
        between.error["retry_after"] = 0.3
    say(page, "what I wrote")
    if not waits:
        failed = page.locator("#pending .failed")
        expect(failed.locator(".text")).to_have_text("what I wrote")
        expect(failed).to_contain_text("Not sent: ")
        page.reload()  # and they outlive the page
        expect(failed.locator(".text")).to_have_text("what I wrote")
        failed.get_by_role("button", name="Try again").click()
    expect(texts(page)).to_have_count(1)
    expect(texts(page)).to_contain_text("what I wrote")
    expect(page.locator("#pending li")).to_have_count(0)


@pytest.mark.parametrize("code", ["muted", "read_only", "forbidden"])
def test_who_learns_by_a_refusal_that_they_may_not_write_is_asked_for_no_more(
    tabs: Tabs, server: Server, code: str
) -> None:
    page, between = refused(tabs, server)
    between.error = {"code": code, "message": "no", "reason": "cool down"}
    say(page, "what I wrote")
    expect(page.locator("#pending .failed .text")).to_have_text("what I wrote")
    expect(page.locator("#silence")).not_to_be_empty()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()


def one_in_one_out(tabs: Tabs, server: Server) -> tuple[Page, Page, list[str]]:
    """Ann is in a server for one, Bob is told that it is full; and the sockets that he tries."""
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    bob = tabs.open("about:blank")
    sockets: list[str] = []
    bob.on("websocket", lambda socket: sockets.append(socket.url))
    bob.goto(server.url)
    expect(bob.locator("#stopped")).to_contain_text("The chat is full at the moment.")
    return ann, bob, sockets


def test_a_full_server_says_so_and_lets_one_in_as_soon_as_it_can(
    tabs: Tabs, tmp_path: Path
) -> None:
    with serving("--addr", "127.0.0.1:0", "--max-connections", "1", cwd=tmp_path) as server:
        ann, bob, sockets = one_in_one_out(tabs, server)
        bob.get_by_label("Name").fill("Bob")
        bob.get_by_label("Room", exact=True).fill("garden")
        bob.get_by_role("button", name="Join").click()
        expect(bob.locator("#stopped")).to_contain_text("Trying again in a moment.")
        # From here on it asks first, and does not knock in vain.
        with bob.expect_response("**/api/session") as answer:
            wake(bob)
        assert answer.value.status == 503
        assert len(sockets) == 1
        ann.get_by_role("button", name="Leave").click()
        expect(bob.get_by_text("Connected")).to_be_visible(timeout=20_000)


def test_who_was_not_let_in_does_not_knock_again_before_the_server_said_why(
    tabs: Tabs, tmp_path: Path
) -> None:
    with serving("--addr", "127.0.0.1:0", "--max-connections", "1", cwd=tmp_path) as server:
        ann, bob, sockets = one_in_one_out(tabs, server)
        held: list[Route] = []
        asked: list[str] = []

        def hold(route: Route) -> None:
            held.append(route)

        def twice(request: Request) -> bool:
            asked.extend([request.url] if request.url.endswith("/api/session") else [])
            return len(asked) == 2

        bob.get_by_label("Name").fill("Bob")
        bob.get_by_label("Room", exact=True).fill("garden")
        bob.route("**/api/session", hold)
        with bob.expect_request(twice):  # the second time since its patience has ended
            bob.get_by_role("button", name="Join").click()
        assert len(sockets) == 1
        ann.get_by_role("button", name="Leave").click()
        for route in held:
            route.continue_()
        bob.unroute("**/api/session")
        expect(bob.get_by_text("Connected")).to_be_visible(timeout=20_000)
        assert len(sockets) == 2


def test_too_many_from_one_address_are_told_so_inside_the_room_too(
    tabs: Tabs, tmp_path: Path
) -> None:
    flags = ("--max-connections-per-ip", "1")
    with serving("--addr", "127.0.0.1:0", *flags, cwd=tmp_path) as server:
        ann = tabs.open(server.url)
        join(ann, "Ann", "garden")
        port = server.port
    ann.context.set_offline(True)
    with serving("--addr", f"127.0.0.1:{port}", *flags, cwd=tmp_path) as server:
        bob = tabs.open(server.url)
        join(bob, "Bob", "garden")
        ann.context.set_offline(False)
        wake(ann)
        expect(ann.locator("#status")).to_contain_text(
            "Too many connections from your network are open.", timeout=20_000
        )
        bob.close()
        expect(ann.get_by_text("Connected")).to_be_visible(timeout=20_000)


def test_keys_that_cannot_be_fetched_are_waited_for(tabs: Tabs, tmp_path: Path) -> None:
    # Nothing listens there.
    flags = ("--auth", "required", "--jwks", "http://127.0.0.1:9/keys")
    with serving("--addr", "127.0.0.1:0", *flags, cwd=tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token()}")
        expect(page.locator("#stopped")).to_contain_text(
            "Sign-ins cannot be checked at the moment. Trying again in a moment."
        )
        assert page.evaluate("sessionStorage.getItem('hubbub.token')"), "it may be good"


def test_what_a_closed_tab_left_is_offered_at_the_door(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(bob, "Bob", "garden")
        join(ann, "Ann", "garden")
        server.process.send_signal(signal.SIGSTOP)
        say(ann, "one")
        say(ann, "two")
        wait_for_letters(ann, 2)
        ann.route_web_socket("**/ws", lambda socket: None)  # from here on nobody answers it
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    address = ("--addr", f"127.0.0.1:{server.port}", "--store", "sqlite:chat.db")
    with serving(*address, cwd=tmp_path):
        door = tabs.watch(ann.context.new_page(), f"{server.url}/?room=elsewhere")
        left = door.get_by_role("list", name="Not sent yet")
        expect(door.get_by_label("Name")).to_have_value("Ann")
        expect(left.get_by_role("listitem")).to_have_count(0)  # their tab will send them
        ann.close()
        # The browser lets go of a closed tab's lock in its own time.
        door.evaluate(
            """async () => {
              while ((await navigator.locks.query()).held.length) await new Promise(setTimeout);
            }"""
        )
        door.reload()
        expect(left).to_contain_text("2 messages that you wrote in garden were not sent.")
        left.get_by_role("button", name="Go on as Ann and send").click()
        wake(bob)
        expect(texts(bob)).to_have_count(2, timeout=20_000)
        wait_for_letters(door, 0)
        door.get_by_role("button", name="Leave").click()
        expect(left.get_by_role("listitem")).to_have_count(0)


def test_the_page_warns_before_it_is_closed_with_words_that_it_could_not_keep(
    tabs: Tabs, tmp_path: Path
) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as server:
        ann = tabs.open("about:blank")
        ann.add_init_script("delete window.indexedDB; window.indexedDB = undefined;")
        ann.goto(server.url)
        join(ann, "Ann", "garden")
        server.process.send_signal(signal.SIGSTOP)
        say(ann, "one")
        expect(ann.locator("#pending")).to_contain_text("one")
        with ann.expect_event("dialog") as warned:
            ann.close(run_before_unload=True)
        assert warned.value.type == "beforeunload"
        warned.value.dismiss()
        server.process.send_signal(signal.SIGCONT)
        expect(texts(ann)).to_have_count(1)
        with ann.expect_event("close"):  # nothing is at risk any more
            ann.close(run_before_unload=True)


def test_a_log_that_the_server_lost_begins_anew_and_what_was_not_sent_stays(
    tabs: Tabs, tmp_path: Path
) -> None:
    with (
        redis_server() as redis,
        serving("--addr", "127.0.0.1:0", "--store", redis.url, cwd=tmp_path) as server,
    ):
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(ann, "Ann", "garden")
        join(bob, "Bob", "garden")
        for number in range(3):
            say(ann, f"old {number}")
        expect(texts(bob)).to_have_count(3)
        begin_edit(ann)
        lose_everything(redis)
        say(bob, "a new beginning")
        for page in (ann, bob):
            expect(texts(page)).to_have_count(1)
            expect(texts(page)).to_contain_text("a new beginning")
        expect(ann.locator("#editing")).to_be_hidden()
        expect(ann.get_by_label("Message")).to_have_value("other words")
        expect(ann.locator("#note")).to_contain_text("The room begins anew")
        expect(people(ann)).to_have_count(2)
        say(ann, "and on")
        for page in (ann, bob):
            expect(texts(page)).to_have_count(2)
            expect(page.locator("#pending li")).to_have_count(0)
        ann.reload()
        expect(ann.get_by_text("Connected")).to_be_visible()
        expect(texts(ann)).to_have_count(2)
        expect(ann.locator(".mine")).to_have_count(1)


def begin_edit(page: Page) -> None:
    page.get_by_label("Message").press("ArrowUp")
    page.get_by_label("Message").fill("other words")


def lose_everything(redis: RedisServer) -> None:
    redis.client.flushall()
    redis.client.function_flush()
