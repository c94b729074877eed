"""What the durable store costs: the figures of `docs/architecture.md`, one command.

`python -m bench.store [NAME …]` (all without a name) runs the real `hubbub serve` on files of its
own and prints a line a figure. The server is pinned to the first core, this client to the second.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.sqlite import SqliteStore

COMMAND = Path(sys.executable).parent / "hubbub"
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MB = 1 << 20


class Server:
    """A running `hubbub serve`, and how long it took to accept a connection."""

    def __init__(self, store: Path, *arguments: str) -> None:
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [
                *("taskset", "-c", "0", COMMAND, "serve", "--addr", "127.0.0.1:0"),
                *("--store", f"sqlite:{store}", "--rate", "0", "--log-level", "error"),
                *arguments,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        Client(self).close()
        self.started_in = time.perf_counter() - begun

    def memory(self, name: str) -> int:
        """`VmRSS` (now) or `VmHWM` (the most so far), in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) * 1024

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Client:
    """A blocking socket that counts frames as fast as Python can."""

    def __init__(self, server: Server, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(HANDSHAKE)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(1)
        self.data = bytearray()

    def close(self) -> None:
        self.socket.close()

    def say(self, **frame: Any) -> None:
        self.socket.sendall(masked(frame))

    def frames(self, data: bytes) -> Iterator[bytes]:
        """The whole frames' payloads, with `data` added to what came before."""
        held = self.data
        held += data
        view, at, end = bytes(held), 0, len(held)
        while end - at >= 2:
            size, head = view[at + 1], 2
            if size == 126:
                size, head = view[at + 2] << 8 | view[at + 3] if end - at >= 4 else end, 4
            elif size == 127:
                size, head = int.from_bytes(view[at + 2 : at + 10], "big"), 10
            if end - at < head + size:
                break
            yield view[at + head : at + head + size]
            at += head + size
        del held[:at]

    def until(self, wanted: Callable[[bytes], bool]) -> None:
        done = False
        while not done:
            data = self.socket.recv(MB)
            assert data, "the server closed the connection"
            for frame in self.frames(data):
                done = done or wanted(frame)


def masked(frame: dict[str, Any]) -> bytes:
    payload = json.dumps(frame).encode()
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + payload


def is_type(kind: str) -> Callable[[bytes], bool]:
    begin = f'{{"type":"{kind}"'.encode()
    return lambda frame: frame.startswith(begin)


def has_seq(seq: int) -> Callable[[bytes], bool]:
    there = f'"seq":{seq}'.encode()
    return lambda frame: there in frame[-64:]


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
        server = Server(path / "chat.db")
        stopped, writer, reader = Client(server, 4096), Client(server), Client(server)
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
    client = Client(server)
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
        server = Server(path / "chat.db")
        for name, warm, since in (
            ("join, cold", False, None),
            ("join, warm", True, None),
            ("resume 1,000 back", False, events - 1000),
        ):
            holder = Client(server)
            if warm:
                holder.say(type="join", room="r0", username="warm")
                holder.until(is_type("roster"))
            times = sorted(join_once(server, events, since) for _ in range(20))
            holder.close()
            print(
                f"room of {events:,} events, {name}: median {times[10] * 1e3:.1f} ms,"
                f" worst {times[-1] * 1e3:.1f} ms"
            )
        client = Client(server)
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
            server = Server(path / "chat.db")
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
