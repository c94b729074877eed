"""What the durable store costs: the figures of `docs/architecture.md`, one command.

`python -m bench.store [NAME …]` (all without a name) runs the real `hubbub serve` on files of its
own and prints a line a figure. The server is pinned to the first core, this client to the second.
"""

from __future__ import annotations

import os
import selectors
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.wire import MB, Client, Server, has_seq, is_type
from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.sqlite import SqliteStore


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as path:
        yield Path(path)


def fill(path: Path, events: int, rooms: int) -> None:
    """A store with so many events of 40 characters, spread over so many rooms."""
    store = SqliteStore(path, Settings(), lambda: os.urandom(8).hex())
    author = b"a" * 16
    for begin in range(0, events, 1000):
        drafts = [
            Draft(f"r{n % rooms}", author, "ann", f"message {n:032}", f"id-{n:016}", 0)
            for n in range(begin, min(events, begin + 1000))
        ]
        store.append(drafts, 1_700_000_000_000 + begin)
        store.tidy(0.0)
    store.close()


def flood() -> None:
    """1 GB said to a room with one stopped reader: the server's memory, another reader's delay."""
    total, size, window = 1 << 30, 4000, 16
    with folder() as path:
        server = Server(path / "chat.db", "--rate", "0")
        stopped, writer, reader = (
            Client(server.port, 4096),
            Client(server.port),
            Client(server.port),
        )
        for name, client in (("stopped", stopped), ("writer", writer), ("reader", reader)):
            client.say(type="join", room="general", username=name)
            if client is not stopped:
                client.until(is_type("roster"))
        before = server.memory("VmRSS")
        Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
        count, sent, heard, under_way = total // size, 0, 0, 0
        delays: list[int] = []
        rest = "x" * (size - 20)
        chooser = selectors.DefaultSelector()
        chooser.register(writer.socket, selectors.EVENT_READ)
        chooser.register(reader.socket, selectors.EVENT_READ)
        begun = time.perf_counter()
        while heard < count:
            while under_way < window and sent < count:
                writer.say(type="chat", text=f"{time.monotonic_ns():020}{rest}")
                under_way += 1
                sent += 1
            for key, _ in chooser.select():
                data = key.fileobj.recv(MB)  # type: ignore[union-attr]
                now = time.monotonic_ns()
                if key.fileobj is writer.socket:
                    under_way -= sum(map(is_type("chat"), writer.frames(data)))
                    continue
                for frame in reader.frames(data):
                    if is_type("chat")(frame):
                        at = frame.index(b'"text":"') + 8
                        delays.append(now - int(frame[at : at + 20]))
                        heard += 1
        seconds = time.perf_counter() - begun
        growth = server.memory("VmHWM") - before
        delays.sort()
        worst, most = delays[-1] / 1e6, delays[int(len(delays) * 0.999)] / 1e6
        print(
            f"flood of 1 GB beside a stopped reader, {total / seconds / MB:.0f} MB/s:"
            f" memory +{growth / MB:.1f} MB, another's delay worst {worst:.1f} ms,"
            f" p99.9 {most:.1f} ms"
        )
        begun = time.perf_counter()
        stopped.until(has_seq(count))
        seconds = time.perf_counter() - begun
        print(
            f"  the stopped reader then got all {count} in {seconds:.1f} s; memory in all"
            f" +{(server.memory('VmHWM') - before) / MB:.1f} MB"
        )
        server.stop()


def join_once(server: Server, events: int, since: int | None) -> float:
    """Seconds until a joiner has its welcome, or all since then."""
    client = Client(server.port)
    more = {} if since is None else {"since": since}
    begun = time.perf_counter()
    client.say(type="join", room="r0", username="one", **more)
    client.until(is_type("welcome") if since is None else has_seq(events))
    seconds = time.perf_counter() - begun
    client.say(type="leave", id="bye")
    client.until(is_type("left"))
    client.close()
    return seconds


def long_room() -> None:
    """A room of 1,000,000 events: a join, a resume, a whole replay."""
    events = 1_000_000
    with folder() as path:
        fill(path / "chat.db", events, 1)
        server = Server(path / "chat.db", "--rate", "0")
        for name, warm, since in (
            ("join, cold", False, None),
            ("join, warm", True, None),
            ("resume 1,000 back", False, events - 1000),
        ):
            holder = Client(server.port)
            if warm:
                holder.say(type="join", room="r0", username="warm")
                holder.until(is_type("roster"))
            times = sorted(join_once(server, events, since) for _ in range(20))
            holder.close()
            print(
                f"room of {events:,} events, {name}: median {times[10] * 1e3:.1f} ms,"
                f" worst {times[-1] * 1e3:.1f} ms"
            )
        client = Client(server.port)
        begun = time.perf_counter()
        client.say(type="join", room="r0", username="all", since=0)
        seen = 0

        def count(frame: bytes) -> bool:
            nonlocal seen
            seen += frame.startswith(b'{"type":"chat"')
            return seen == events

        client.until(count)
        seconds = time.perf_counter() - begun
        print(f"replay of {events:,} events: {events / seconds:,.0f} events/s")
        server.stop()


def many_rooms() -> None:
    """The start with 1,000,000 events in 10,000 rooms."""
    with folder() as path:
        fill(path / "chat.db", 1_000_000, 10_000)
        times = []
        for _ in range(7):
            server = Server(path / "chat.db", "--rate", "0")
            times.append(server.started_in)
            server.stop()
        times.sort()
        print(
            "start with 1,000,000 events in 10,000 rooms:"
            f" median {times[3]:.2f} s, worst {times[-1]:.2f} s"
        )


FIGURES = {"flood": flood, "long": long_room, "many": many_rooms}

if __name__ == "__main__":
    os.sched_setaffinity(0, {1})
    for name in sys.argv[1:] or FIGURES:
        FIGURES[name]()
