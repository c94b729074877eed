"""What people write stays text, in every field that the page shows."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.command import serving
from tests.page.conftest import Tabs
from tests.page.people import join, log, people, say, texts, wait_for_letters
from tests.page.trust import (
    act,
    be_moderator,
    come_in,
    kept,
    menu,
    menu_of,
    room_menu,
    token,
    tokens,
)

EVIL = "<img src=x onerror=x()>"
"""Short enough for a name; what it would do is seen by `x`, and by the element."""
HOSTILE = [
    "<svg onload=x()>",
    "<iframe srcdoc='<script>parent.x()</script>'>",
    "<a href=javascript:x()>a</a>",
    '"><script>x()</script>',
    "javascript:x()",
    'https://e.example/"onmouseover=x()',
    "data:text/html,<script>x()</script>",
    "{{constructor.constructor('x()')()}}",
    "</textarea><script>x()</script>",
    "&lt;img src=x onerror=x()&gt;",
]


def guard(page: Page) -> None:
    """Note whatever runs."""
    page.add_init_script("window.ran = []; window.x = () => window.ran.push(1);")


def opened(tabs: Tabs, url: str) -> Page:
    page = tabs.open("about:blank")
    guard(page)
    page.goto(url)
    return page


def check(*pages: Page) -> None:
    """Nothing ran, and no element came of any text."""
    for page in pages:
        assert page.evaluate("window.ran") == []
        strange = "img:not(.mark), svg, iframe, #rows b:not(.name, .quote b)"
        strange += ", script:not([type=module], [src$='theme.js'])"
        expect(page.locator(strange)).to_have_count(0)
        odd = "[...document.querySelectorAll('a')].filter((a) => !/^https?:/.test(a.href)).length"
        assert page.evaluate(odd) == 0
        handlers = """[...document.querySelectorAll("*")].some((one) =>
          [...one.attributes].some(({ name }) => name.startsWith("on")))"""
        assert not page.evaluate(handlers)


def test_names_rooms_texts_reasons_and_what_moderators_see(tabs: Tabs, tmp_path: Path) -> None:
    with kept(tmp_path) as server:
        ann, bob = opened(tabs, server.url), opened(tabs, server.url)
        join(ann, "Ann", EVIL)
        join(bob, EVIL, EVIL)
        expect(ann.locator("#place")).to_have_text(EVIL)
        expect(log(ann)).to_contain_text(f"{EVIL} came in")
        for text in HOSTILE:
            say(bob, text)
        expect(texts(ann)).to_have_count(len(HOSTILE))
        check(ann, bob)
        be_moderator(ann)
        dialog = menu_of(ann, HOSTILE[0])
        expect(dialog.get_by_role("heading")).to_have_text(f"Keep order: {EVIL}")
        expect(dialog.locator("blockquote")).to_have_text(HOSTILE[0])
        check(ann)
        act(dialog, "Mute", f"{EVIL} mute", "10 minutes")
        expect(bob.locator("#silence")).to_contain_text(f"Reason: {EVIL} mute")
        expect(log(bob)).to_contain_text(f"Ann muted {EVIL} until")
        dialog = room_menu(ann)
        expect(dialog.locator(".holding")).to_contain_text(f"{EVIL}: muted until")
        check(ann, bob)
        ann.keyboard.press("Escape")
        act(menu(ann, EVIL), "Put out", f"{EVIL} kick")
        expect(bob.locator("#stopped")).to_contain_text(f"Reason: {EVIL} kick")
        join(bob, EVIL)
        act(menu(ann, EVIL), "Ban", f"{EVIL} ban")
        expect(bob.locator("#stopped")).to_contain_text(f"Reason: {EVIL} ban")
        expect(log(ann)).to_contain_text(f"Ann banned {EVIL} until")
        check(ann, bob)
        bob.reload()
        expect(bob.get_by_label("Name")).to_have_value(EVIL)
        check(bob)


def test_display_names_and_usernames_of_users(tabs: Tabs, tmp_path: Path) -> None:
    shown = f"Ann {EVIL}"
    with tokens(tmp_path, "optional") as server:
        sub = f'ann"{EVIL}'
        ann = opened(tabs, f"{server.url}/?room={EVIL}&token={token(sub, name=shown, mod=True)}")
        expect(ann.locator("#lead")).to_have_text(f"You are {shown}. Choose a room.")
        come_in(ann, EVIL)
        bob = opened(tabs, f"{server.url}/?token={token('bob', name=f'{EVIL} B.')}")
        come_in(bob, EVIL)
        say(ann, "hello")
        expect(bob.locator(".by .name")).to_have_text(shown)
        expect(bob.locator(".by .name")).to_have_attribute("title", sub)
        expect(people(bob).first).to_contain_text(shown)
        expect(log(ann)).to_contain_text(f"{EVIL} B. came in")
        act(menu(ann, f"{EVIL} B."), "Mute", EVIL)
        expect(log(bob)).to_contain_text(f"{shown} muted {EVIL} B. until")
        check(ann, bob)


def test_a_name_that_every_object_has_is_a_name(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path, "optional") as server:
        ann = opened(tabs, f"{server.url}/?token={token(name='Ann Ünal')}")
        come_in(ann, "garden")
        for name in ("constructor", "__proto__", "toString"):
            guest = opened(tabs, server.url)
            join(guest, name, "garden")
            expect(people(ann).filter(has_text=name).locator(".name")).to_have_text(name)


def test_what_waits_and_what_was_left_unsent(tabs: Tabs, tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as server:
        page = opened(tabs, server.url)
        join(page, EVIL, EVIL)
    say(page, HOSTILE[0])
    expect(page.locator("#pending .text")).to_have_text(HOSTILE[0])
    wait_for_letters(page, 1)
    check(page)
    page.get_by_role("button", name="Leave").click()
    expect(page.locator("#left")).to_contain_text(f"A message that you wrote in {EVIL}")
    expect(page.get_by_role("button", name=f"Go on as {EVIL} and send")).to_be_visible()
    check(page)


FRAMES: list[dict[str, object]] = [
    {"type": "error", "code": "invalid", "message": EVIL},
    {"type": "joined", "room": "garden", "username": EVIL, "name": EVIL},
    {"type": "left", "room": "garden", "username": EVIL},
    {"type": "gap", "room": "garden", "first": EVIL, "last": EVIL},
    {"type": "roster", "room": "garden", "users": [EVIL], "count": EVIL, "names": {EVIL: EVIL}},
    *(
        {"type": "moderated", "room": "garden", "action": action, "by": EVIL, "username": EVIL}
        | {"reason": EVIL, "seconds": EVIL, "until": int(time.time() * 1000)}
        for action in ("kick", "mute", "ban", "pardon", "purge", "slow", "read_only", EVIL)
    ),
    {"type": "edited", "room": "garden", "target": 1, "username": EVIL, "text": EVIL},
    {
        "type": "chat",
        "room": "garden",
        "username": EVIL,
        "text": f"**{EVIL}** @x",
        "mentions": [EVIL],
    },
    {
        "type": "chat",
        "room": "garden",
        "username": EVIL,
        "text": f"> {EVIL}",
        "reply": {"seq": 1, "username": EVIL, "text": EVIL},
    },
    {
        "type": "chat",
        "room": "garden",
        "username": "x",
        "text": EVIL,
        "edited": 1,
        "name": EVIL,
        "reactions": {EVIL: {"count": 1, "users": [EVIL]}},
    },
    {
        "type": "reacted",
        "room": "garden",
        "target": 1,
        "username": EVIL,
        "emoji": EVIL,
        "on": True,
        "count": 1,
        "users": [EVIL],
    },
    {
        "type": "reactions",
        "room": "garden",
        "target": 1,
        "reactions": {EVIL: {"count": 9, "users": []}},
    },
    {"type": "typing", "room": "garden", "username": EVIL},
    *(
        {"type": "moderated", "room": "garden", "action": action, "by": EVIL, "topic": EVIL}
        | {"description": EVIL, "target": 1, "on": True}
        for action in ("topic", "pin")
    ),
    {"type": "error", "code": "kicked", "message": EVIL, "room": "garden", "reason": EVIL},
    {"type": "error", "code": "banned", "message": EVIL, "room": "garden", "reason": EVIL},
    {"type": "error", "code": "name_taken", "message": EVIL, "room": "garden"},
    {"type": "error", "code": EVIL, "message": EVIL, "room": "garden"},
]


@pytest.mark.parametrize("frame", FRAMES, ids=[f"{n}-{f['type']}" for n, f in enumerate(FRAMES)])
def test_whatever_a_server_says_is_text(
    tabs: Tabs, tmp_path: Path, frame: dict[str, object]
) -> None:
    """Also from a server that lets through what ours would not."""
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as server:
        page = opened(tabs, "about:blank")
        page.route_web_socket("**/ws", connect)
        page.goto(server.url)
        join(page, "Ann", "garden")
        say(page, "mine")
        expect(texts(page)).to_have_count(1)
        sockets[0].send(json.dumps({"seq": 2, "ts": int(time.time() * 1000), **frame}))
        seen = page.get_by_text(EVIL).or_(page.locator("#stopped, .gap"))
        expect(seen.locator("visible=true").first).to_be_visible()
        check(page)
