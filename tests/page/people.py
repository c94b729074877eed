"""What people do on the page, and what they see there."""

from playwright.sync_api import Locator, Page, expect

STORE = ("--addr", "127.0.0.1:0", "--store", "sqlite:chat.db")
"""Flags of a server that keeps what is said in its folder."""
KEPT = """async (store) => {
  const all = () => new Promise((done) => {
    indexedDB.open("hubbub /").onsuccess = ({ target: { result: base } }) => {
      base.transaction(store).objectStore(store).getAll().onsuccess = ({ target }) => {
        base.close();
        done(target.result);
      };
    };
  });
  const until = Date.now() + 10000;
  for (let found; Date.now() < until; await new Promise(requestAnimationFrame)) {
    found = await all();
    if (TEST) return "";
    window.found = found;
  }
  return `not in 10 s; it has ${JSON.stringify(window.found)}`;
}"""


def join(page: Page, name: str, room: str | None = None) -> None:
    """Come in by the door."""
    page.get_by_label("Name").fill(name)
    if room is not None:
        page.get_by_label("Room", exact=True).fill(room)
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


def wait_for_position(page: Page, test: str) -> None:
    """Wait until the page has kept a `position` that passes `test`, a JavaScript expression."""
    found = f"found.some(({{ position }}) => {test})"
    assert page.evaluate(KEPT.replace("TEST", found), "desks") == ""


def wait_for_letters(page: Page, count: int) -> None:
    """Wait until so many letters are kept in the page's database."""
    assert page.evaluate(KEPT.replace("TEST", f"found.length === {count}"), "letters") == ""


def wake(page: Page) -> None:
    """Let the page look for the server now, not only when its patience ends."""
    page.evaluate("void dispatchEvent(new Event('online'))")


def lines(page: Page) -> list[str]:
    """What was said, without times and marks."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => [...document.querySelectorAll("#rows .text")].map((text) =>
          [...text.childNodes].filter((one) => !/TIME|SPAN/.test(one.nodeName))
            .map((one) => one.textContent).join(""))"""
    )
