"""What is shown to who may not, and to moderators, is for everyone to read and to press."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Page, expect

from tests.page.conftest import Tabs
from tests.page.looks import DESK, PHONE
from tests.page.people import log
from tests.page.trust import act, come_in, kept, menu, room_menu, show_people, token, tokens, two

EACH = [
    pytest.mark.parametrize("scheme", ["light", "dark"]),
    pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"]),
]


def on_each_screen(test: Any) -> Any:
    for mark in EACH:
        test = mark(test)
    return test


def look(page: Page) -> None:
    """Axe finds nothing, nothing sticks out, and a thumb hits what is in a dialog."""
    page.wait_for_function("() => document.getAnimations().length === 0")
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for one in page.locator("dialog[open] :is(button, select), #door button:visible").all():
        box = one.bounding_box()
        assert box is not None
        assert box["height"] >= 44


@on_each_screen
def test_axe_finds_nothing_where_one_is_not_let_in_or_may_only_read(
    tabs: Tabs, tmp_path: Path, scheme: str, screen: dict[str, Any]
) -> None:
    options = {"color_scheme": scheme, "bypass_csp": True, **screen}
    with tokens(tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token(ttl=-60)}", **options)
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        look(page)
        page = tabs.open(f"{server.url}/?token={token(ttl=50, rooms={'news': 'r'})}", **options)
        come_in(page, "news")
        expect(page.locator("#silence")).to_be_visible()
        expect(page.locator("#ending")).to_be_visible()
        look(page)
    (tmp_path / "guests").mkdir()
    with tokens(tmp_path / "guests", "optional") as server:
        page = tabs.open(f"{server.url}/?token={token(ttl=-60)}", **options)
        expect(page.get_by_text("Or come in as a guest:")).to_be_visible()
        look(page)


@on_each_screen
def test_axe_finds_nothing_in_what_moderators_do_and_others_see_of_it(
    tabs: Tabs, tmp_path: Path, scheme: str, screen: dict[str, Any]
) -> None:
    with kept(tmp_path) as server:
        ann, bob = two(tabs, server, color_scheme=scheme, bypass_csp=True, **screen)
        look(ann)
        ann.keyboard.press("Escape")
        row = ann.locator(".chat", has_text="of Bob")
        row.tap(position={"x": 4, "y": 4}) if "has_touch" in screen else row.hover()
        look(ann)
        row.get_by_role("button", name="Keep order").click()
        look(ann)
        act(ann.get_by_role("dialog"), "Mute", "cool down", "1 day")
        expect(bob.locator("#silence")).to_be_visible()
        look(bob)
        expect(room_menu(ann).get_by_role("button", name="Lift: Bob")).to_be_visible()
        look(ann)
        ann.keyboard.press("Escape")
        dialog = menu(ann, "Bob")
        look(ann)
        act(dialog, "Ban", "spam", "for ever", "Everywhere on this server")
        expect(bob.locator("#stopped")).to_be_visible()
        look(bob)
        expect(log(ann)).to_contain_text("Ann banned Bob for ever: spam")
        show_people(ann)
        ann.keyboard.press("Escape")
        look(ann)
