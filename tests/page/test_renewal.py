"""A token that ends while the page is open: another one in time, or words."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import Tabs
from tests.page.people import join, people, say, texts
from tests.page.trust import come_in, token, tokens


def frames_of(page: Page) -> list[str]:
    """What this page says on its sockets from its next load on."""
    said: list[str] = []

    def listen(payload: str | bytes) -> None:
        said.append(str(payload))

    page.on("websocket", lambda socket: socket.on("framesent", listen))
    return said


def test_a_token_that_ends_stops_the_page_with_words(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token(ttl=5)}")
        come_in(page, "garden")
        expect(page.locator("#ending")).to_contain_text("Your sign-in ends at")
        page.get_by_label("Message").fill("a draft")
        expect(page.locator("#stopped")).to_have_text(
            "Your sign-in has ended. Sign in again to go on."
        )
        expect(page.get_by_role("button", name="Join")).to_be_hidden()
        assert page.evaluate("sessionStorage.getItem('hubbub.token')") is None


def test_the_end_is_said_a_minute_before_and_not_earlier(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open("about:blank")
        page.clock.install()
        page.goto(f"{server.url}/?token={token(ttl=600)}")
        come_in(page, "garden")
        page.clock.fast_forward(500_000)
        expect(page.locator("#ending")).to_be_hidden()
        page.clock.fast_forward(45_000)
        expect(page.locator("#ending")).to_contain_text("Sign in again in another tab")


def test_a_new_sign_in_in_another_tab_renews_the_old_one(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open("about:blank")
        said = frames_of(page)
        page.goto(f"{server.url}/?token={token(ttl=30)}")
        come_in(page, "garden")
        expect(page.locator("#ending")).to_be_visible()
        renewed = token(ttl=900, rooms={"garden": "r"})
        other = tabs.watch(page.context.new_page(), f"{server.url}/?token={renewed}")
        expect(page.locator("#ending")).to_be_hidden()
        # What the new one grants holds at once.
        expect(page.locator("#silence")).to_have_text("You can read here, not write.")
        assert [frame for frame in said if '"auth"' in frame and renewed in frame]
        other.close()
        page.reload()
        expect(page.get_by_text("Connected")).to_be_visible()
        expect(page.locator("#silence")).to_have_text("You can read here, not write.")
        assert page.evaluate("sessionStorage.getItem('hubbub.token')") == renewed


def test_a_token_that_does_not_grant_the_room_leaves_it_with_words(
    tabs: Tabs, tmp_path: Path
) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token()}")
        come_in(page, "garden")
        other = token(rooms={"news": "r"})
        tabs.watch(page.context.new_page(), f"{server.url}/?token={other}")
        expect(page.locator("#stopped")).to_have_text("You may not be in this room.")
        expect(page.get_by_text("You are ann")).to_be_visible()


def test_the_site_can_give_a_token_on_the_channel_of_the_docs(tabs: Tabs, tmp_path: Path) -> None:
    docs = Path(__file__).parent.parent.parent / "docs" / "auth.md"
    (name,) = re.findall(r'BroadcastChannel\("([^"]+)"\)', docs.read_text())
    assert name.endswith(" /chat/"), "the docs' page is at /chat/"
    name = name.removesuffix("chat/")
    with tokens(tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token(ttl=30)}")
        come_in(page, "garden")
        site = page.context.new_page()
        html = '<link rel="icon" href="data:,"><title>The site</title>'
        site.route("**/site", lambda route: route.fulfill(content_type="text/html", body=html))
        tabs.watch(site, f"{server.url}/site")
        tell = "([name, token]) => new BroadcastChannel(name).postMessage(token)"
        # What is none, is another's or is no good is passed over.
        for wrong in ("nonsense", token("bob"), token(ttl=-60)):
            site.evaluate(tell, [name, wrong])
        site.evaluate(tell, [name, token(ttl=900)])
        expect(page.locator("#ending")).to_be_hidden()
        say(page, "still ann")
        expect(texts(page)).to_have_count(1)
        expect(people(page)).to_contain_text(["ann"])


def test_who_was_put_out_by_the_end_goes_on_where_they_were(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token(ttl=4)}")
        come_in(page, "garden")
        say(page, "before")
        expect(page.locator("#stopped")).to_contain_text("has ended")
        tabs.watch(page.context.new_page(), f"{server.url}/?token={token()}")
        expect(page.get_by_text("Connected")).to_be_visible()
        expect(texts(page)).to_have_count(1)
        say(page, "after")
        expect(texts(page)).to_have_count(2)


def test_a_guest_inside_stays_one_when_someone_signs_in_elsewhere(
    tabs: Tabs, tmp_path: Path
) -> None:
    with tokens(tmp_path, "optional") as server:
        guest = tabs.open(server.url)
        join(guest, "Gus", "garden")
        ann = tabs.watch(guest.context.new_page(), f"{server.url}/?token={token()}")
        come_in(ann, "garden")
        expect(people(guest)).to_have_count(2)
        guest.reload()
        expect(guest.get_by_text("Connected")).to_be_visible()
        assert guest.evaluate("sessionStorage.getItem('hubbub.token')") is None
        say(guest, "me")
        expect(ann.locator(".by")).to_contain_text("guest")
