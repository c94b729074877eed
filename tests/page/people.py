"""What people do on the page, and what they see there."""

from playwright.sync_api import Locator, Page, expect


def join(page: Page, name: str, room: str | None = None) -> None:
    """Come in by the door."""
    page.get_by_label("Name").fill(name)
    if room is not None:
        page.get_by_label("Room").fill(room)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Message")).to_be_visible()
    expect(page.get_by_text("Connected")).to_be_visible()


def say(page: Page, text: str) -> None:
    """Write something and press Send."""
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def log(page: Page) -> Locator:
    """The conversation, with what waits to be sent."""
    return page.get_by_role("log")


def texts(page: Page) -> Locator:
    """The messages that are in the log."""
    return page.locator("#rows .text")


def people(page: Page) -> Locator:
    """Who is in the room."""
    return page.get_by_role("list", name="People").get_by_role("listitem")
