"""How the page bears much: the figures of `docs/architecture.md`. Needs Chromium.

`python -m bench.page` fills a room with 10,000 messages, looks back to its beginning and scrolls
through them with the processor slowed four times; and opens a room of 5,000 people.
"""

from __future__ import annotations

import json
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from websockets.sync.client import ClientConnection, connect

from bench.wire import Client, Server, is_type
from tests.browser import chromium_path

MESSAGES = 10_000
PEOPLE = 5_000
FRAMES = 200
PASSES = 5
"""Each over the same messages; one alone says less, since what else runs takes some frames."""
SCROLL = """async ([frames, step]) => {
  const box = document.getElementById("scroll");
  const taken = [];
  box.scrollTop = box.scrollHeight / 2;
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  let before = performance.now();
  for (let turn = 0; turn < frames; turn++) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    taken.push(now - before);
    before = now;
    box.scrollTop += step;
  }
  return taken;
}"""
"""Scroll for some frames as fast as a finger does; gives the time between them, in ms."""
STEP = 120
"""Pixels that are scrolled in a frame: 7,200 in a second."""
REFRESH = 1000 / 60
TRACED = ["devtools.timeline", "disabled-by-default-devtools.timeline"]


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


def frames(events: list[dict[str, Any]]) -> list[float]:
    """How long the page's own thread works for each frame, in ms, as a trace has it.

    The time between two frames says less: it is never below what the screen takes.
    """
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    asked = [event for event in events if event["name"] == "FireAnimationFrame"]
    ours = Counter((event["pid"], event["tid"]) for event in asked).most_common(1)[0][0]
    assert ours in mains
    tasks = [
        event
        for event in events
        if event["name"] == "RunTask"
        and "dur" in event  # the last one may have no end
        and (event["pid"], event["tid"]) == ours
    ]
    begun = sorted(event["ts"] for event in asked if (event["pid"], event["tid"]) == ours)
    work = [0.0] * len(begun)
    for task in tasks:
        # What is done before a frame's callbacks, as on its scrolling, is in the same task.
        at = bisect_right(begun, task["ts"] + task["dur"]) - 1
        if at >= 0:
            work[at] += task["dur"] / 1000
    return work[1:-1]


def scrolling(browser: Browser, page: Page, server: Server) -> str:
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
        for rate, step in ((1, STEP), (4, STEP), (4, -STEP)):
            wire.send("Emulation.setCPUThrottlingRate", {"rate": rate})
            work: list[float] = []
            taken: list[float] = []
            for _ in range(PASSES):
                browser.start_tracing(page=page, categories=TRACED)
                taken += page.evaluate(SCROLL, [FRAMES, step])
                work += frames(json.loads(browser.stop_tracing())["traceEvents"])
            work.sort()
            missed = sum(round(one / REFRESH) - 1 for one in taken if one > 1.5 * REFRESH)
            slow = work[int(len(work) * 0.95)]
            where = f"{count:,} messages, {rate} times slower, {'down' if step > 0 else 'up'}"
            good = sum(one < 16 for one in work) / len(work)
            found.append(f"{where}: {good:.0%} of frames take less than 16 ms, 95 % {slow:.1f} ms;")
            found[-1] += f" {missed} of {len(taken)} missed"
        wire.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return "\n".join(found)


def crowded(_: Browser, page: Page, server: Server) -> str:
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
                print(measure(browser, page, server), flush=True)
                page.close()
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
