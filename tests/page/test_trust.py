"""The page where people are known, and where order is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Page, expect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.people import join, log, people, say, texts

SECRET = "a secret of at least thirty-two bytes"
PASSWORD = "only for the hosts"


def token(sub: str = "ann", ttl: float = 600, **claims: Any) -> str:
    return jwt.encode({"sub": sub, "exp": int(time.time() + ttl), **claims}, SECRET, "HS256")


@contextmanager
def tokens(folder: Path, auth: str = "required") -> Iterator[Server]:
    flags = ("--addr", "127.0.0.1:0", "--auth", auth, "--jwt-secret", SECRET)
    with serving(*flags, cwd=folder) as running:
        yield running


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Server]:
    """A server whose moderators have a password."""
    with serving("--addr", "127.0.0.1:0", "--mod-password", PASSWORD, cwd=tmp_path) as running:
        yield running


def come_in(page: Page, room: str) -> None:
    page.get_by_label("Room").fill(room)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Connected")).to_be_visible()


def be_moderator(page: Page) -> None:
    if not page.get_by_role("button", name="I am a moderator").is_visible():
        page.locator("#people-button").click()
    page.get_by_role("button", name="I am a moderator").click()
    page.get_by_label("password").fill(PASSWORD)
    page.get_by_label("password").press("Enter")
    expect(page.get_by_role("button", name="Keep order in this room")).to_be_visible()


def act(page: Page, name: str, what: str, reason: str = "") -> None:
    """A moderator does something to a person in the list."""
    people(page).filter(has_text=name).get_by_role("button").click()
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.get_by_role("dialog").get_by_role("button", name=what, exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_token_is_taken_once_and_the_name_is_not_asked_for(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        given = token(name="Ann Ünal <b>")
        page = tabs.open(f"{server.url}/?room=garden&token={given}")
        expect(page.get_by_text("You are Ann Ünal <b>")).to_be_visible()
        expect(page.get_by_label("Name")).to_be_hidden()
        assert page.url == f"{server.url}/?room=garden"
        come_in(page, "garden")
        expect(people(page)).to_contain_text(["Ann Ünal <b>"])
        say(page, "hello")
        expect(page.locator(".by .name")).to_have_text("Ann Ünal <b>")
        expect(page.locator(".by .name")).to_have_attribute("title", "ann")
        page.reload()
        expect(page.get_by_text("Connected")).to_be_visible()
        say(page, "again")
        expect(texts(page)).to_have_count(2)
        other = tabs.watch(page.context.new_page(), f"{server.url}/?room=garden&token={given}")
        come_in(other, "garden")
        say(other, "from another tab")
        expect(texts(page)).to_have_count(3)
        expect(people(page)).to_have_count(1)
        assert given not in (tmp_path / "server.log").read_text()


def test_who_has_to_sign_in_is_told_so_and_nothing_is_tried_again(
    tabs: Tabs, tmp_path: Path
) -> None:
    with tokens(tmp_path) as server:
        for given, told in (
            ("", "Please sign in first"),
            ("?token=nonsense", "Your sign-in is not valid here"),
            (f"?token={token(ttl=-60)}", "Your sign-in has ended"),
        ):
            page = tabs.open(f"{server.url}/{given}")
            expect(page.get_by_text(told)).to_be_visible()
            assert "token" not in page.url


def test_a_token_that_ends_stops_the_page_with_a_word(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token(ttl=4)}")
        expect(page.get_by_text("You are ann")).to_be_visible()
        come_in(page, "garden")
        expect(page.get_by_text("Your sign-in has ended")).to_be_visible()
        expect(page.get_by_role("button", name="Join")).to_be_visible()


def test_guests_are_marked(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path, "optional") as server:
        ann, gus = tabs.open(f"{server.url}/?token={token()}"), tabs.open(server.url)
        expect(ann.get_by_text("You are ann")).to_be_visible()
        come_in(ann, "garden")
        join(gus, "Gus", "garden")
        expect(people(ann).filter(has_text="Gus")).to_contain_text("guest")
        say(gus, "hello")
        expect(ann.locator(".by")).to_contain_text("guest")
        expect(people(gus).filter(has_text="ann")).not_to_contain_text("guest")


def test_who_may_not_write_is_told_and_keeps_what_is_typed(tabs: Tabs, kept: Server) -> None:
    ann, bob = tabs.open(kept.url), tabs.open(kept.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    expect(bob.get_by_role("button", name="Keep order")).to_have_count(0)
    be_moderator(ann)
    bob.get_by_label("Message").fill("what I was about to say")
    act(ann, "Bob", "Mute 10 minutes", "<i>cool</i> down")
    expect(log(bob)).to_contain_text(re.compile(r"Ann muted Bob until .*: <i>cool</i> down"))
    expect(bob.locator("#scroll i")).to_have_count(0)
    box = bob.get_by_label("Message")
    expect(box).to_have_attribute("placeholder", re.compile("You are muted until"))
    expect(bob.get_by_role("button", name="Send")).to_be_disabled()
    expect(box).to_have_value("what I was about to say")
    bob.reload()
    expect(box).to_have_attribute("placeholder", re.compile("You are muted until"))

    ann.get_by_role("button", name="Keep order in this room").click()
    ann.get_by_role("button", name="Lift: Bob").click()
    expect(bob.get_by_role("button", name="Send")).to_be_enabled()
    ann.get_by_role("button", name="Keep order in this room").click()
    ann.get_by_role("button", name="Only moderators write").click()
    expect(box).to_have_attribute("placeholder", re.compile("Only moderators write"))
    say(ann, "I may")
    expect(log(bob)).to_contain_text("I may")
    ann.get_by_role("button", name="Keep order in this room").click()
    ann.get_by_role("button", name="Let everyone write").click()
    say(bob, "back again")
    expect(log(ann)).to_contain_text("back again")


def test_who_is_put_out_or_banned_is_told_why(tabs: Tabs, kept: Server) -> None:
    ann, bob = tabs.open(kept.url), tabs.open(kept.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    be_moderator(ann)
    act(ann, "Bob", "Put out")
    expect(bob.get_by_text("A moderator put you out")).to_be_visible()
    bob.get_by_role("button", name="Join").click()
    expect(bob.get_by_text("Connected")).to_be_visible()
    act(ann, "Bob", "Ban 1 day")
    expect(
        bob.get_by_text(re.compile("You are banned until|A moderator banned you"))
    ).to_be_visible()
    bob.get_by_role("button", name="Join").click()
    expect(bob.get_by_text(re.compile("You are banned until"))).to_be_visible()


def test_a_moderator_deletes_what_others_wrote(tabs: Tabs, kept: Server) -> None:
    ann, bob = tabs.open(kept.url), tabs.open(kept.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    for text in ("rude", "ruder", "rudest"):
        say(bob, text)
    expect(texts(ann)).to_have_count(3)
    expect(ann.get_by_role("button", name="Keep order")).to_have_count(0)
    be_moderator(ann)
    row = ann.locator(".chat", has_text="ruder")
    row.hover()
    row.get_by_role("button", name="Keep order").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(bob.locator(".gone")).to_have_count(1)
    row = ann.locator(".chat", has_text="rudest")
    row.hover()
    row.get_by_role("button", name="Keep order").click()
    ann.get_by_role("button", name="Delete all their messages").click()
    expect(bob.locator(".gone")).to_have_count(3)
    expect(log(bob)).to_contain_text("Ann deleted the messages of Bob")


def test_a_wrong_password_makes_nobody_a_moderator(tabs: Tabs, kept: Server) -> None:
    page = tabs.open(kept.url)
    join(page, "Ann", "garden")
    page.get_by_role("button", name="I am a moderator").click()
    page.get_by_label("password").fill("guess")
    page.get_by_label("password").press("Enter")
    expect(page.locator("#note")).to_contain_text("not the password")
    expect(page.get_by_role("button", name="Keep order in this room")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_what_moderators_see(
    tabs: Tabs, kept: Server, scheme: Any, width: int
) -> None:
    view = {"width": width, "height": 800}
    ann = tabs.open(kept.url, color_scheme=scheme, viewport=view, bypass_csp=True)
    bob = tabs.open(kept.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    say(bob, "hello")
    expect(log(ann)).to_contain_text("hello")
    be_moderator(ann)
    act(ann, "Bob", "Mute")
    expect(log(ann)).to_contain_text("Ann muted Bob")
    result = Axe().run(ann)
    assert result.violations_count == 0, result.generate_report()
    ann.get_by_role("button", name="Keep order in this room").click()
    expect(ann.get_by_role("button", name="Lift: Bob")).to_be_visible()
    result = Axe().run(ann)
    assert result.violations_count == 0, result.generate_report()
    ann.keyboard.press("Escape")
    expect(ann.get_by_role("dialog")).to_be_hidden()
    people(ann).filter(has_text="Bob").get_by_role("button").click()
    result = Axe().run(ann)
    assert result.violations_count == 0, result.generate_report()
    for button in ann.get_by_role("dialog").get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    wide = ann.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
