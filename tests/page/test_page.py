"""The page, as people use it, in a real browser on the real server."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.people import join, log, people, say


def test_two_tabs_talk(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    expect(people(ann)).to_have_count(2)
    expect(ann.locator("#count")).to_have_text("2")
    expect(log(ann)).to_contain_text("Bob came in")
    say(ann, "hello Bob")
    expect(log(bob)).to_contain_text("hello Bob")
    say(bob, "hello Ann")
    expect(log(ann)).to_contain_text("hello Ann")
    expect(ann.locator(".own")).to_have_count(1)
    expect(ann.locator("#pending li")).to_have_count(0)
    assert "room=garden" in ann.url
    bob.close()
    expect(log(ann)).to_contain_text("Bob left")
    expect(people(ann)).to_have_count(1)


def test_who_comes_and_goes_while_nobody_speaks_is_one_line(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    line = log(ann).locator(".notice")
    with ExitStack() as stack:
        for number in range(8):
            # Who does not read closes at once, too, if all may wait.
            url = server.url.replace("http", "ws") + "/ws"
            guest = stack.enter_context(connect(url, max_queue=None))
            guest.send(
                json.dumps({"type": "join", "room": "garden", "username": f"guest {number}"})
            )
        expect(people(ann)).to_have_count(9)
        expect(line).to_have_count(1)
        expect(line).to_contain_text("guest 4\u2069, and 3 others came in")
        assert "guest 7" in (line.get_attribute("title") or "")
    expect(line).to_contain_text("3 others came in and left")
    say(ann, "hello?")
    bob = tabs.open(server.url)
    join(bob, "Bob", "garden")
    expect(line.nth(1)).to_have_text("Bob came in")
    bob.close()
    expect(line.nth(1)).to_have_text("Bob came in and left")


def test_what_people_write_stays_text(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    name, text = "<img src=x onerror=a>", "<script>alert(1)</script> & <b>bold</b>"
    join(ann, name, "<i>room</i>")
    join(bob, "Bob", "<i>room</i>")
    say(ann, text)
    expect(bob.locator(".text")).to_contain_text(text)
    expect(bob.locator(".by .name")).to_have_text(name)
    expect(people(bob).first).to_contain_text(name)
    expect(bob.locator("#house img, #house i, #house script, .text b")).to_have_count(1)


def test_links_can_be_followed_and_nothing_else_can(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url)
    join(page, "Ann")
    say(page, "see https://example.org/a_(b)?x=1, javascript:alert(1) (https://example.org/c).")
    links = page.locator(".text a")
    expect(links).to_have_count(2)
    hrefs = [link.get_attribute("href") for link in links.all()]
    assert hrefs == ["https://example.org/a_(b)?x=1", "https://example.org/c"]


def test_the_page_comes_back_after_a_restart_and_sends_once(tabs: Tabs, tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as first:
        port = first.port
        ann, bob = tabs.open(first.url), tabs.open(first.url)
        join(ann, "Ann", "garden")
        join(bob, "Bob", "garden")
        say(ann, "before")
        expect(log(bob)).to_contain_text("before")
    expect(ann.get_by_text(re.compile("Reconnecting in|Connecting"))).to_be_visible()
    say(ann, "written meanwhile")
    expect(ann.locator("#pending")).to_contain_text("written meanwhile")
    with serving("--addr", f"127.0.0.1:{port}", cwd=tmp_path):
        for page in (ann, bob):
            page.evaluate("dispatchEvent(new Event('online'))")
            expect(page.get_by_text("Connected")).to_be_visible(timeout=20_000)
        expect(bob.locator(".text", has_text="written meanwhile")).to_have_count(1)
        expect(ann.locator("#pending li")).to_have_count(0)
        expect(ann.locator("#rows .text", has_text="written meanwhile")).to_have_count(1)
        expect(people(ann)).to_have_count(2)


def test_a_reload_rejoins_and_a_new_tab_waits(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(bob, "Bob", "garden")
    join(ann, "Ann", "garden")
    say(bob, "still here?")
    expect(log(ann)).to_contain_text("still here?")
    ann.reload()
    expect(ann.get_by_text("Connected")).to_be_visible()
    expect(log(ann)).to_contain_text("still here?")
    expect(people(bob)).to_have_count(2)
    other = tabs.watch(ann.context.new_page(), ann.url)
    expect(other.get_by_role("button", name="Join")).to_be_visible()
    expect(other.get_by_label("Name")).to_have_value("Ann")
    expect(other.get_by_label("Room", exact=True)).to_have_value("garden")


def test_who_is_replaced_is_told_and_does_not_come_back(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    session = ann.evaluate("sessionStorage.getItem('hubbub.session')")
    other = tabs.open(server.url)
    other.evaluate("value => sessionStorage.setItem('hubbub.session', value)", session)
    join(other, "Ann", "garden")
    expect(ann.get_by_text("You went on in another tab")).to_be_visible()
    expect(ann.get_by_role("button", name="Join")).to_be_enabled()
    say(other, "it is me")
    expect(log(other)).to_contain_text("it is me")


def test_a_name_that_is_taken_is_said_beside_the_field(tabs: Tabs, server: Server) -> None:
    ann, eve = tabs.open(server.url), tabs.open(server.url)
    join(ann, "Ann", "garden")
    eve.get_by_label("Name").fill("ann")
    eve.get_by_label("Room", exact=True).fill("garden")
    eve.get_by_role("button", name="Join").click()
    expect(eve.locator("#name-trouble")).to_contain_text("taken")
    expect(eve.get_by_label("Name")).to_be_focused()
    join(eve, "Eve")


def test_the_keyboard_is_enough(tabs: Tabs, server: Server) -> None:
    page = tabs.open(f"{server.url}/?room=garden")
    page.keyboard.type("Ann")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(page.locator("#rows .text")).to_contain_text("one\ntwo")
    expect(page.get_by_label("Message")).to_have_value("")


def test_enter_does_not_send_while_an_input_method_composes(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url)
    join(page, "Ann")
    box = page.get_by_label("Message")
    box.fill("に")
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    expect(box).to_have_value("に")
    expect(page.locator("#rows .text")).to_have_count(0)
    box.press("Enter")
    expect(page.locator("#rows .text")).to_have_text(re.compile("に"))


def test_who_scrolled_up_stays_and_is_told_how_many_are_new(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    say(bob, "\n".join(["a long story"] * 80))
    expect(log(ann)).to_contain_text("a long story")
    ann.locator("#scroll").evaluate("box => { box.scrollTop = 0 }")
    ann.wait_for_function("document.getElementById('scroll').scrollTop === 0")
    say(bob, "news 1")
    say(bob, "news 2")
    expect(ann.get_by_role("button", name="2 new")).to_be_visible()
    assert ann.locator("#scroll").evaluate("box => box.scrollTop") == 0
    ann.get_by_role("button", name="2 new").click()
    expect(ann.get_by_text("news 2")).to_be_in_viewport()
    expect(ann.locator("#newer")).to_be_hidden()


def test_what_the_server_refuses_for_its_pace_is_sent_later_in_order(
    tabs: Tabs, tmp_path: Path
) -> None:
    with serving("--addr", "127.0.0.1:0", "--rate", "2", cwd=tmp_path) as slow:
        page = tabs.open(slow.url)
        join(page, "Ann")
        for number in range(9):
            say(page, f"line {number}")
        expect(page.locator("#rows .text")).to_have_count(9)
        texts = [
            text.split("line ")[1][0] for text in page.locator("#rows .text").all_inner_texts()
        ]
        assert texts == [str(number) for number in range(9)]


def test_only_new_messages_are_announced(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(bob, "Bob", "garden")
    say(bob, "long ago")
    expect(log(bob)).to_contain_text("long ago")
    join(ann, "Ann", "garden")
    say(bob, "just now")
    expect(log(ann)).to_contain_text("just now")
    say(ann, "my own")
    expect(log(ann)).to_contain_text("my own")
    bob.close()
    expect(log(ann)).to_contain_text("Bob left")
    assert log(ann).get_attribute("aria-live") == "polite"
    heard = ann.locator("#rows > li:not([aria-live=off])")
    expect(heard).to_have_count(1)
    expect(heard).to_contain_text("just now")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_axe_finds_nothing(tabs: Tabs, server: Server, scheme: Any, width: int) -> None:
    page = tabs.open(
        server.url, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    axe = Axe()
    assert axe.run(page).violations_count == 0, axe.run(page).generate_report()
    join(page, "Ann")
    for name in ("Bob", "Cy", "Dora"):
        other = tabs.open(server.url)
        join(other, name)
        say(other, "hello https://example.org")
        expect(log(page)).to_contain_text(name)
    if width < 720:
        page.locator("#people-button").click()
        expect(people(page)).to_have_count(4)
    result = axe.run(page)
    assert result.violations_count == 0, result.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "nothing sticks out sideways"
