"""The page comes back when the server that sends it away says."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from playwright.sync_api import WebSocketRoute, expect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.people import join, people, wake


def test_the_page_waits_as_long_as_it_is_asked_to(tabs: Tabs, server: Server) -> None:
    page = tabs.open(server.url)
    waits = page.evaluate(
        """async (reasons) => {
          const { asked } = await import("/static/model/link.js");
          return reasons.map(asked);
        }""",
        ["the server is restarting; retry_after=1.5", "retry_after=99999", "", "retry_after=x"],
    )
    assert waits == [1500, 30_000, None, None]

    sockets: list[WebSocketRoute] = []

    def hold(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket("**/ws", hold)
    page.reload()
    join(page, "ann", "garden")
    sockets[-1].close(code=1012, reason="the server is restarting; retry_after=25.0")
    expect(page.get_by_text(re.compile("Reconnecting in 2[345]"))).to_be_visible()


def test_a_page_that_was_sent_away_is_back_in_its_room(tabs: Tabs, tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", "--drain", "0.5", cwd=tmp_path) as first:
        page = tabs.open(first.url)
        join(page, "ann", "garden")
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(10) == 0
    expect(page.get_by_text("Connected")).to_be_hidden()
    assert "closed by us 1012" in (tmp_path / "server.log").read_text()
    with serving("--addr", f"127.0.0.1:{first.port}", cwd=tmp_path):
        wake(page)
        expect(page.get_by_text("Connected")).to_be_visible(timeout=20_000)
        expect(people(page)).to_have_count(1)
