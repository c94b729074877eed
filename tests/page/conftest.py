"""A real browser, and pages that may neither fail, nor warn, nor ask another host."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser import chromium_path
from tests.command import Server, serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not longer than these tests: playwright's loop runs meanwhile, and others need their own.
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as running:
        yield running


class Tabs:
    """Tabs of people who do not share a browser. `wrong` is what went wrong in any of them."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.wrong: list[str] = []
        self.hosts: set[str] = set()
        self.contexts: list[BrowserContext] = []

    def open(self, url: str, **options: Any) -> Page:
        context = self.browser.new_context(**options)
        self.contexts.append(context)
        return self.watch(context.new_page(), url)

    def watch(self, page: Page, url: str) -> Page:
        page.set_default_timeout(10_000)
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        page.goto(url)
        return page

    def hear(self, message: ConsoleMessage) -> None:
        # A lost connection is reported by the browser itself, whatever the page does; and so is
        # the refusal that the page asks for, to tell people why they cannot come in.
        lost = "WebSocket connection" in message.text or "ERR_CONNECTION_" in message.text
        refused = message.location.get("url", "").endswith("/api/session")
        if message.type in {"error", "warning"} and not lost and not refused:
            self.wrong.append(message.text)


@pytest.fixture
def tabs(browser: Browser, server: Server) -> Iterator[Tabs]:
    opened = Tabs(browser)
    yield opened
    for context in opened.contexts:
        context.close()
    assert not opened.wrong
    assert {host.rpartition(":")[0] for host in opened.hosts} == {"127.0.0.1"}
