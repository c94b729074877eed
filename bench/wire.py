"""The real server and a client that counts frames as fast as Python can, for measuring."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "hubbub"
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MB = 1 << 20


class Server:
    """A running `hubbub serve`, and how long it took to accept a connection."""

    def __init__(self, store: Path | None, *arguments: str) -> None:
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [
                *("taskset", "-c", "0", COMMAND, "serve", "--addr", "127.0.0.1:0"),
                *("--store", f"sqlite:{store}" if store else "memory:", "--log-level", "error"),
                *arguments,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        Client(self.port).close()
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

    def __init__(self, port: int, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(("127.0.0.1", port))
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
