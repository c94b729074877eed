"""Who one is by a token, on the page: at the door, inside, and when it is no good."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.command import Server
from tests.page.conftest import Tabs
from tests.page.people import join, log, people, say, texts, wait_for_letters
from tests.page.trust import come_in, token, tokens


def test_a_token_is_taken_once_and_the_name_is_not_asked_for(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        given = token(name="Ann Ünal")
        asked: list[str] = []
        page = tabs.open("about:blank")
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.goto(f"{server.url}/?room=garden&token={given}")
        expect(page.get_by_text("You are Ann Ünal")).to_be_visible()
        expect(page.get_by_label("Name")).to_be_hidden()
        assert page.url == f"{server.url}/?room=garden"
        come_in(page, "garden")
        expect(people(page)).to_contain_text(["Ann Ünal"])
        say(page, "hello")
        expect(page.locator(".by .name")).to_have_text("Ann Ünal")
        expect(page.locator(".by .name")).to_have_attribute("title", "ann")
        page.reload()
        expect(page.get_by_text("Connected")).to_be_visible()
        say(page, "again")
        expect(texts(page)).to_have_count(2)
        assert len([url for url in asked if given in url]) == 1, "only the first address has it"
        other = tabs.watch(page.context.new_page(), f"{server.url}/?room=garden&token={given}")
        come_in(other, "garden")
        say(other, "from another tab")
        expect(texts(page)).to_have_count(3)
        expect(page.locator(".mine")).to_have_count(3)  # a user's own, on whatever device
        expect(people(page)).to_have_count(1)
        assert given not in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "Please sign in first"),
        ("?token=nonsense", "Your sign-in is not valid here"),
        ("?token=no%20token%20%E2%82%AC", "Your sign-in is not valid here"),
        (f"?token={token(ttl=-60)}", "Your sign-in has ended"),
        (f"?token={token(ttl=10**9, nbf=4_000_000_000)}", "Your sign-in is not valid yet"),
    ],
)
def test_who_cannot_come_in_is_told_why_and_is_asked_for_nothing(
    tabs: Tabs, tmp_path: Path, given: str, told: str
) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open("about:blank")
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.goto(f"{server.url}/{given}")
        expect(page.get_by_role("alert")).to_contain_text([told])
        for field in ("Name", "Room"):
            expect(page.get_by_label(field, exact=True)).to_be_hidden()
        expect(page.get_by_role("button", name="Join")).to_be_hidden()
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#stopped")).to_be_visible()
        assert "token" not in page.url
        assert not sockets, "nothing is tried that is known to fail"


def test_who_lost_the_sign_in_may_come_as_a_guest_where_guests_may(
    tabs: Tabs, tmp_path: Path
) -> None:
    with tokens(tmp_path, "optional") as server:
        ann = tabs.open(f"{server.url}/?token={token()}")
        come_in(ann, "garden")
        page = tabs.open(f"{server.url}/?token={token('gus', ttl=-60)}")
        expect(page.locator("#stopped")).to_contain_text("Your sign-in has ended.")
        expect(page.locator("#stopped")).to_contain_text("Or come in as a guest:")
        join(page, "Gus", "garden")
        expect(people(ann)).to_contain_text(["ann", "Gusguest"])
        say(page, "hello")
        expect(ann.locator(".by")).to_contain_text("guest")
        expect(people(page).filter(has_text="ann")).not_to_contain_text("guest")


def test_a_guest_makes_way_for_the_user_of_the_name_and_is_told(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path, "optional") as server:
        guest = tabs.open(server.url)
        join(guest, "ann", "garden")
        ann = tabs.open(f"{server.url}/?token={token()}")
        come_in(ann, "garden")
        expect(guest.locator("#stopped")).to_contain_text("belongs to someone who signed in")
        guest.get_by_role("button", name="Join").click()
        expect(guest.locator("#name-trouble")).to_contain_text("taken")
        join(guest, "Gus")
        expect(people(ann)).to_contain_text(["ann", "Gusguest"])


def test_who_may_only_read_knows_it_before_they_write(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        rooms = {"garden": "rw", "n*": "r"}
        page = tabs.open(f"{server.url}/?token={token(rooms=rooms)}")
        come_in(page, "news")
        expect(page.locator("#silence")).to_have_text("You can read here, not write.")
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        page.reload()
        expect(page.locator("#silence")).to_have_text("You can read here, not write.")
        page.get_by_role("button", name="Leave").click()
        come_in(page, "garden")
        expect(page.locator("#silence")).to_be_hidden()
        say(page, "hello")
        expect(texts(page)).to_have_count(1)
        page.get_by_role("button", name="Leave").click()
        page.get_by_label("Room", exact=True).fill("secret")
        page.get_by_role("button", name="Join").click()
        expect(page.locator("#stopped")).to_have_text("You may not be in this room.")


def test_the_page_works_where_nobody_tells_who_one_is(tabs: Tabs, server: Server) -> None:
    page = tabs.open("about:blank")
    page.route("**/api/session", lambda route: route.abort("connectionrefused"))
    page.goto(server.url)
    join(page, "Ann", "garden")
    say(page, "hello")
    expect(texts(page)).to_have_count(1)


def test_a_guest_is_not_the_user_who_sat_here_before(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        page = tabs.open(f"{server.url}/?token={token()}")
        come_in(page, "garden")
        port = server.port
    say(page, "only as a user")
    wait_for_letters(page, 1)
    page.evaluate("sessionStorage.removeItem('hubbub.token')")
    page.goto("about:blank")  # or it comes back as the user, who has the name as long as that lasts
    with tokens(tmp_path, "optional", port) as server:
        page.goto(f"{server.url}/?room=garden")
        join(page, "ann", "garden")
        say(page, "as a guest")
        expect(texts(page)).to_have_count(1)
        expect(log(page)).not_to_contain_text("only as a user")
        user = tabs.watch(page.context.new_page(), f"{server.url}/?token={token()}")
        expect(user.get_by_role("list", name="Not sent yet")).to_contain_text(
            "A message that you wrote in garden was not sent."
        )
        user.get_by_role("button", name="Go on as ann and send").click()
        expect(texts(user)).to_have_count(2)
        expect(log(user)).to_contain_text("only as a user")
