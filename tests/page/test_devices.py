"""One user on several machines: what was read on one is not new on the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect
from websockets.sync.client import connect

from tests.command import Server
from tests.page.conftest import Tabs
from tests.page.people import say, texts
from tests.page.test_house import HIDE, Speaker, go, room_of
from tests.page.trust import come_in, token, tokens


@contextmanager
def bob(server: Server, *rooms: str) -> Iterator[Speaker]:
    headers = {"Authorization": f"Bearer {token('bob')}"}
    url = f"{server.url.replace('http', 'ws')}/ws"
    with connect(url, additional_headers=headers) as socket:
        speaker = Speaker(socket)
        for room in rooms:
            speaker.ask({"type": "join", "room": room, "keep": True, "id": room})
        yield speaker


def machine(tabs: Tabs, server: Server, room: str) -> Page:
    """A browser of Ann's, with nothing kept in it."""
    page = tabs.open(f"{server.url}/?token={token('ann')}")
    come_in(page, room)
    return page


def test_what_is_read_on_one_machine_is_new_on_no_other(tabs: Tabs, tmp_path: Path) -> None:
    with (
        tokens(tmp_path, more=("--news-interval", "0.05")) as server,
        bob(server, "garden", "attic") as speaker,
    ):
        speaker.say("garden", "zero")
        desk = machine(tabs, server, "garden")
        go(desk, "attic")
        go(desk, "garden")
        phone = machine(tabs, server, "attic")
        # What the desk has read is known here.
        expect(room_of(phone, "garden")).to_be_visible()
        go(phone, "cellar")
        go(desk, "roof")
        speaker.say("garden", "one")
        speaker.say("garden", "to @ann")
        for page in (desk, phone):
            expect(room_of(page, "garden").locator(".badge")).to_have_text("@1")
        expect(phone).to_have_title("(1) cellar · Hubbub")
        go(desk, "garden")
        expect(texts(desk)).to_have_count(3)
        expect(phone).to_have_title("cellar · Hubbub")
        expect(room_of(phone, "garden").locator(".badge")).to_have_count(0)
        # In the room that both are in, who looks reads for who does not.
        go(phone, "garden")
        phone.evaluate(HIDE, True)
        desk.evaluate(HIDE, True)
        speaker.say("garden", "more to @ann")
        for page in (desk, phone):
            expect(page).to_have_title("(1) garden · Hubbub")
        desk.evaluate(HIDE, False)
        for page in (desk, phone):
            expect(page).to_have_title("garden · Hubbub")


def test_what_came_while_all_machines_were_off_is_counted(tabs: Tabs, tmp_path: Path) -> None:
    with (
        tokens(tmp_path, more=("--news-interval", "0.05")) as server,
        bob(server, "garden", "attic") as speaker,
    ):
        desk = machine(tabs, server, "garden")
        speaker.say("garden", "seen")
        expect(texts(desk)).to_have_count(1)
        headers = {"Authorization": f"Bearer {token('ann')}"}
        url = f"{server.url.replace('http', 'ws')}/ws"
        with connect(url, additional_headers=headers) as ann:
            ann.send(json.dumps({"type": "rooms", "rooms": ["garden"]}))
            told = json.loads(ann.recv(timeout=10))
            if told["rooms"][0].get("read") is None:  # the page tells it after a moment
                assert json.loads(ann.recv(timeout=10))["type"] == "read"
        desk.context.close()
        for text in ("one", "two", "three"):
            speaker.say("garden", text)
        phone = machine(tabs, server, "attic")
        expect(room_of(phone, "garden").locator(".badge")).to_have_text("3")
        go(phone, "garden")
        line = phone.locator("#rows > .chat", has=phone.locator(".new-line"))
        expect(line).to_contain_text("one")


def test_a_room_that_one_has_read_is_listed_with_nobody_in_it(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path, more=("--news-interval", "0.05")) as server:
        with bob(server, "garden") as speaker:
            desk = machine(tabs, server, "garden")
            speaker.say("garden", "one")
            expect(texts(desk)).to_have_count(1)
            go(desk, "attic")
            say(desk, "up here")
            expect(texts(desk)).to_have_count(1)
            speaker.say("garden", "to @ann")
            expect(room_of(desk, "garden").locator(".badge")).to_have_text("@1")
        phone = machine(tabs, server, "cellar")
        expect(room_of(phone, "attic")).to_be_visible()
        desk.context.close()
        expect(room_of(phone, "garden").locator(".badge")).to_have_text("@1")
        # Who takes it off the list does not get it back before they go there.
        phone.get_by_role("button", name="Take attic off the list").click()
        expect(room_of(phone, "attic")).to_have_count(0)
        phone.reload()
        expect(room_of(phone, "garden")).to_be_visible()
        expect(room_of(phone, "attic")).to_have_count(0)
        go(phone, "attic")
        expect(room_of(phone, "attic")).to_be_visible()
