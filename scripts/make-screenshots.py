"""Takes the pictures of the page that the docs show: `python scripts/make-screenshots.py`.

From the project's folder, with its environment. Needs Chromium.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser import chromium_path
from tests.command import serving
from tests.page.people import join, say

FOLDER = Path(__file__).parents[1] / "docs/images/page"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}


def opened(browser: Browser, url: str, name: str, **options: Any) -> Page:
    """Someone's page, in the garden."""
    options = {"viewport": {"width": 1280, "height": 800}, **options}
    page = browser.new_context(**options).new_page()
    page.goto(url)
    join(page, name, "garden")
    return page


def row(page: Page, text: str) -> Locator:
    """The message that says `text`."""
    return page.locator("#rows > .chat", has=page.locator(".said", has_text=text)).last


def press(page: Page, text: str, tool: str) -> None:
    """Press a button on it."""
    row(page, text).hover()
    row(page, text).get_by_role("button", name=re.compile(f"^{tool}: ")).click()


def react(page: Page, text: str, emoji: str) -> None:
    """Put an emoji on it."""
    press(page, text, "React")
    page.get_by_role("dialog").get_by_role("button", name=emoji, exact=True).first.click()
    expect(row(page, text).locator(".reaction", has_text=emoji)).to_be_visible()


def go(page: Page, room: str) -> None:
    """To another room."""
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill(room)
    page.keyboard.press("Enter")
    expect(page.locator("#place")).to_have_text(room)
    expect(page.get_by_text("Connected")).to_be_visible()


def talk(ann: Page, bob: Page, cy: Page) -> None:
    """What the pictures show."""
    say(ann, "Has anyone watered the tomatoes?")
    expect(row(bob, "tomatoes")).to_be_visible()
    press(bob, "tomatoes", "Reply")
    say(bob, "Yes, this **morning**. The plan is at https://example.org/beds")
    expect(row(ann, "morning")).to_be_visible()
    say(ann, "Thanks @Bob! Still to do:\n- beans\n- peas, `bed=3`")
    expect(row(cy, "beans")).to_be_visible()
    react(bob, "beans", "👍")
    react(ann, "morning", "🎉")
    say(cy, "I'll take the peas")
    expect(row(bob, "peas")).to_be_visible()


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    flags = ("--addr", "127.0.0.1:0", "--news-interval", "0.1")
    with (
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as folder,
        serving(*flags, cwd=Path(folder)) as server,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        door = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        door.goto(server.url)
        door.screenshot(path=FOLDER / "door-light.png")
        ann = opened(browser, server.url, "Ann", color_scheme="light")
        bob = opened(browser, server.url, "Bob", color_scheme="dark")
        cy = opened(browser, server.url, "Cy", color_scheme="light", **PHONE)
        dee = opened(browser, server.url, "Dee", color_scheme="dark", **PHONE)
        talk(ann, bob, cy)
        for page, room in ((ann, "kitchen"), (dee, "kitchen")):
            go(page, room)
            go(page, "garden")
        eve = opened(browser, server.url, "Eve")
        go(eve, "kitchen")
        say(eve, "Tea is ready")
        for page in (ann, dee):
            expect(page.locator('[data-room="kitchen"] .badge')).to_have_count(1)
        bob.get_by_label("Message").press_sequentially("and thank you @C")
        expect(bob.get_by_role("option")).to_have_count(1)
        row(ann, "morning").hover()
        ann.screenshot(path=FOLDER / "room-light.png")
        bob.screenshot(path=FOLDER / "room-dark.png")
        cy.screenshot(path=FOLDER / "room-phone-light.png")
        dee.get_by_role("button", name=re.compile("^Rooms")).tap()
        dee.screenshot(path=FOLDER / "rooms-phone-dark.png")
        dee.locator('[data-room="garden"]').tap()
        row(dee, "beans").locator("li").first.tap()
        dee.screenshot(path=FOLDER / "room-phone-dark.png")
        press(ann, "morning", "React")
        expect(ann.locator(".emojis section")).to_have_count(10)
        ann.screenshot(path=FOLDER / "emoji-light.png")
        ann.keyboard.press("Escape")
        ann.get_by_role("button", name="Settings").click()
        ann.get_by_role("button", name="High contrast").click()
        ann.get_by_role("button", name="Close").click()
        ann.screenshot(path=FOLDER / "room-contrast.png")
        browser.close()


if __name__ == "__main__":
    main()
