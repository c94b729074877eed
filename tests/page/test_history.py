"""Looking back, and what the page shows of what is gone."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.command import serving
from tests.page.conftest import Tabs
from tests.page.people import (
    STORE,
    join,
    lines,
    log,
    say,
    texts,
    wait_for_letters,
    wait_for_position,
    wake,
)


def speak(page: Page, room: str, lines: list[str], name: str = "Bob") -> None:
    """Say many lines at once, over a socket of its own in the page's browser."""
    page.evaluate(
        """([room, name, lines]) => new Promise((done) => {
          const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
          let left = lines.length;
          socket.onopen = () => {
            socket.send(JSON.stringify({ type: "join", room, username: name }));
            for (const text of lines) socket.send(JSON.stringify({ type: "chat", text }));
          };
          socket.onmessage = ({ data }) => {
            const frame = JSON.parse(data);
            if (frame.type === "chat" && frame.username === name && --left === 0) {
              socket.close();
              done(null);
            }
          };
        })""",
        [room, name, lines],
    )


TO_THE_TOP = """async () => {
  const box = document.getElementById("scroll");
  while (document.querySelector("#rows > .chat").dataset.seq !== "1") {
    box.scrollTop = 0;
    await new Promise(requestAnimationFrame);
  }
}"""
READ_DOWN = """async () => {
  const box = document.getElementById("scroll");
  const { top, bottom } = box.getBoundingClientRect();
  const seen = new Set();
  let blank = 0;
  let most = 0;
  box.scrollTop = 0;
  for (;;) {
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const rows = [...document.querySelectorAll("#rows > .chat")];
    most = Math.max(most, rows.length);
    const there = rows.filter((row) => {
      const { top: above, bottom: below } = row.getBoundingClientRect();
      return above < bottom && below > top;
    });
    blank += there.length === 0;
    for (const row of there) seen.add(Number(row.dataset.seq));
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 2) break;
    box.scrollTop += 200;
  }
  return { seen: [...seen], blank, most };
}"""
ALL_KEPT = """() => new Promise((done) => {
  indexedDB.open("hubbub /").onsuccess = ({ target }) => {
    target.result.transaction("desks").objectStore("desks").getAll().onsuccess =
      ({ target }) => done(JSON.stringify(target.result));
  };
})"""


def watch_frames(page: Page) -> list[dict[str, Any]]:
    """The frames that the page gets from now on."""
    frames: list[dict[str, Any]] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: frames.append(json.loads(data))),
    )
    return frames


SCROLL = """() => {
  const box = document.getElementById("scroll");
  const edge = box.getBoundingClientRect().top;
  const row = [...document.querySelectorAll("#rows .chat")]
    .find((one) => one.getBoundingClientRect().bottom > edge + 100);
  const rows = document.querySelectorAll("#rows .chat").length;
  window.moves = [];
  let top = row.getBoundingClientRect().top;
  window.watcher = new MutationObserver(() => {
    const now = row.getBoundingClientRect().top;
    window.moves.push(now - top);
    top = now;
  });
  window.watcher.observe(document.getElementById("rows"), { childList: true });
  box.scrollTop -= 1;
  top = row.getBoundingClientRect().top;
  return rows;
}"""


def test_scrolling_back_reaches_the_beginning_without_a_jump(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, "--rate", "0", cwd=tmp_path) as server:
        ann = tabs.open(server.url)
        speak(ann, "garden", [f"line {number}" for number in range(230)])
        join(ann, "Ann", "garden")
        expect(log(ann)).to_contain_text("line 229")
        box = ann.locator("#scroll")
        expect(ann.get_by_text("This is the beginning")).to_be_hidden()
        seen = texts(ann).count()
        while seen < 230:
            # 300 px from the top, so that there is a row to watch that no scroll pushes away.
            box.evaluate("box => { box.scrollTop = 300 }")
            ann.evaluate(SCROLL)
            ann.wait_for_function(
                "n => document.querySelectorAll('#rows .chat').length > n", arg=seen
            )
            moves = ann.evaluate("(watcher.disconnect(), moves)")
            assert all(abs(move) < 1 for move in moves), moves
            seen = texts(ann).count()
        box.evaluate("box => { box.scrollTop = 0 }")
        expect(ann.get_by_text("This is the beginning of the room")).to_be_in_viewport()
        assert lines(ann) == [f"line {number}" for number in range(230)]
        expect(ann.locator("#rows .day")).to_have_count(1)
        expect(ann.locator("#rows .by")).to_have_count(1)
        heard = ann.locator("#rows > li:not([aria-live=off])")
        expect(heard).to_have_count(0)


