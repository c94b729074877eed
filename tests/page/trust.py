"""Servers that know people, and what moderators do on the page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
from playwright.sync_api import Locator, Page, expect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.people import join, people, say, texts

SECRET = "a secret of at least thirty-two bytes"
PASSWORD = "only for the hosts"


def token(sub: str = "ann", ttl: float = 600, **claims: Any) -> str:
    return jwt.encode({"sub": sub, "exp": int(time.time() + ttl), **claims}, SECRET, "HS256")


@contextmanager
def tokens(
    folder: Path, auth: str = "required", port: int = 0, more: tuple[str, ...] = ()
) -> Iterator[Server]:
    """A server that takes tokens."""
    flags = ("--addr", f"127.0.0.1:{port}", "--auth", auth, "--jwt-secret", SECRET, *more)
    with serving(*flags, cwd=folder) as running:
        yield running


@contextmanager
def kept(folder: Path, password: str = PASSWORD, port: int = 0) -> Iterator[Server]:
    """A server whose moderators have a password."""
    address = ("--addr", f"127.0.0.1:{port}")
    with serving(*address, "--mod-password", password, cwd=folder) as running:
        yield running


def come_in(page: Page, room: str) -> None:
    """Join as a user, whom nobody asks for a name."""
    expect(page.get_by_text("Choose a room.")).to_be_visible()
    page.get_by_label("Room", exact=True).fill(room)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Connected")).to_be_visible()


def two(tabs: Tabs, server: Server, **options: Any) -> tuple[Page, Page]:
    """Ann, who is a moderator, and Bob, who said "of Bob"."""
    ann, bob = tabs.open(server.url, **options), tabs.open(server.url, **options)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    say(bob, "of Bob")
    expect(texts(ann)).to_have_count(1)
    be_moderator(ann)
    return ann, bob


def show_people(page: Page) -> None:
    """Where the list is a drawer: open it."""
    drawer = page.locator("#people-button")
    if drawer.is_visible() and drawer.get_attribute("aria-expanded") == "false":
        drawer.click()


def be_moderator(page: Page) -> None:
    show_people(page)
    page.get_by_role("button", name="I am a moderator").click()
    page.get_by_label("password").fill(PASSWORD)
    page.get_by_label("password").press("Enter")
    expect(page.get_by_role("button", name="Keep order in this room")).to_be_visible()


def menu(page: Page, name: str) -> Locator:
    """Open what a moderator can do about a person in the list."""
    show_people(page)
    people(page).filter(has_text=name).get_by_role("button").click()
    return page.get_by_role("dialog")


def menu_of(page: Page, text: str) -> Locator:
    """Open what a moderator can do about a message."""
    row = page.locator(".chat", has_text=text)
    row.hover()
    row.get_by_role("button", name="Keep order").click()
    return page.get_by_role("dialog")


def room_menu(page: Page) -> Locator:
    """Open what a moderator can do about the room."""
    show_people(page)
    page.get_by_role("button", name="Keep order in this room").click()
    return page.get_by_role("dialog")


def act(dialog: Locator, what: str, reason: str = "", term: str = "", where: str = "") -> None:
    """Do it."""
    if reason:
        dialog.get_by_label("Reason").fill(reason)
    if term:
        dialog.get_by_label("For how long").select_option(term)
    if where:
        dialog.get_by_label("Where").select_option(where)
    dialog.get_by_role("button", name=what, exact=True).click()
    expect(dialog).to_be_hidden()
