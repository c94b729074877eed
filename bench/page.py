"""How the page bears much: the figures of `docs/architecture.md`. Needs Chromium.

`python -m bench.page` fills a room with 10,000 messages, looks back to its beginning and scrolls
through them with the processor slowed four times; and opens a room of 5,000 people.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from websockets.sync.client import ClientConnection, connect

from bench.wire import Client, Server, is_type
from tests.browser import chromium_path

MESSAGES = 10_000
PEOPLE = 5_000
SCROLL = """async () => {
  const box = document.getElementById("scroll");
  const taken = [];
  let before = performance.now();
  box.scrollTop = 0;
  const step = box.scrollHeight / 400;
  for (let turn = 0; turn < 400; turn++) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    taken.push(now - before);
    before = now;
    box.scrollTop += step;
  }
  return taken.slice(1);
}"""
"""Scroll through all of it in 400 frames; gives how long each took, in ms."""


def fill(socket: ClientConnection) -> None:
    """Say so many things, of many lengths, and some with marks."""
    for number in range(MESSAGES):
        text = f"message {number} " + "and more words " * (number % 12)
        if number % 7 == 0:
            text = f"**{number}** with `code`\n- one\n- two"
        frame = {"type": "chat", "text": text, "id": f"m{number}"}
        socket.send(json.dumps(frame))
        if number % 100 == 99:
            while json.loads(socket.recv()).get("id") != f"m{number}":
                pass


def look_back(page: Page) -> int:
    """Scroll up until nothing older comes; gives how many messages there are then."""
    page.evaluate(
        """async () => {
      const box = document.getElementById("scroll");
      const begun = () => document.getElementById("older").textContent.includes("beginning");
      while (!begun()) {
        box.scrollTop = 0;
        box.dispatchEvent(new Event("scroll"));
        await new Promise((done) => setTimeout(done, 20));
      }
    }"""
    )
    return page.locator("#rows > .chat").count()


def scrolling(page: Page, server: Server) -> str:
    with connect(f"ws://127.0.0.1:{server.port}/ws", max_size=None) as socket:
        socket.send(json.dumps({"type": "join", "room": "long", "username": "Ann"}))
        fill(socket)
    page.set_default_timeout(300_000)
    page.goto(f"http://127.0.0.1:{server.port}/?room=long")
    page.get_by_label("Name").fill("Bob")
    page.get_by_role("button", name="Join").click()
    page.locator("#rows > .chat").first.wait_for()
    count = look_back(page)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    taken = sorted(page.evaluate(SCROLL))
    good = sum(one < 16.8 for one in taken) / len(taken)
    slow = taken[int(len(taken) * 0.95)]
    return f"{count:,} messages: {good:.1%} of frames in time, 95 % within {slow:.1f} ms"


def crowded(page: Page, server: Server) -> str:
    members = []
    for number in range(PEOPLE):
        client = Client(server.port)
        client.say(type="join", room="crowd", username=f"person {number}")
        members.append(client)
    members[-1].until(is_type("welcome"))
    page.goto(f"http://127.0.0.1:{server.port}/?room=crowd")
    page.get_by_label("Name").fill("Bob")
    begun = time.perf_counter()
    page.get_by_role("button", name="Join").click()
    page.locator("#people li").first.wait_for()
    taken = time.perf_counter() - begun
    shown = page.locator("#count").inner_text()
    for client in members:
        client.close()
    return f"{shown} people: the list is there after {taken:.2f} s"


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Path(folder) / "chat.db"
        server = Server(store, "--rate", "0", "--crowd", "10000")
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        try:
            for measure in (scrolling, crowded):
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                print(measure(page, server), flush=True)
                page.close()
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
