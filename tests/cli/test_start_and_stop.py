"""The server through its command: what it prints, logs, and how it ends."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.command import Server, serving


@contextmanager
def joined(server: Server) -> Iterator[ClientConnection]:
    with connect(f"ws://{server.host}:{server.port}/ws") as client:
        client.send(json.dumps({"type": "join", "room": "garden", "username": "alice"}))
        while json.loads(client.recv(timeout=10))["type"] != "roster":
            pass
        yield client


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_tells_everyone_and_ends_well(sent: signal.Signals, tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as server, joined(server) as client:
        began = time.monotonic()
        server.process.send_signal(sent)
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == 1001
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 5


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path) as server:
        deaf = socket.create_connection((server.host, server.port))
        deaf.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in deaf.recv(1000)
        server.process.send_signal(signal.SIGTERM)
        # The goodbye (a close frame, 1001) shows that the first one was heard.
        assert deaf.recv(1000)[:1] == b"\x88"
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 1
        deaf.close()


@pytest.mark.parametrize("addr", ["127.0.0.1:0", "[::1]:0", ":0"])
def test_it_prints_where_it_listens_and_what_to_do(addr: str, tmp_path: Path) -> None:
    with serving("--addr", addr, cwd=tmp_path) as server:
        assert server.port > 0
        assert server.process.stdout is not None
        assert "two browser tabs" in server.process.stdout.readline()
        with socket.create_connection((server.host.strip("[]"), server.port), timeout=10):
            pass


def test_every_line_of_a_connection_has_its_id_and_no_line_its_words(tmp_path: Path) -> None:
    json_lines = ("--log-format", "json")
    with (
        serving("--addr", "127.0.0.1:0", *json_lines, cwd=tmp_path) as server,
        joined(server) as client,
    ):
        client.send(json.dumps({"type": "chat", "text": "a secret word"}))
        client.recv(timeout=10)
        client.send(json.dumps({"type": "leave", "id": "x"}))
        client.recv(timeout=10)
        client.close()
    log = (tmp_path / "server.log").read_text()
    assert "secret" not in log
    lines = [json.loads(line) for line in log.splitlines()]
    of_one = [line for line in lines if "conn_id" in line]
    assert len({line["conn_id"] for line in of_one}) == 1
    assert [line["event"] for line in of_one] == ["connect", "join", "leave", "disconnect"]
    assert all(line["level"] == "info" for line in of_one)
    assert of_one[1]["room"] == "garden"
    assert of_one[-1]["reason"] == "closed 1000"
    assert of_one[-1]["seconds"] >= 0


def test_two_addresses_of_one_host_get_one_port(tmp_path: Path) -> None:
    with serving("--addr", "localhost:0", cwd=tmp_path) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10):
            pass
        assert isinstance(server.process, subprocess.Popen)


def test_a_log_that_cannot_be_written_costs_nobody_the_connection(tmp_path: Path) -> None:
    with serving("--addr", "127.0.0.1:0", cwd=tmp_path, log="/dev/full") as server:
        for _ in range(200):  # more lines than a buffer hides
            with joined(server) as ann:
                ann.send('{"type":"ping"}')
                while "pong" not in str(ann.recv(timeout=10)):
                    pass
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