def test_a_reload_goes_on_where_it_was(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, "--history", "5", cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(ann, "Ann", "garden")
        join(bob, "Bob", "garden")
        for number in range(9):
            say(bob, f"line {number}")
        expect(texts(ann)).to_have_count(9)
        wait_for_position(ann, "position.seq === 9 && position.events.length === 9")
        url, frames = ann.url, watch_frames(ann)
        ann.goto("about:blank")
        box = bob.get_by_label("Message")
        box.press("ArrowUp")
        box.fill("line eight")
        box.press("Enter")
        first = bob.locator(".mine").first
        first.hover()
        first.get_by_role("button", name="Delete").click()
        first.get_by_role("button", name="Delete").click()
        expect(bob.locator(".gone")).to_have_count(1)
        say(bob, "line 9")
        expect(texts(bob)).to_have_count(10)
        ann.goto(url)
        ann.reload()
        expect(texts(ann)).to_have_count(10)
        expected = ["Message deleted", *(f"line {n}" for n in range(1, 8)), "line eight", "line 9"]
        assert lines(ann) == lines(bob) == expected
        welcomes = [frame for frame in frames if frame["type"] == "welcome"]
        assert "history" not in welcomes[-1], "it went on from its position"
        wait_for_position(ann, "position.seq === 12")
        assert "line 0" not in ann.evaluate(ALL_KEPT), "deleted words are not kept"
        expect(ann.locator("#rows > li:not([aria-live=off])")).to_have_count(1)
        assert lines(ann)[-1] == "line 9"


def test_what_is_gone_is_said_in_its_place(tabs: Tabs, tmp_path: Path) -> None:
    memory = ("--addr", "127.0.0.1:0", "--store", "memory:", "--tail-events", "3")
    with serving(*memory, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(ann, "Ann", "garden")
        join(bob, "Bob", "garden")
        say(bob, "line 0")
        expect(texts(ann)).to_have_count(1)
        wait_for_position(ann, "position.seq === 1")
        url = ann.url
        ann.goto("about:blank")
        bob.locator(".mine").hover()
        bob.get_by_role("button", name="Delete").click()
        bob.get_by_role("button", name="Delete").click()
        expect(bob.locator(".gone")).to_have_count(1)
        for number in range(1, 9):
            say(bob, f"line {number}")
        expect(texts(bob)).to_have_count(9)
        ann.goto(url)
        ann.reload()
        expect(texts(ann)).to_have_count(4)
        expect(ann.locator("#rows > .chat").first.locator("+ li")).to_have_text(
            "6 earlier messages are gone"
        )
        assert lines(ann) == ["line 0", "line 6", "line 7", "line 8"]
        # That it was deleted was in the gap, too, and nobody can tell: so it is not kept.
        wait_for_position(ann, "position.seq === 10 && position.events.length === 4")
        assert "line 0" not in ann.evaluate(ALL_KEPT)
        ann.reload()
        expect(texts(ann)).to_have_count(3)
        expect(log(ann)).to_contain_text("6 earlier messages are gone")


def test_another_log_replaces_what_was_shown(tabs: Tabs, tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as server:
        ann = tabs.open(server.url)
        join(ann, "Ann", "garden")
        say(ann, "in the old log")
        expect(ann.locator(".mine")).to_have_count(1)
        wait_for_position(ann, "position.own.length === 1")
    # A change of a message of the old log waits; its number means another one in the new log.
    ann.get_by_label("Message").press("ArrowUp")
    ann.get_by_label("Message").fill("changed")
    ann.get_by_label("Message").press("Enter")
    wait_for_letters(ann, 1)
    with serving("--addr", f"127.0.0.1:{server.port}", cwd=tmp_path):
        bob = tabs.open(server.url)
        speak(bob, "garden", ["in the new log"])
        wake(ann)
        expect(texts(ann)).to_have_count(1, timeout=20_000)
        expect(texts(ann)).to_contain_text("in the new log", timeout=20_000)
        expect(ann.locator(".mine")).to_have_count(0)
        expect(ann.locator("#pending .failed")).to_contain_text("Not changed: that message is not")
        wait_for_position(ann, "position.own.length === 0")
        assert "in the old log" not in ann.evaluate(ALL_KEPT)


def test_the_view_is_bounded_and_what_it_dropped_comes_again(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, "--rate", "0", cwd=tmp_path) as server:
        ann = tabs.open(server.url)
        join(ann, "Ann", "garden")
        speak(ann, "garden", [f"line {number}" for number in range(1600)])
        expect(log(ann)).to_contain_text("line 1599")
        assert ann.locator("#rows > li").count() <= 290
        expect(texts(ann).first).not_to_contain_text("line 0")
        expect(ann.locator("#rows > li").first).to_have_class(re.compile("^day"))
        # It has let go of the oldest; they come again when one looks for them.
        ann.evaluate(TO_THE_TOP)
        expect(texts(ann).first).to_have_text(re.compile("^line 0"))
        expect(ann.locator("#rows > .chat").first).to_have_class(re.compile("head"))
        read = ann.evaluate(READ_DOWN)
        assert read["seen"] == list(range(1, 1601))
        assert read["blank"] == 0, "one never looks at nothing"
        assert read["most"] <= 300
        ann.locator("#scroll").press("End")
        expect(texts(ann).last).to_have_text(re.compile("^line 1599"))
        say(ann, "and here")
        expect(texts(ann).last).to_be_in_viewport()
