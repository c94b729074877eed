"""What moderators do on the page, and what the others see of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.people import join, log, people, say, texts, wait_for_position, wake
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
    two,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server whose moderators have a password."""
    with kept(tmp_path) as running:
        yield running


def test_where_there_is_no_password_nobody_is_asked_for_it(tabs: Tabs, tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as server:
        page = tabs.open(server.url)
        join(page, "Ann", "garden")
        expect(people(page)).to_have_count(1)
        expect(page.get_by_role("button", name="I am a moderator")).to_be_hidden()


def test_only_who_knows_the_password_has_what_moderators_need(tabs: Tabs, server: Server) -> None:
    ann, bob = tabs.open(server.url), tabs.open(server.url)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    say(bob, "of Bob")
    expect(texts(ann)).to_have_count(1)
    ann.get_by_role("button", name="I am a moderator").click()
    ann.get_by_label("password").fill("guess")
    ann.get_by_label("password").press("Enter")
    expect(ann.get_by_role("dialog")).to_contain_text("That is not the password.")
    ann.keyboard.press("Escape")
    expect(ann.get_by_role("button", name="I am a moderator")).to_be_focused()
    expect(ann.get_by_role("button", name="Keep order")).to_have_count(0)
    be_moderator(ann)
    expect(ann.locator("#people button, .tools [aria-label^='Keep order']")).to_have_count(2)
    expect(ann.get_by_role("button", name="I am a moderator")).to_be_hidden()
    expect(bob.get_by_role("button", name="Keep order")).to_have_count(0)


def test_a_moderator_stays_one_after_a_break_and_not_after_a_reload(
    tabs: Tabs, tmp_path: Path
) -> None:
    with kept(tmp_path) as first:
        ann, bob = two(tabs, first)
        port = first.port
    with kept(tmp_path, port=port):
        for page in (ann, bob):
            wake(page)
            expect(page.get_by_text("Connected")).to_be_visible(timeout=20_000)
        expect(people(ann)).to_have_count(2)
        act(menu(ann, "Bob"), "Mute")
        expect(log(bob)).to_contain_text("Ann muted Bob")
        ann.reload()
        expect(ann.get_by_role("button", name="I am a moderator")).to_be_visible()


def test_a_password_that_is_another_now_is_asked_for_again(tabs: Tabs, tmp_path: Path) -> None:
    with kept(tmp_path) as first:
        ann, _ = two(tabs, first)
        port = first.port
    with kept(tmp_path, "a newer one", port):
        wake(ann)
        expect(ann.get_by_text("Connected")).to_be_visible(timeout=20_000)
        expect(ann.get_by_role("button", name="I am a moderator")).to_be_visible()


def test_a_moderator_deletes_one_message_or_all_of_someone(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    act(menu_of(ann, "of Bob"), "Delete this one")
    expect(texts(bob).first).to_contain_text("Message deleted")
    say(bob, "more")
    say(bob, "and more")
    expect(texts(ann)).to_have_count(3)
    act(menu_of(ann, "and more"), "Delete all of theirs", "spam")
    for page in (ann, bob):
        expect(page.locator(".gone")).to_have_count(3)
        expect(page.locator(".act")).to_have_text("Ann deleted the messages of Bob: spam")
    expect(ann.locator("#note")).to_have_text("Done.")


def test_who_is_muted_is_told_and_keeps_what_they_wrote_until_it_is_lifted(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    box = bob.get_by_label("Message")
    box.fill("a draft")
    act(menu_of(ann, "of Bob"), "Mute", "cool down", "10 minutes")
    told = re.compile(r"Ann muted Bob until \d+:\d+.*: cool down")
    for page in (ann, bob):
        expect(page.locator(".act")).to_have_text(told)
    why = re.compile(r"A moderator has muted you until \d+:\d+.*\. Reason: cool down")
    expect(bob.locator("#silence")).to_have_text(why)
    expect(bob.get_by_role("button", name="Send")).to_be_disabled()
    box.press("Enter")
    expect(box).to_have_value("a draft")
    wait_for_position(bob, "position.events.some(({ type }) => type === 'moderated')")
    bob.reload()
    expect(bob.locator("#silence")).to_have_text(why)
    expect(bob.locator(".act")).to_have_text(told)
    dialog = room_menu(ann)
    expect(dialog).to_contain_text(re.compile("Bob: muted until .*, by Ann .cool down."))
    dialog.get_by_role("button", name="Lift: Bob").click()
    expect(dialog).to_contain_text("None")
    ann.keyboard.press("Escape")
    expect(ann.get_by_role("button", name="Keep order in this room")).to_be_focused()
    expect(bob.locator("#silence")).to_be_hidden()
    say(bob, "again")
    expect(texts(ann)).to_have_count(2)


def test_a_mute_of_someone_else_who_had_the_name_is_not_ones_own(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    bob.close()
    expect(log(ann)).to_contain_text("Bob left")
    other = tabs.open(server.url)
    join(other, "Bob", "garden")
    act(menu_of(ann, "of Bob"), "Mute")
    expect(log(other)).to_contain_text("Ann muted Bob")
    say(other, "not me")
    expect(texts(ann)).to_have_count(2)
    expect(other.locator("#silence")).to_be_hidden()


def test_a_mute_ends_by_itself(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    bob.clock.install()
    act(menu(ann, "Bob"), "Mute", term="10 minutes")
    expect(bob.locator("#silence")).to_be_visible()
    bob.clock.fast_forward(601_000)
    expect(bob.locator("#silence")).to_be_hidden()
    # The server's clock went no further: it refuses, and what was written stays.
    say(bob, "not yet")
    failed = bob.locator("#pending .failed")
    expect(failed).to_contain_text("Not sent: you are muted until")
    expect(failed).to_contain_text("not yet")


def test_a_mute_that_was_lifted_elsewhere_is_over_when_one_wants_to_write(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    act(menu(ann, "Bob"), "Mute", term="for ever", where="Everywhere on this server")
    expect(bob.locator("#silence")).to_contain_text("muted you for ever")
    ann.get_by_role("button", name="Leave").click()
    join(ann, "Ann", "elsewhere")
    dialog = room_menu(ann)
    expect(dialog).to_contain_text("Bob: muted for ever, everywhere, by Ann")
    dialog.get_by_role("button", name="Lift: Bob").click()
    expect(dialog).to_contain_text("None")
    bob.get_by_role("button", name="People").or_(bob.locator("#copy")).first.focus()
    bob.get_by_label("Message").focus()
    expect(bob.locator("#silence")).to_be_hidden()


def test_a_room_is_slowed_and_closed_to_others_and_opened_again(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    dialog = room_menu(ann)
    closed = dialog.get_by_role("button", name="Moderators only")
    closed.click()
    expect(closed).to_have_attribute("aria-pressed", "true")
    expect(bob.locator("#silence")).to_have_text("Only moderators write here at the moment.")
    expect(ann.locator("#silence")).to_be_hidden()
    dialog.get_by_role("button", name="Everyone").click()
    expect(bob.locator("#silence")).to_be_hidden()
    dialog.get_by_role("button", name="Once in 10 s").click()
    expect(bob.get_by_placeholder("one message in 10 s")).to_be_visible()
    say(bob, "one")
    say(bob, "two")
    expect(bob.locator("#note")).to_contain_text("Slow mode: what you wrote is sent in")
    expect(bob.locator("#pending")).to_contain_text("two")
    dialog.get_by_role("button", name="At their own pace").click()
    told = [
        "Only moderators can write now",
        "Everyone can write again",
        "Slow mode: one message in 10 s",
        "Slow mode is over",
    ]
    expect(bob.locator(".act")).to_have_text(told)
    wait_for_position(bob, "position.events.length === 6")
    bob.reload()
    expect(bob.locator(".act")).to_have_text(told)
    expect(texts(ann)).to_have_count(3, timeout=15_000)


def test_who_is_put_out_is_told_why_and_comes_back(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    bob.get_by_label("Message").fill("a draft")
    act(menu_of(ann, "of Bob"), "Put out", "not so loud: please")
    expect(bob.locator("#stopped")).to_have_text(
        "A moderator put you out of the room. You may come back. Reason: not so loud: please"
    )
    expect(log(ann)).to_contain_text("Bob left")
    join(bob, "Bob")
    expect(bob.get_by_label("Message")).to_have_value("a draft")


@pytest.mark.parametrize(
    ("term", "ends"),
    [
        ("10 minutes", r"until \d+:\d+"),
        ("1 hour", r"until \d+:\d+"),
        ("1 day", r"until \w+ \d+, \d+, \d+:\d+"),
        ("1 week", r"until \w+ \d+, \d+, \d+:\d+"),
        ("for ever", "for ever"),
    ],
)
def test_who_is_banned_is_told_why_and_until_when_and_may_come_when_it_is_lifted(
    tabs: Tabs, server: Server, term: str, ends: str
) -> None:
    ann, bob = two(tabs, server)
    act(menu(ann, "Bob"), "Ban", "spam", term)
    told = re.compile(rf"^You are banned from this room {ends}.*\. Reason: spam$")
    expect(bob.locator("#stopped")).to_have_text(told)
    bob.get_by_role("button", name="Join").click()
    expect(bob.get_by_role("button", name="Join")).to_be_enabled()
    expect(bob.locator("#stopped")).to_have_text(told)
    expect(log(ann)).to_contain_text(re.compile(rf"Ann banned Bob {ends}.*: spam"))
    dialog = room_menu(ann)
    dialog.get_by_role("button", name="Lift: Bob").click()
    expect(dialog).to_contain_text("None")
    join(bob, "Bob")


def test_a_ban_is_of_this_room_or_of_the_server_as_the_moderator_chose(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    act(menu(ann, "Bob"), "Ban")
    expect(bob.locator("#stopped")).to_contain_text("You are banned from this room")
    join(bob, "Bob", "elsewhere")
    bob.get_by_role("button", name="Leave").click()
    dialog = room_menu(ann)
    dialog.get_by_role("button", name="Lift: Bob").click()
    expect(dialog).to_contain_text("None")
    ann.keyboard.press("Escape")
    join(bob, "Bob", "garden")
    act(menu(ann, "Bob"), "Ban", where="Everywhere on this server")
    expect(bob.locator("#stopped")).to_contain_text("You are banned from this server")
    bob.get_by_label("Room", exact=True).fill("elsewhere")
    bob.get_by_role("button", name="Join").click()
    expect(bob.get_by_role("button", name="Join")).to_be_enabled()
    expect(bob.locator("#stopped")).to_contain_text("You are banned from this server")


def open_user(tabs: Tabs, server: Server, room: str, bearer: str) -> Page:
    page = tabs.open(f"{server.url}/?token={bearer}")
    come_in(page, room)
    return page


def test_a_moderator_by_token_is_one_only_where_it_says_so(tabs: Tabs, tmp_path: Path) -> None:
    with tokens(tmp_path) as server:
        ann = open_user(tabs, server, "news", token(name="Ann Ünal", mod=["news"]))
        bob = open_user(tabs, server, "news", token("bob", name="Bob B."))
        expect(people(ann)).to_have_count(2)
        dialog = menu(ann, "Bob B.")
        expect(dialog.get_by_label("Where")).to_have_count(0)
        act(dialog, "Mute")
        for page in (ann, bob):
            expect(page.locator(".act")).to_have_text(re.compile("^Ann Ünal muted Bob B. until"))
        ann.get_by_role("button", name="Leave").click()
        come_in(ann, "garden")
        expect(ann.get_by_role("button", name="Keep order in this room")).to_be_hidden()


def test_an_act_that_is_refused_is_said(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    be_moderator(bob)
    act(menu(ann, "Bob"), "Ban")
    expect(ann.locator("#note")).to_have_text("moderators cannot do that to moderators")
