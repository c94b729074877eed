"""What was written is sent, once and in order, whatever happens to the server and the tab."""

import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.command import Server, serving
from tests.page.conftest import Tabs
from tests.page.front import only_the_page
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

PACE = ("--rate", "0")


def write(page: Page, texts: list[str]) -> None:
    box = page.get_by_label("Message")
    for text in texts:
        box.fill(text)
        box.press("Enter")


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait()


def numbered(name: str, first: int, count: int) -> list[str]:
    return [f"{name} {number}" for number in range(first, first + count)]


def expect_all_sent(page: Page) -> None:
    expect(page.locator("#pending li")).to_have_count(0, timeout=20_000)
    wait_for_letters(page, 0)


def test_nothing_is_lost_or_doubled_when_the_server_is_killed_while_both_write(
    tabs: Tabs, tmp_path: Path
) -> None:
    with serving(*STORE, *PACE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(ann, "Ann", "garden")
        join(bob, "Bob", "garden")
        for at in range(0, 12, 3):
            write(ann, numbered("Ann", at, 3))
            write(bob, numbered("Bob", at, 3))
        # What is under way when it is killed has been sent, and is not answered.
        server.process.send_signal(signal.SIGSTOP)
        write(ann, ["Ann 12"])
        write(bob, ["Bob 12"])
        wait_for_letters(ann, 1)
        kill(server)
    write(ann, numbered("Ann", 13, 2))
    write(bob, numbered("Bob", 13, 2))
    address = ("--addr", f"127.0.0.1:{server.port}", "--store", "sqlite:chat.db")
    with serving(*address, *PACE, cwd=tmp_path):
        write(ann, numbered("Ann", 15, 3))
        wake(ann)
        wake(bob)
        write(bob, numbered("Bob", 15, 3))
        for page in (ann, bob):
            expect(texts(page)).to_have_count(36, timeout=30_000)
            expect_all_sent(page)
        assert lines(ann) == lines(bob)
        for name in ("Ann", "Bob"):
            assert [line for line in lines(ann) if line.startswith(name)] == numbered(name, 0, 18)


def test_a_reload_while_the_server_is_away_sends_once_and_in_order(
    tabs: Tabs, tmp_path: Path
) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(bob, "Bob", "garden")
        join(ann, "Ann", "garden")
        say(bob, "hello Ann")
        expect(texts(ann)).to_have_count(1)
        wait_for_position(ann, "position.seq === 1")
        kill(server)
    write(ann, ["one", "two"])
    wait_for_letters(ann, 2)
    with only_the_page(server.port):
        ann.reload()
        expect(texts(ann)).to_have_count(1)
        expect(texts(ann)).to_contain_text("hello Ann")
        expect(ann.locator("#pending li")).to_have_count(2)
        write(ann, ["three"])
        wait_for_letters(ann, 3)
        ann.reload()
        expect(ann.locator("#pending .text")).to_have_text(["one", "two", "three"])
    address = ("--addr", f"127.0.0.1:{server.port}", "--store", "sqlite:chat.db")
    with serving(*address, cwd=tmp_path):
        wake(ann)
        wake(bob)
        for page in (ann, bob):
            expect(texts(page)).to_have_count(4, timeout=20_000)
            assert lines(page) == ["hello Ann", "one", "two", "three"]
        expect_all_sent(ann)
        expect(ann.locator(".mine")).to_have_count(3)


def test_a_new_tab_sends_what_a_closed_one_left(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(bob, "Bob", "garden")
        join(ann, "Ann", "garden")
        kill(server)
    write(ann, ["one", "two"])
    wait_for_letters(ann, 2)
    context = ann.context
    ann.close()
    address = ("--addr", f"127.0.0.1:{server.port}", "--store", "sqlite:chat.db")
    with serving(*address, cwd=tmp_path) as again:
        wake(bob)
        expect(bob.get_by_text("Connected")).to_be_visible(timeout=20_000)
        other = tabs.watch(context.new_page(), again.url)
        join(other, "Anna", "garden")
        say(other, "not what Ann wrote")
        expect(texts(bob)).to_have_count(1)
        new = tabs.watch(context.new_page(), again.url)
        join(new, "Ann", "garden")
        expect(texts(bob)).to_have_count(3)
        assert lines(bob) == ["not what Ann wrote", "one", "two"]
        expect(new.locator(".mine")).to_have_count(2)
        expect(other.locator(".mine")).to_have_count(1)
        expect_all_sent(new)


def test_a_duplicated_tab_does_not_send_the_same_again(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(bob, "Bob", "garden")
        join(ann, "Ann", "garden")
        # A window that a page opens has a copy of its sessionStorage, as a duplicated tab has.
        with ann.expect_popup() as opened:
            ann.evaluate("void (window.twin = open(location.href))")
        twin = opened.value
        expect(twin.get_by_role("button", name="Join")).to_be_visible()
        assert twin.evaluate("sessionStorage['hubbub.session']") == ann.evaluate(
            "sessionStorage['hubbub.session']"
        )
        kill(server)
    write(ann, ["one", "two"])
    wait_for_letters(ann, 2)
    with only_the_page(server.port):
        twin.reload()
        expect(twin.locator("#pending .text")).to_have_text(["one", "two"])
    write(twin, ["three"])
    wait_for_letters(twin, 3)
    held = "navigator.locks.query().then(({ held, pending }) => [held.length, pending.length])"
    assert twin.evaluate(held) == [1, 1], "one has the queue, one waits for it"
    address = ("--addr", f"127.0.0.1:{server.port}", "--store", "sqlite:chat.db")
    with serving(*address, cwd=tmp_path):
        wake(bob)
        wake(ann)
        wake(twin)
        expect(texts(bob)).to_have_count(3, timeout=20_000)
        assert lines(bob) == ["one", "two", "three"]
        ann.wait_for_function(
            """() => [window, twin].some((one) => {
              try {
                return !one.document.getElementById("stopped").hidden;
              } catch {
                return false;  // a window that is still being shown anew has no document for us
              }
            })"""
        )
        left = twin if ann.locator("#stopped").is_visible() else ann
        expect(left.get_by_text("Connected")).to_be_visible(timeout=20_000)
        expect_all_sent(left)
        say(left, "four")
        expect(texts(bob)).to_have_count(4)


WITHOUT = {
    "locks": "Object.defineProperty(navigator, 'locks', { value: undefined })",
    "indexedDB": "Object.defineProperty(window, 'indexedDB', { value: undefined })",
    "leave to use indexedDB": """Object.defineProperty(window, 'indexedDB', {
        get() { throw new DOMException('forbidden', 'SecurityError') } })""",
    "an answer of indexedDB": "IDBFactory.prototype.open = () => ({})",
}


@pytest.mark.parametrize("lacking", WITHOUT)
def test_a_browser_that_lacks_something_still_sends_once(
    tabs: Tabs, tmp_path: Path, lacking: str
) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        ann.add_init_script(WITHOUT[lacking])
        ann.reload()
        join(bob, "Bob", "garden")
        join(ann, "Ann", "garden")
        say(ann, "zero")
        expect(texts(bob)).to_have_count(1)
        expect(ann.locator("#pending li")).to_have_count(0)  # it knows, too
        kill(server)
    write(ann, ["one", "two"])
    expect(ann.locator("#pending li")).to_have_count(2)
    if lacking == "locks":
        wait_for_letters(ann, 2)
        with only_the_page(server.port):
            ann.reload()
            expect(ann.locator("#pending li")).to_have_count(2)
    address = ("--addr", f"127.0.0.1:{server.port}", "--store", "sqlite:chat.db")
    with serving(*address, cwd=tmp_path):
        wake(ann)
        wake(bob)
        for page in (ann, bob):
            expect(texts(page)).to_have_count(3, timeout=20_000)
            assert lines(page) == ["zero", "one", "two"]
        expect(ann.locator("#pending li")).to_have_count(0)
        ann.reload()
        expect(texts(ann)).to_have_count(3)
        say(ann, "three")
        expect(texts(bob)).to_have_count(4)


def test_a_lease_is_had_by_one_tab_and_ends_with_it(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann = tabs.open(server.url)
        ann.context.add_init_script(WITHOUT["locks"])
        ann.reload()
        join(ann, "Ann", "garden")
        say(ann, "zero")
        expect(texts(ann)).to_have_count(1)
        other = tabs.watch(ann.context.new_page(), server.url)
        lock = """async (session) => {
          const { lockOf } = await import("/static/store/lock.js");
          window.lock = await lockOf(JSON.stringify(["garden", session]));
          return lock.attempt();
        }"""
        session = ann.evaluate("sessionStorage['hubbub.session']")
        assert other.evaluate(lock, session) is False
        other.evaluate("() => void lock.wait(() => (window.has = lock.held))")
        # Sooner than the lease would end: on plain http a reload must not have to wait for that.
        ann.goto("about:blank")
        other.wait_for_function("() => window.has", timeout=3000)
        assert other.evaluate("lock.held")


def test_the_lease_of_a_crashed_tab_ends_by_itself(tabs: Tabs, server: Server) -> None:
    ann = tabs.open(server.url)
    ann.context.add_init_script(WITHOUT["locks"])
    ann.reload()
    join(ann, "Ann", "garden")
    wait_for_position(ann, "true")
    taken = ann.evaluate(
        """() => new Promise((done) => {
          indexedDB.open("hubbub /").onsuccess = ({ target }) => {
            const leases = target.result.transaction("leases", "readwrite").objectStore("leases");
            const lease = { name: "gone", owner: "who crashed", until: Date.now() + 2000 };
            leases.put(lease).onsuccess = async () => {
              const { lockOf } = await import("/static/store/lock.js");
              const lock = await lockOf("gone");
              const first = await lock.attempt();
              lock.wait(() => done([first, Date.now() >= lease.until, lock.held]));
            };
          };
        })"""
    )
    assert taken == [False, True, True]


def test_an_edit_made_while_the_server_is_away_is_sent_later(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        join(bob, "Bob", "garden")
        join(ann, "Ann", "garden")
        write(ann, ["one", "two"])
        expect(ann.locator(".mine")).to_have_count(2)
        wait_for_position(ann, "position.own.length === 2")
        kill(server)
    ann.get_by_label("Message").press("ArrowUp")
    write(ann, ["zwei"])
    expect(texts(ann).nth(1)).to_contain_text("zwei")
    expect(log(ann)).to_contain_text("This change waits to be sent")
    first = ann.locator(".mine").first
    first.hover()
    first.get_by_role("button", name="Delete").click()
    first.get_by_role("button", name="Delete").click()
    expect(texts(ann).first).to_contain_text("Message deleted")
    wait_for_letters(ann, 2)
    with only_the_page(server.port):
        ann.reload()
        expect(texts(ann).nth(1)).to_contain_text("zwei")
        expect(texts(ann).first).to_contain_text("Message deleted")
    address = ("--addr", f"127.0.0.1:{server.port}", "--store", "sqlite:chat.db")
    with serving(*address, cwd=tmp_path):
        wake(bob)
        wake(ann)
        expect(texts(bob).nth(1)).to_contain_text("zwei", timeout=20_000)
        expect(texts(bob).first).to_contain_text("Message deleted")
        expect(ann.locator(".waiting")).to_have_count(0)
        expect_all_sent(ann)
        expect(bob.locator(".edited")).to_have_count(1)


def test_a_store_that_fails_is_said_in_words_and_waited_for(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann = tabs.open(server.url)
        join(ann, "Ann", "garden")
        say(ann, "zero")
        expect(texts(ann)).to_have_count(1)
        away = tmp_path / "away"
        away.mkdir()
        files = [path.name for path in tmp_path.glob("chat.db*")]
        for name in files:
            (tmp_path / name).rename(away / name)
        write(ann, ["one", "two"])
        expect(ann.get_by_text("The server cannot save messages at the moment")).to_be_visible()
        expect(ann.locator("#pending .waiting")).to_have_count(2)
        for name in files:
            (away / name).rename(tmp_path / name)
        expect(texts(ann)).to_have_count(3, timeout=30_000)
        assert lines(ann) == ["zero", "one", "two"]
        expect(ann.locator("#note")).to_have_text("")


def test_what_was_published_and_not_answered_is_not_doubled(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann, bob = tabs.open(server.url), tabs.open(server.url)
        lost: list[str] = []

        def between(socket: WebSocketRoute) -> None:
            upstream = socket.connect_to_server()

            def pass_on(message: str | bytes) -> None:
                if "answered never" in str(message) and not lost:
                    lost.append(str(message))
                    socket.close()
                else:
                    socket.send(message)

            upstream.on_message(pass_on)

        ann.route_web_socket(f"{server.url.replace('http', 'ws')}/ws", between)
        ann.reload()
        join(bob, "Bob", "garden")
        join(ann, "Ann", "garden")
        write(ann, ["answered never", "and then"])
        for page in (ann, bob):
            expect(texts(page)).to_have_count(2, timeout=20_000)
            assert lines(page) == ["answered never", "and then"]
        assert lost
        expect(ann.locator(".mine")).to_have_count(2)
        expect_all_sent(ann)


def test_letters_of_a_living_tab_are_its_own(tabs: Tabs, tmp_path: Path) -> None:
    with serving(*STORE, cwd=tmp_path) as server:
        ann = tabs.open(server.url)
        join(ann, "Ann", "garden")
        kill(server)
    write(ann, ["one"])
    wait_for_letters(ann, 1)
    with only_the_page(server.port):
        other = tabs.watch(ann.context.new_page(), server.url)
        adopt = """async () => {
          const { deskFor } = await import("/static/store/desk.js");
          return (await deskFor("garden", "", "Ann", () => true))?.session ?? null;
        }"""
        session = ann.evaluate("sessionStorage['hubbub.session']")
        assert other.evaluate(adopt) is None
        ann.close()
        # The browser lets go of a closed tab's lock in its own time.
        again = f"""async () => {{
          for (;;) {{
            const found = await ({adopt})();
            if (found) return found;
          }}
        }}"""
        assert other.evaluate(again) == session
