"""Answers, threads, reactions, mentions, Markdown, topics, pins: what people do with messages."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from websockets.sync.client import connect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.looks import DESK, PHONE, look
from tests.page.people import join, log, people, say, texts

PASSWORD = "a long password"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    flags = ("--store", "sqlite:chat.db", "--mod-password", PASSWORD, "--rate", "0")
    with serving("--addr", "127.0.0.1:0", *flags, cwd=tmp_path) as running:
        yield running


def row(page: Page, text: str) -> Locator:
    """The message that says `text`."""
    return page.locator("#rows > .chat", has=page.locator(".said", has_text=text)).last


def press(page: Page, text: str, tool: str) -> None:
    """Press a button on a message, with the pointer."""
    message = row(page, text)
    message.hover()
    message.get_by_role("button", name=re.compile(f"^{tool}: ")).click()


def choose(page: Page, emoji: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=emoji, exact=True).first.click()


def rise(page: Page) -> None:
    """Become a moderator."""
    page.get_by_role("button", name="I am a moderator").click()
    page.get_by_label("The moderators’ password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Keep order in this room")).to_be_visible()


def chatter(server: Server, count: int) -> None:
    """Let someone say so many things in the garden."""
    with connect(f"{server.url.replace('http', 'ws')}/ws") as socket:
        socket.send(json.dumps({"type": "join", "room": "garden", "username": "Chatter"}))
        for n in range(count):
            socket.send(json.dumps({"type": "chat", "text": f"more {n}", "id": f"c{n}"}))
        while json.loads(socket.recv()).get("id") != f"c{count - 1}":
            pass


def two(tabs: Tabs, server: Server, **options: Any) -> tuple[Page, Page]:
    ann, bob = tabs.open(server.url, **options), tabs.open(server.url, **options)
    join(ann, "Ann", "garden")
    join(bob, "Bob", "garden")
    return ann, bob


def test_an_answer_quotes_what_it_answers_and_leads_there(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    say(ann, "who waters the beans?")
    for n in range(30):
        say(ann, f"line {n}")
    expect(texts(bob)).to_have_count(31)
    press(bob, "who waters", "Reply")
    expect(bob.locator("#editing")).to_contain_text("You are answering Ann: who waters the beans?")
    expect(bob.get_by_label("Message")).to_be_focused()
    say(bob, "I do")
    expect(bob.locator("#editing")).to_be_hidden()
    for page in (ann, bob):
        expect(row(page, "I do").locator(".quote")).to_contain_text("who waters the beans?")
    bob.get_by_role("button", name="In answer to Ann: who waters the beans?").click()
    expect(row(bob, "who waters")).to_be_focused()
    expect(row(bob, "who waters")).to_be_in_viewport()
    later = tabs.open(server.url)
    join(later, "Cy", "garden")
    expect(row(later, "I do").locator(".quote b")).to_have_text("Ann")


def test_deleted_words_go_from_answers_and_an_answer_to_them_is_taken_back(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    say(ann, "a secret")
    expect(texts(bob)).to_have_count(1)
    press(bob, "a secret", "Reply")
    say(bob, "really?")
    expect(row(ann, "really?").locator(".quote")).to_contain_text("a secret")
    press(bob, "a secret", "Reply")
    press(ann, "a secret", "Delete")
    row(ann, "a secret").get_by_role("button", name="Delete").click()
    for page in (ann, bob):
        expect(row(page, "really?").locator(".quote")).to_contain_text("Message deleted")
        assert "a secret" not in page.locator("#rows").inner_html()
    expect(bob.locator("#editing")).to_be_hidden()


def test_an_answer_to_what_the_server_lost_can_be_sent_alone(tabs: Tabs, tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as first:
        ann, bob = two(tabs, first)
        port = first.port
        say(ann, "soon gone")
        expect(texts(bob)).to_have_count(1)
    press(bob, "soon gone", "Reply")
    say(bob, "an answer")
    expect(bob.locator("#pending .quote")).to_contain_text("soon gone")
    with serving("--addr", f"127.0.0.1:{port}", cwd=tmp_path):  # on memory: another log
        for page in (ann, bob):
            page.evaluate("dispatchEvent(new Event('online'))")
        expect(bob.locator("#pending")).to_contain_text("Not sent", timeout=20_000)
        bob.get_by_role("button", name="Send without the answer").click()
        expect(row(ann, "an answer")).to_be_visible(timeout=20_000)
        expect(row(ann, "an answer").locator(".quote")).to_have_count(0)


def test_a_thread_shows_a_message_with_its_answers(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    say(ann, "the question")
    expect(texts(bob)).to_have_count(1)
    for n in range(3):
        press(bob, "the question", "Reply")
        say(bob, f"answer {n}")
    expect(texts(ann)).to_have_count(4)
    press(ann, "answer 2", "More")
    ann.get_by_role("button", name="Thread").click()
    thread = ann.get_by_role("dialog").locator(".thread > li")
    expect(thread).to_have_count(4)
    expect(thread.first).to_contain_text("the question")
    expect(thread.last).to_contain_text("answer 2")
    ann.get_by_role("dialog").get_by_role("button", name="Reply").click()
    expect(ann.locator("#editing")).to_contain_text("the question")


def test_a_reaction_is_put_and_taken_and_everyone_sees_whose(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    say(ann, "it is done")
    expect(texts(bob)).to_have_count(1)
    press(bob, "it is done", "React")
    choose(bob, "🎉")
    mark = row(ann, "it is done").locator(".reaction")
    expect(mark).to_have_text("🎉1")
    expect(mark).to_have_attribute("aria-pressed", "false")
    mark.click()
    for page in (ann, bob):
        expect(row(page, "it is done").locator(".reaction")).to_have_text("🎉2")
    expect(mark).to_have_attribute("aria-label", "🎉 Bob, Ann")
    expect(mark).to_have_attribute("aria-pressed", "true")
    mark.click()
    expect(row(bob, "it is done").locator(".reaction")).to_have_text("🎉1")
    later = tabs.open(server.url)
    join(later, "Cy", "garden")
    expect(row(later, "it is done").locator(".reaction")).to_have_text("🎉1")
    row(bob, "it is done").locator(".reaction").click()
    for page in (ann, bob, later):
        expect(page.locator(".reaction")).to_have_count(0)


def test_the_keyboard_stays_on_a_button_of_a_message_that_changes(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    say(ann, "one")
    button = bob.get_by_role("button", name="Reply: one")
    button.focus()
    ann.get_by_role("button", name="React: one").focus()
    ann.keyboard.press("Enter")
    ann.get_by_label("Find an emoji").fill("tada")
    ann.keyboard.press("Enter")
    expect(bob.locator(".reaction")).to_have_count(1)
    expect(button).to_be_focused()


def test_an_emoji_is_found_by_its_name_with_the_keyboard_alone(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url)
    join(page, "Ann", "garden")
    say(page, "one")
    say(page, "two")
    expect(texts(page)).to_have_count(2)
    page.locator("#scroll").focus()
    page.keyboard.press("ArrowUp")
    expect(row(page, "two")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(row(page, "one")).to_be_focused()
    page.keyboard.press("+")
    expect(page.get_by_label("Find an emoji")).to_be_focused()
    page.keyboard.type("tomato")
    expect(page.locator(".emoji").first).to_have_text("🍅")
    page.keyboard.press("Enter")
    expect(row(page, "one").locator(".reaction")).to_have_text("🍅1")
    row(page, "one").focus()
    page.keyboard.press("r")
    expect(page.locator("#editing")).to_contain_text("You are answering Ann: one")
    page.keyboard.type("three")
    page.keyboard.press("Enter")
    expect(row(page, "three").locator(".quote")).to_have_text("Annone")
    row(page, "one").focus()
    page.keyboard.press("e")
    expect(page.locator("#editing")).to_contain_text("You are editing")
    page.keyboard.press("Escape")
    page.locator("#scroll").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Message")).to_be_focused()


def test_the_arrows_go_through_the_emoji(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url)
    join(page, "Ann", "garden")
    say(page, "one")
    press(page, "one", "React")
    expect(page.locator(".emojis section")).to_have_count(10)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".emoji").first).to_be_focused()
    for key, nth in (("ArrowRight", 1), ("ArrowDown", None), ("ArrowUp", 1), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        if nth is not None:
            expect(page.locator(".emoji").nth(nth)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".reaction")).to_have_text("👍1")
    assert page.evaluate("document.activeElement.closest('dialog')") is None


def test_every_emoji_that_is_offered_is_one_for_the_server() -> None:
    from hubbub.chat.emoji import canonical
    from hubbub.http.page import PAGE

    lines = (PAGE / "data/emoji.js").read_text().splitlines()
    offered = [line.split()[0] for line in lines[2:] if not line.startswith("# ")]
    assert len(offered) > 1800
    assert [one for one in offered if canonical(one) is None] == []


def test_names_and_emoji_are_completed(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    box = ann.get_by_label("Message")
    box.press_sequentially("hi @b")
    offers = ann.get_by_role("listbox").get_by_role("option")
    expect(offers).to_have_text(["Bob"])
    expect(box).to_have_attribute("aria-activedescendant", "offer-0")
    box.press("Tab")
    expect(box).to_have_value("hi @Bob ")
    expect(box).to_be_focused()
    box.press_sequentially("it is :tada")
    expect(offers.first).to_have_text("🎉 :tada:")
    box.press("Enter")
    expect(box).to_have_value("hi @Bob it is 🎉 ")
    box.press_sequentially(":tad")
    expect(offers.first).to_be_visible()
    box.press("Escape")
    expect(ann.get_by_role("listbox")).to_be_hidden()
    box.press_sequentially("a")
    expect(ann.get_by_role("listbox")).to_be_hidden()
    box.press("Enter")
    expect(row(bob, "hi @Bob it is 🎉 :tada")).to_be_visible()
    expect(row(bob, "hi @Bob").locator(".mention")).to_have_text("@Bob")
    expect(bob.locator(".called")).to_have_count(1)
    expect(ann.locator(".called")).to_have_count(0)


def test_who_writes_is_shown_until_they_have_said_it(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    bob.get_by_label("Message").press_sequentially("well")
    expect(ann.locator("#typing")).to_have_text("Bob is writing…")
    expect(people(ann).filter(has_text="writing…")).to_have_text(re.compile("^Bob"))
    expect(bob.locator("#typing")).to_have_text("")
    bob.get_by_label("Message").press("Enter")
    expect(row(ann, "well")).to_be_visible()
    expect(ann.locator("#typing")).to_have_text("")
    expect(people(ann).filter(has_text="writing…")).to_have_count(0)


def test_marks_become_elements_and_nothing_else_does(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    said = f"**bold** *it* ~~no~~ `a<b` [x](https://example.org/x) [y](javascript:alert(1)) {EVIL}"
    say(ann, said)
    body = row(bob, "bold").locator(".said")
    for tag, text in (("strong", "bold"), ("em", "it"), ("s", "no"), ("code", "a<b"), ("a", "x")):
        expect(body.locator(tag)).to_have_text(text)
    expect(body).to_contain_text(f"[y](javascript:alert(1)) {EVIL}")
    assert body.locator("a").get_attribute("href") == "https://example.org/x"
    say(ann, "> quoted\n\n- one\n- two\n\n```js\nlet x = '<b>';\n```")
    blocks = row(bob, "quoted").locator(".said")
    expect(blocks.locator("blockquote")).to_have_text("quoted")
    expect(blocks.locator("ul > li")).to_have_text(["one", "two"])
    expect(blocks.locator("pre")).to_have_text("let x = '<b>';")
    expect(
        bob.locator("#rows :is(img, script, b:not(.name, .quote b), iframe, style)")
    ).to_have_count(0)
    say(ann, "🎉")
    expect(row(bob, "🎉").locator(".said")).to_have_class("said alone")


def test_what_is_written_stays_text_in_every_new_place(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    bob = tabs.open(server.url)
    join(ann, EVIL, "garden")
    join(bob, "Bob", "garden")
    rise(ann)
    say(ann, f"{EVIL} @Bob **{EVIL}**")
    expect(texts(bob)).to_have_count(1)
    press(bob, "onerror", "Reply")
    expect(bob.locator("#editing")).to_contain_text(f"You are answering {EVIL}")
    bob.get_by_label("Message").press_sequentially("@<im")
    expect(bob.get_by_role("option")).to_have_text([EVIL])
    bob.get_by_label("Message").press("Enter")
    bob.get_by_label("Message").press("Enter")
    expect(bob.locator(".chat .quote b")).to_have_text(EVIL)
    bob.get_by_label("Message").press_sequentially("x")
    first = ann.locator("#rows > .chat").first
    first.hover()
    first.get_by_role("button", name=re.compile("^React: ")).click()
    choose(ann, "👍")
    expect(bob.locator(".reaction")).to_have_attribute("title", f"👍 {EVIL}")
    ann.get_by_role("button", name="About").click()
    ann.get_by_role("button", name="Change the topic").click()
    ann.get_by_role("textbox", name="Topic").fill(EVIL)
    ann.get_by_label("Description").fill(f"*{EVIL}* [x](javascript:alert(1))")
    ann.get_by_role("button", name="Save").click()
    expect(bob.locator("#topic")).to_have_text(EVIL)
    press(ann, "onerror", "More")
    ann.get_by_role("button", name="Pin", exact=True).click()
    expect(bob.locator(".pinned")).to_have_count(1)
    bob.get_by_role("button", name="About").click()
    dialog = bob.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{EVIL} [x](javascript:alert(1))")
    expect(dialog.locator(".thread > li")).to_have_count(1)
    expect(dialog.locator("em")).to_have_text(EVIL)
    bob.get_by_role("button", name="Close").click()
    for page in (ann, bob):
        expect(page.locator("#house img")).to_have_count(1)  # the mark in the header


def test_a_link_to_a_message_opens_there(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    join(ann, "Ann", "garden")
    for n in range(25):
        say(ann, f"line {n} of many")
    expect(texts(ann)).to_have_count(25)
    ann.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    press(ann, "line 3 of", "More")
    ann.get_by_role("button", name="Copy link").last.click()
    expect(ann.get_by_text("The link is on the clipboard.")).to_be_visible()
    link = ann.evaluate("window.copied")
    assert link.endswith("/?room=garden#4")
    chatter(server, 150)
    bob = tabs.open(link)
    bob.get_by_label("Name").fill("Bob")
    bob.get_by_role("button", name="Join").click()
    expect(row(bob, "line 3 of")).to_be_focused()
    expect(row(bob, "line 3 of")).to_be_in_viewport()
    assert "#" not in bob.url, "a reload goes to where one is"
    far = tabs.open(link.replace("#4", "#999999"))
    far.get_by_label("Name").fill("Cy")
    far.get_by_role("button", name="Join").click()
    expect(far.get_by_role("dialog")).to_contain_text("It is not there any more.")


def test_the_buttons_of_a_message_are_there_without_pointing_at_it(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    for n in range(40):
        say(ann, f"line {n} of many")
    expect(texts(bob)).to_have_count(40)
    # For who listens to the page: all have them, and nobody is told of that.
    expect(bob.get_by_role("button", name="Reply: line 3 of many")).to_have_count(1)
    expect(bob.locator(".can > .tools")).to_have_count(40)
    expect(bob.locator(".tools:not([aria-live=off])")).to_have_count(0)
    # Which one is pointed at stays the same while the log moves under the mouse, and not after.
    row(bob, "line 39 of").hover()
    expect(bob.locator(".point")).to_contain_text("line 39 of")
    bob.mouse.wheel(0, -600)
    expect(bob.locator(".point")).not_to_contain_text("line 39 of")
    expect(bob.locator(".point")).to_have_count(1)
    bob.mouse.move(5, 5)
    expect(bob.locator(".point")).to_have_count(0)


def test_a_moderator_says_what_the_room_is_about_and_pins(tabs: Tabs, server: Server) -> None:
    ann, bob = two(tabs, server)
    say(bob, "the plan")
    expect(texts(ann)).to_have_count(1)
    bob.get_by_role("button", name="About").click()
    expect(bob.get_by_role("dialog")).to_contain_text("Nobody has said what this room is about.")
    expect(bob.get_by_role("button", name="Change the topic")).to_have_count(0)
    bob.get_by_role("button", name="Close").click()
    rise(ann)
    ann.get_by_role("button", name="About").click()
    ann.get_by_role("button", name="Change the topic").click()
    ann.get_by_role("textbox", name="Topic").fill("Vegetables")
    ann.get_by_label("Description").fill("Beans and **peas**")
    ann.get_by_role("button", name="Save").click()
    expect(ann.get_by_role("dialog")).to_be_hidden()
    for page in (ann, bob):
        expect(page.locator("#topic")).to_have_text("Vegetables")
        expect(page.get_by_text("Ann changed the topic: Vegetables")).to_be_visible()
    press(ann, "the plan", "More")
    ann.get_by_role("button", name="Pin", exact=True).click()
    expect(row(bob, "the plan").locator(".pinned")).to_be_visible()
    later = tabs.open(server.url)
    join(later, "Cy", "garden")
    expect(later.locator("#topic")).to_have_text("Vegetables")
    later.get_by_role("button", name="About").click()
    expect(later.get_by_role("dialog").locator("strong")).to_have_text("peas")
    later.get_by_role("button", name="Go there: the plan").click()
    expect(row(later, "the plan")).to_be_focused()
    press(ann, "the plan", "More")
    ann.get_by_role("button", name="Take the pin off").click()
    for page in (bob, later):
        expect(page.locator(".pinned")).to_have_count(0)


def test_a_pinned_message_that_is_deleted_is_not_shown_as_pinned(
    tabs: Tabs, server: Server
) -> None:
    ann, bob = two(tabs, server)
    for text in ("the plan", "the rules"):
        say(bob, text)
    expect(texts(ann)).to_have_count(2)
    rise(ann)
    for text in ("the plan", "the rules"):
        press(ann, text, "More")
        ann.get_by_role("button", name="Pin", exact=True).click()
        expect(row(bob, text).locator(".pinned")).to_be_visible()
    press(bob, "the plan", "Delete")
    bob.locator(".asks").get_by_role("button", name="Delete").click()
    expect(bob.locator(".gone")).to_have_count(1)
    bob.get_by_role("button", name="About").click()
    expect(bob.get_by_role("dialog").get_by_role("listitem")).to_contain_text(["the rules"])
    bob.get_by_role("button", name="Close").click()
    press(ann, "the rules", "More")
    ann.get_by_role("button", name="Take the pin off").click()
    expect(bob.locator(".pinned")).to_have_count(0)
    bob.get_by_role("button", name="About").click()
    expect(bob.get_by_role("dialog")).to_contain_text("Nothing is pinned here.")
    ann.get_by_role("button", name="About").click()
    ann.get_by_role("dialog").get_by_role("button", name="Take the pin off").click()
    expect(ann.get_by_role("dialog")).to_contain_text("Nothing is pinned here.")
    expect(log(bob)).to_contain_text("Ann took the pin off a message")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK])
def test_axe_finds_nothing_and_a_thumb_hits_all(
    tabs: Tabs, server: Server, scheme: str, screen: dict[str, Any]
) -> None:
    ann, bob = two(tabs, server, color_scheme=scheme, bypass_csp=True, **screen)
    say(ann, "hello **@Bob**\n\n- `one`\n- two\n\n```\ncode\n```\n> quote")
    expect(texts(bob)).to_have_count(1)
    has_touch = "has_touch" in screen

    def touch(tool: str) -> None:
        message = bob.locator("#rows > .chat").first
        if has_touch and "open" not in (message.get_attribute("class") or ""):
            message.locator("li", has_text="two").tap()
        else:
            message.hover()
        message.get_by_role("button", name=re.compile(f"^{tool}: ")).click()

    touch("React")
    expect(bob.locator(".emojis section")).to_have_count(10)
    look(bob, has_touch)
    choose(bob, "👍")
    touch("Reply")
    say(bob, "yes @Ann")
    expect(bob.locator(".quote")).to_have_count(1)
    bob.get_by_label("Message").press_sequentially("@An")
    expect(bob.get_by_role("option")).to_have_count(1)
    look(bob, has_touch)
    bob.get_by_label("Message").press("Escape")
    touch("More")
    bob.get_by_role("button", name="Thread").click()
    expect(bob.locator(".thread > li")).to_have_count(2)
    look(bob, has_touch)
    bob.get_by_role("button", name="Close").click()
    bob.get_by_role("button", name="About").click()
    look(bob, has_touch)


def test_the_first_load_is_small_and_the_second_smaller(tabs: Tabs, server: Server) -> None:
    page = tabs.open("about:blank")
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(server.url)
    page.wait_for_load_state("networkidle")
    first = sum(sizes)
    assert 20_000 < first < 80_000, first
    sizes.clear()
    page.reload()
    page.wait_for_load_state("networkidle")
    assert sum(sizes) < 20_000, sum(sizes)
    with urllib.request.urlopen(f"{server.url}/api/rooms") as answer:
        assert json.load(answer) == {"rooms": []}
