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
  box.scrollTop = box.scrollHeight / 2;
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  let before = performance.now();
  for (let turn = 0; turn < 200; turn++) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    taken.push(now - before);
    before = now;
    box.scrollTop += 120;
  }
  return taken.slice(1);
}"""
"""Scroll for 200 frames as fast as a finger does; gives how long each took, in ms."""


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


def look_back(page: Page, most: int) -> int:
    """Scroll up until there are so many messages or none older; gives how many there are then."""
    page.evaluate(
        """async (least) => {
      const box = document.getElementById("scroll");
      const rows = document.getElementById("rows");
      const begun = () => document.getElementById("older").textContent.includes("beginning");
      const oldest = () => Number(rows.querySelector(".chat").dataset.seq);
      while (!begun() && oldest() > least) {
        box.scrollTop = 0;
        box.dispatchEvent(new Event("scroll"));
        await new Promise((done) => setTimeout(done, 20));
      }
    }""",
        MESSAGES - most,
    )
    return MESSAGES + 1 - int(page.locator("#rows > .chat").first.get_attribute("data-seq") or 0)


def scrolling(page: Page, server: Server) -> str:
    with connect(f"ws://127.0.0.1:{server.port}/ws", max_size=None) as socket:
        socket.send(json.dumps({"type": "join", "room": "long", "username": "Ann"}))
        fill(socket)
    page.set_default_timeout(300_000)
    page.goto(f"http://127.0.0.1:{server.port}/?room=long")
    page.get_by_label("Name").fill("Bob")
    page.get_by_role("button", name="Join").click()
    page.locator("#rows > .chat").first.wait_for()
    wire = page.context.new_cdp_session(page)
    found = []
    for most in (1500, MESSAGES):
        count = look_back(page, most)
        for rate in (1, 4):
            wire.send("Emulation.setCPUThrottlingRate", {"rate": rate})
            taken = sorted(page.evaluate(SCROLL))
            good = sum(one < 17 for one in taken) / len(taken)
            slow = taken[int(len(taken) * 0.95)]
            found.append(f"{count:,} messages, {rate} times slower: {good:.0%} of frames in time")
            found[-1] += f", 95 % within {slow:.0f} ms"
        wire.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return "\n".join(found)


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
