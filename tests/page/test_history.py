"""Looking back, and what the page shows of what is gone."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.command import serving
from tests.page.conftest import Tabs
from tests.page.people import STORE, join, log, texts


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
        said = [text.split("\n")[0] for text in texts(ann).all_text_contents()]
        assert [
            text.split("line ")[1].split(" ")[0][: len(str(at))] for at, text in enumerate(said)
        ] == [str(number) for number in range(230)]
        expect(ann.locator("#rows .day")).to_have_count(1)
        expect(ann.locator("#rows .by")).to_have_count(1)
        heard = ann.locator("#rows > li:not([aria-live=off])")
        expect(heard).to_have_count(0)
