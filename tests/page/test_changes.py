"""Changing and taking back what one said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Locator, Page, expect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.people import STORE, join, log, say, texts, wait_for_position


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps what is said."""
    with serving(*STORE, cwd=tmp_path) as running:
        yield running


def edit_last(page: Page, text: str) -> None:
    box = page.get_by_label("Message")
    box.press("ArrowUp")
    expect(page.get_by_text("You are editing your message")).to_be_visible()
    box.fill(text)
    box.press("Enter")
    expect(page.locator("#editing")).to_be_hidden()


def delete_last(page: Page) -> None:
    message = page.locator(".mine").last
    message.hover()
    message.get_by_role("button", name="Delete").click()
    expect(message.get_by_text("Delete this message?")).to_be_visible()
    message.get_by_role("button", name="Delete").click()


def test_a_change_is_seen_by_who_is_here_and_who_comes_later(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    say(ann, "good mroning")
    say(ann, "a secret")
    expect(texts(bob)).to_have_count(2)
    edit_last(ann, "no secret")
    expect(texts(bob).nth(1)).to_contain_text("no secret")
    expect(bob.locator(".edited")).to_have_text("edited")
    assert "202" in (bob.locator(".edited").get_attribute("title") or ""), "when, on hover"
    delete_last(ann)
    expect(texts(bob).nth(1)).to_contain_text("Message deleted")
    edit_last(ann, "good morning")
    later = tabs.open(server.url)
    join(later, "Cy", "garden")
    for page in (ann, bob, later):
        expect(texts(page)).to_have_count(2)
        expect(texts(page).nth(0)).to_contain_text("good morning")
        expect(texts(page).nth(1)).to_contain_text("Message deleted")
        expect(page.locator(".edited")).to_have_count(1)
        assert "secret" not in page.content()
    expect(ann.locator("#pending li")).to_have_count(0)


def test_escape_gives_back_what_was_being_written(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    say(ann, "one")
    expect(texts(ann)).to_have_count(1)
    box = ann.get_by_label("Message")
    box.fill("a draft")
    ann.locator(".mine").hover()
    ann.get_by_role("button", name="Edit: one").click()
    expect(box).to_have_value("one")
    expect(box).to_be_focused()
    expect(ann.get_by_role("button", name="Save")).to_be_visible()
    box.fill("two")
    box.press("Escape")
    expect(box).to_have_value("a draft")
    expect(ann.get_by_role("button", name="Send")).to_be_visible()
    expect(texts(ann)).to_contain_text("one")
    expect(ann.locator(".edited")).to_have_count(0)


def test_the_keyboard_deletes_after_a_question(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    say(ann, "one")
    expect(texts(ann)).to_have_count(1)
    away = ann.get_by_role("button", name="Delete: one")
    away.focus()
    away.press("Enter")
    expect(ann.get_by_role("button", name="Keep: one")).to_be_focused()
    ann.keyboard.press("Enter")
    expect(away).to_be_focused()
    ann.keyboard.press("Enter")
    ann.keyboard.press("Shift+Tab")
    ann.keyboard.press("Enter")
    expect(texts(ann)).to_contain_text("Message deleted")
    expect(ann.locator(".tools")).to_have_count(0)


def test_only_what_this_session_sent_can_be_changed(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    say(ann, "of the first Ann")
    say(bob, "of Bob")
    expect(texts(ann)).to_have_count(2)
    expect(ann.locator(".mine")).to_have_count(1)
    expect(bob.locator(".mine")).to_have_count(1)
    expect(bob.locator(".mine")).to_contain_text("of Bob")
    ann.close()
    expect(log(bob)).to_contain_text("Ann left")
    other = tabs.open(server.url)
    join(other, "Ann", "garden")
    expect(texts(other)).to_have_count(2)
    expect(other.locator(".mine")).to_have_count(0)
    other.get_by_label("Message").press("ArrowUp")
    expect(other.locator("#editing")).to_be_hidden()


def test_what_the_server_forbids_is_said_in_words(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(bob, "Bob", "garden")
    say(bob, "of Bob")
    expect(texts(bob)).to_have_count(1)
    join(ann, "Ann", "garden")
    say(ann, "mine")
    expect(texts(ann)).to_have_count(2)
    expect(ann.locator(".mine")).to_have_count(1)
    # A page that believes wrongly that a message is its own: what it kept says so.
    wait_for_position(ann, "position.own.length === 1")
    ann.evaluate(
        """() => new Promise((done) => {
          indexedDB.open("hubbub /").onsuccess = ({ target }) => {
            const desks = target.result.transaction("desks", "readwrite").objectStore("desks");
            desks.getAll().onsuccess = ({ target: { result: [desk] } }) => {
              desk.position.own.push(1);
              desks.put(desk).onsuccess = done;
            };
          };
        })"""
    )
    ann.reload()
    expect(ann.get_by_text("Connected")).to_be_visible()
    ann.locator(".mine", has_text="of Bob").hover()
    ann.get_by_role("button", name="Edit: of Bob").click()
    ann.get_by_label("Message").fill("of Ann")
    ann.keyboard.press("Enter")
    failed = ann.locator("#pending .failed")
    expect(failed).to_contain_text("Not changed: this message is not yours to change")
    expect(texts(ann).first).to_contain_text("of Bob")
    failed.get_by_role("button", name="Discard").click()
    expect(failed).to_have_count(0)
    expect(ann.locator(".mine")).to_have_count(1)


def test_an_edit_cannot_bring_markup_in(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    say(ann, "harmless")
    expect(texts(bob)).to_have_count(1)
    evil = '<img src=x onerror="document.title=1"> <b>bold</b> javascript:alert(1)'
    edit_last(ann, evil)
    for page in (ann, bob):
        expect(texts(page)).to_contain_text(evil)
        expect(
            page.locator("#scroll img, #scroll b:not(.name), #scroll script, .text a")
        ).to_have_count(0)
        expect(page.locator(".edited")).to_have_count(1)


PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 800}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_with_all_there_is_to_do(
    tabs: Tabs, server: Server, scheme: str, screen: dict[str, Any]
) -> None:
    page = tabs.open(server.url, color_scheme=scheme, bypass_csp=True, **screen)
    join(page, "Ann", "garden")
    for text in ("one", "two", "three"):
        say(page, text)
    expect(texts(page)).to_have_count(3)
    edit_last(page, "drei")
    expect(page.locator(".edited")).to_have_count(1)
    touch = "has_touch" in screen

    def reveal(text: str) -> Locator:
        message = page.locator(".mine", has_text=text)
        message.tap(position={"x": 4, "y": 4}) if touch else message.hover()
        return message

    reveal("one").get_by_role("button", name="Delete").click()
    page.locator(".mine", has_text="one").get_by_role("button", name="Delete").click()
    expect(page.locator(".gone")).to_have_count(1)
    expect(page.locator("#rows .waiting")).to_have_count(0)  # or the rows move under the pointer
    reveal("two").get_by_role("button", name="Delete").click()
    page.get_by_label("Message").press("ArrowUp")
    expect(page.locator("#editing")).to_be_visible()
    # A letter that failed.
    page.get_by_label("Message").press("Escape")
    say(page, "x" * 4001)
    expect(page.locator("#pending .failed")).to_be_visible()
    page.get_by_label("Message").press("ArrowUp")
    page.wait_for_function("() => document.getAnimations().length === 0")
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    if touch:
        buttons = page.locator(".asks .tools button, #pending button, #editing button")
        expect(buttons).to_have_count(5)
        for button in buttons.all():
            box = button.bounding_box()
            assert box is not None
            assert box["width"] >= 44
            assert box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_a_tap_shows_what_can_be_done(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url, **PHONE)
    join(page, "Ann", "garden")
    say(page, "one")
    message = page.locator(".mine")
    edit = message.get_by_role("button", name="Edit: one")
    expect(message.locator(".tools")).to_have_css("height", "0px")
    message.tap(position={"x": 4, "y": 4})
    expect(message.locator(".tools")).not_to_have_css("height", "0px")
    edit.tap()
    page.get_by_label("Message").fill("eins")
    page.get_by_role("button", name="Save").tap()
    expect(texts(page)).to_contain_text("eins")
