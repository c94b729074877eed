"""The rooms beside the room: going from one to another, what is new there, and how it all looks."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from websockets.sync.client import ClientConnection, connect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.looks import DESK, PHONE, look
from tests.page.people import join, people, say, texts

FLAGS = ("--addr", "127.0.0.1:0", "--store", "sqlite:chat.db", "--news-interval", "0.05")
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Let the page believe that nobody looks at it, or that someone does."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(*FLAGS, "--rate", "0", cwd=tmp_path) as running:
        yield running


def go(page: Page, room: str) -> None:
    """To a room by Ctrl+K."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type(room)
    page.keyboard.press("Enter")
    expect(page.locator("#place")).to_have_text(room)
    expect(page.get_by_text("Connected")).to_be_visible()


def room_of(page: Page, name: str) -> Locator:
    """A room in the sidebar."""
    return page.get_by_role("navigation").locator(f'[data-room="{name}"]')


class Speaker:
    """Someone who speaks in rooms without a page."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def join(self, room: str) -> None:
        self.ask({"type": "join", "room": room, "username": "Bob", "keep": True, "id": room})

    def say(self, room: str, text: str) -> None:
        self.ask({"type": "chat", "room": room, "text": text, "id": f"{room} {text}"})

    def ask(self, frame: dict[str, Any]) -> None:
        self.socket.send(json.dumps(frame))
        while json.loads(self.socket.recv(timeout=10)).get("id") != frame["id"]:
            pass


@contextmanager
def speaker(server: Server, *rooms: str) -> Iterator[Speaker]:
    with connect(f"{server.url.replace('http', 'ws')}/ws") as socket:
        bob = Speaker(socket)
        for room in rooms:
            bob.join(room)
        yield bob


def test_one_goes_from_room_to_room_without_the_door(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    with speaker(server, "garden", "attic") as bob:
        expect(people(ann)).to_have_count(2)
        go(ann, "attic")
        expect(people(ann)).to_have_text(["Bob", "Annyou"])
        assert "room=attic" in ann.url
        bob.say("attic", "in the attic")
        expect(texts(ann)).to_have_count(1)
        room_of(ann, "garden").click()
        expect(ann.locator("#place")).to_have_text("garden")
        expect(texts(ann)).to_have_count(0)
        expect(room_of(ann, "garden")).to_have_attribute("aria-current", "page")
        expect(ann.get_by_label("Message")).to_be_focused()
        say(ann, "in the garden")
        expect(texts(ann)).to_have_count(1)
        ann.go_back()
        expect(ann.locator("#place")).to_have_text("attic")
        expect(texts(ann)).to_contain_text("in the attic")
        ann.reload()
        expect(ann.locator("#place")).to_have_text("attic")
        expect(room_of(ann, "garden")).to_be_visible()


def test_what_is_new_elsewhere_is_counted_until_one_looks(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    with speaker(server, "garden", "attic") as bob:
        bob.say("garden", "old")
        expect(texts(ann)).to_have_count(1)
        go(ann, "attic")
        for n in range(3):
            bob.say("garden", f"new {n}")
        expect(room_of(ann, "garden")).to_have_text(re.compile(r"3 new"))
        expect(ann).to_have_title("• attic · Hubbub")
        ann.reload()
        expect(room_of(ann, "garden")).to_have_text(re.compile(r"3 new"))
        room_of(ann, "garden").click()
        expect(texts(ann)).to_have_count(4)
        expect(ann.locator(".new-line")).to_have_count(1)
        first = ann.locator("#rows > .chat", has=ann.locator(".new-line"))
        expect(first).to_contain_text("new 0")
        expect(room_of(ann, "garden")).to_have_text("garden")
        expect(ann).to_have_title("garden · Hubbub")


def test_what_comes_again_is_not_new(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    with speaker(server, "garden", "attic") as bob:
        bob.say("garden", "begun")
        expect(texts(ann)).to_have_count(1)
        ann.wait_for_function(
            """() => new Promise((found) => {
                const opened = indexedDB.open("hubbub /");
                opened.onsuccess = () => {
                    const all = opened.result.transaction("desks").objectStore("desks").getAll();
                    all.onsuccess = () => found(all.result.some((desk) => desk.position.seq === 1));
                };
            })"""
        )
        # The browser keeps no later position, as where one goes on before it is written.
        ann.evaluate("() => { IDBObjectStore.prototype.put = IDBObjectStore.prototype.getAll }")
        bob.say("garden", "old")
        expect(texts(ann)).to_have_count(2)
        go(ann, "attic")
        bob.say("garden", "new")
        expect(room_of(ann, "garden")).to_have_text(re.compile(r"1 new"))
        room_of(ann, "garden").click()
        expect(texts(ann)).to_have_count(3)
        first = ann.locator("#rows > .chat", has=ann.locator(".new-line"))
        expect(first).to_have_attribute("data-seq", "3")


def test_what_one_tab_has_read_is_read_in_the_other(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    go(ann, "attic")
    with speaker(server, "garden") as bob:
        bob.say("garden", "one")
        expect(room_of(ann, "garden")).to_have_text(re.compile("1 new"))
        other = tabs.watch(ann.context.new_page(), server.url)
        join(other, "Ann too", "cellar")
        expect(room_of(other, "garden")).to_have_text(re.compile("1 new"))
        go(other, "garden")
        expect(texts(other)).to_have_count(1)
        expect(room_of(ann, "garden")).to_have_text("garden")
        # What the first tab keeps from now on does not undo it.
        go(ann, "garden")
        expect(ann.locator(".new-line")).to_have_count(0)
        go(ann, "attic")
        ann.reload()
        expect(room_of(ann, "garden")).to_have_text("garden")


def test_who_does_not_look_finds_where_they_stopped(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    with speaker(server, "garden") as bob:
        bob.say("garden", "seen")
        expect(texts(ann)).to_have_count(1)
        ann.evaluate(HIDE, True)
        bob.say("garden", "not seen")
        bob.say("garden", "@ann not seen either")
        expect(ann).to_have_title("(1) garden · Hubbub")
        line = ann.locator("#rows > .chat", has=ann.locator(".new-line"))
        expect(line).to_have_count(1)
        expect(line).to_contain_text("not seen")
        ann.evaluate(HIDE, False)
        expect(ann).to_have_title("garden · Hubbub")
        expect(line).to_have_count(1)  # one wants to see where


def test_a_mention_is_told_outside_the_page_if_one_asked_for_it(tabs: Tabs, server: Server) -> None:
    ann = tabs.open("about:blank", permissions=["notifications"])
    ann.add_init_script(
        """window.told = [];
        window.asked = 0;
        class Told extends EventTarget {
          static permission = "default";
          static async requestPermission() { window.asked++; return Told.permission = "granted"; }
          constructor(title, { body }) { super(); window.told.push(`${title}: ${body}`); }
        }
        window.Notification = Told;"""
    )
    ann.goto(server.url)
    join(ann, "Ann", "garden")
    with speaker(server, "garden") as bob:
        ann.evaluate(HIDE, True)
        bob.say("garden", "@ann one")
        expect(ann).to_have_title("(1) garden · Hubbub")
        assert ann.evaluate("[window.asked, window.told]") == [0, []]
        ann.evaluate(HIDE, False)
        ann.get_by_role("button", name="Settings").click()
        ann.get_by_role("button", name="Tell me outside the page, too").click()
        expect(ann.get_by_role("button", name="Do not tell me any more")).to_be_visible()
        bob.say("garden", "@ann while she looks")
        expect(texts(ann)).to_have_count(2)
        ann.evaluate(HIDE, True)
        bob.say("garden", "nothing to her")
        bob.say("garden", "@ann two")
        expect(ann).to_have_title("(1) garden · Hubbub")
        assert ann.evaluate("window.told") == ["Bob in garden: @ann two"]
        assert ann.evaluate("window.asked") == 1
        ann.get_by_role("button", name="Do not tell me any more").click()
        bob.say("garden", "@ann three")
        expect(texts(ann)).to_have_count(5)
        assert ann.evaluate("window.told.length") == 1


def test_a_room_is_found_by_the_keyboard_and_a_new_one_begun(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    for name in ("attic", "kitchen"):
        go(ann, name)
    ann.keyboard.press("Control+k")
    options = ann.get_by_role("dialog").get_by_role("option")
    expect(options).to_have_text(["attic", "garden"])
    ann.keyboard.press("ArrowDown")
    expect(ann.get_by_role("combobox")).to_have_attribute("aria-activedescendant", "choose-1")
    ann.keyboard.press("Enter")
    expect(ann.locator("#place")).to_have_text("garden")
    ann.keyboard.press("Control+k")
    ann.keyboard.type("<b>cellar</b>")
    expect(options).to_have_text(["Begin “<b>cellar</b>”"])
    ann.keyboard.press("Escape")
    expect(ann.get_by_role("dialog")).to_be_hidden()
    expect(ann.locator("#place")).to_have_text("garden")


def test_rooms_of_others_are_offered_and_ones_own_can_be_taken_off(
    tabs: Tabs, server: Server
) -> None:
    with speaker(server, "cellar"):
        ann = tabs.open(server.url)
        join(ann, "Ann", "garden")
        expect(ann.get_by_role("list", name="Other rooms").get_by_role("link")).to_have_count(1)
        room_of(ann, "cellar").click()
        expect(ann.locator("#place")).to_have_text("cellar")
        expect(ann.locator("#other-rooms li")).to_have_count(0)
        ann.get_by_role("button", name="Take garden off the list").click()
        expect(room_of(ann, "garden")).to_have_count(0)
        expect(ann.locator("#find-room")).to_be_focused()
        ann.reload()
        expect(room_of(ann, "cellar")).to_be_visible()
        expect(room_of(ann, "garden")).to_have_count(0)


def test_a_draft_waits_in_its_room(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    box = ann.get_by_label("Message")
    box.fill("half a thought")
    go(ann, "attic")
    expect(box).to_have_value("")
    box.fill("another")
    room_of(ann, "garden").click()
    expect(box).to_have_value("half a thought")
    ann.reload()
    expect(box).to_have_value("half a thought")
    box.press("Enter")
    expect(texts(ann)).to_have_count(1)
    room_of(ann, "attic").click()
    expect(box).to_have_value("another")
    room_of(ann, "garden").click()
    expect(box).to_have_value("")
    ann.get_by_role("button", name="Leave").click()
    join(ann, "Somebody", "attic")
    expect(box).to_have_value("")


def test_what_is_sent_while_offline_arrives_in_its_own_room(tabs: Tabs, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with serving(*FLAGS, cwd=folder) as first:
        ann = tabs.open(first.url)
        join(ann, "Ann", "garden")
        go(ann, "attic")
        port = first.port
    say(ann, "of the attic")
    expect(ann.locator("#pending li")).to_have_count(1)
    room_of(ann, "garden").click()
    expect(ann.locator("#place")).to_have_text("garden")
    say(ann, "of the garden")
    with serving("--addr", f"127.0.0.1:{port}", *FLAGS[2:], cwd=folder):
        ann.evaluate("dispatchEvent(new Event('online'))")
        expect(texts(ann)).to_have_count(1, timeout=20_000)
        expect(texts(ann)).to_contain_text("of the garden")
        room_of(ann, "attic").click()
        expect(texts(ann)).to_have_count(1)
        expect(texts(ann)).to_contain_text("of the attic")
        expect(ann.locator("#pending li")).to_have_count(0)


@pytest.mark.parametrize("theme", ["Light", "Dark", "High contrast"])
def test_how_it_looks_is_chosen_and_kept(tabs: Tabs, server: Server, theme: str) -> None:
    page = tabs.open(server.url, color_scheme="dark" if theme == "Light" else "light")
    join(page, "Ann", "garden")
    with speaker(server, "attic") as bob:
        go(page, "attic")
        go(page, "garden")
        bob.say("attic", "one")
        say(page, "**hello** `there` @you https://example.org")
        expect(room_of(page, "attic")).to_contain_text("1 new")
        page.get_by_role("button", name="Settings").click()
        page.get_by_role("button", name=theme, exact=True).click()
        page.get_by_role("button", name="Close").click()
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == {"Light": "rgb(250, 247, 242)", "Dark": "rgb(25, 22, 19)"}.get(
            theme, "rgb(255, 255, 255)"
        )
        page.reload()
        expect(page.get_by_text("Connected")).to_be_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
@pytest.mark.parametrize("screen", [PHONE, DESK])
def test_axe_finds_nothing_in_the_house(
    tabs: Tabs, server: Server, theme: str, screen: dict[str, Any]
) -> None:
    page = tabs.open(server.url, bypass_csp=True, **screen)
    page.evaluate("(theme) => localStorage.setItem('hubbub.theme', theme)", theme)
    page.reload()
    join(page, "Ann", "garden")
    is_phone = "has_touch" in screen

    with speaker(server, "garden", "attic") as bob:
        go(page, "attic")
        say(page, "hello @Bob")
        for text in ("@Ann one", "two"):
            bob.say("garden", text)
        if is_phone:
            rooms = page.get_by_role("button", name="Rooms, something is new in 1")
            expect(rooms).to_be_visible()
            look(page, is_phone)
            rooms.tap()
        expect(room_of(page, "garden")).to_contain_text("2 new")
        look(page, is_phone)
        page.get_by_role("button", name="Settings").click()
        look(page, is_phone)
        page.get_by_role("button", name="Close").click()
        room_of(page, "garden").click()
        expect(page.locator(".new-line")).to_have_count(1)
        look(page, is_phone)
        page.keyboard.press("Control+k")
        look(page, is_phone)


def test_on_a_phone_rooms_and_people_are_drawers(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url, **PHONE)
    join(page, "Ann", "garden")
    rooms = page.get_by_role("navigation")
    expect(rooms).to_be_hidden()
    page.get_by_role("button", name="Rooms").tap()
    expect(rooms).to_be_visible()
    page.get_by_role("button", name="Go to a room…").tap()
    page.get_by_role("combobox").fill("attic")
    page.get_by_role("option").tap()
    expect(page.locator("#place")).to_have_text("attic")
    expect(rooms).to_be_hidden()
    page.get_by_role("button", name="Rooms").tap()
    room_of(page, "garden").tap()
    expect(page.locator("#place")).to_have_text("garden")
    expect(rooms).to_be_hidden()
    page.get_by_role("button", name="Rooms").tap()
    page.get_by_role("button", name="Leave").tap()
    expect(page.get_by_role("button", name="Join")).to_be_visible()


def test_the_page_can_be_turned_from_right_to_left(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url)
    join(page, "Ann", "garden")
    say(page, "שלום לכולם")
    say(page, "- hello\n- there")
    expect(texts(page)).to_have_count(2)
    page.evaluate("document.documentElement.dir = 'rtl'")
    left = "(id) => document.getElementById(id).getBoundingClientRect().left"
    assert page.evaluate(left, "rooms") > page.evaluate(left, "scroll")
    assert page.evaluate(left, "scroll") > page.evaluate(left, "side")
    assert page.evaluate(left, "message") > page.evaluate(left, "send")
    first = page.locator("#rows .said").first
    assert first.evaluate("(one) => getComputedStyle(one.parentElement).direction") == "rtl"
    row = page.locator("#rows > .chat").last
    row.hover()
    tools, box = row.locator(".tools").bounding_box(), row.bounding_box()
    assert tools is not None
    assert box is not None
    assert box["x"] <= tools["x"] < box["x"] + box["width"] / 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
