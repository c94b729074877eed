"""`hubbub serve --workers N`: several processes on one port are one chat."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from hubbub.http.workers import MOST, backoff
from tests.command import COMMAND, Server, environment, hubbub, serving, told
from tests.redis import RedisServer, free_port
from tests.server import PATIENCE

Line = dict[str, Any]


class Workers:
    """A server of some workers, and what it logs."""

    def __init__(self, server: Server, log: Path) -> None:
        self.server = server
        self._log = log

    def lines(self, event: str, **fields: Any) -> list[Line]:
        text = self._log.read_text()
        lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [
            line
            for line in lines
            if line["event"] == event and all(line.get(k) == v for k, v in fields.items())
        ]

    def until(self, event: str, count: int = 1, **fields: Any) -> list[Line]:
        """Wait for so many lines."""
        end = time.monotonic() + PATIENCE
        while len(found := self.lines(event, **fields)) < count:
            assert time.monotonic() < end, f"no {event}: {self._log.read_text()}"
            time.sleep(0.01)
        return found

    def joined(self, stack: ExitStack, name: str) -> tuple[ClientConnection, int]:
        """A client in the room, and the worker that it came to."""
        before = len(self.lines("connect"))
        # What nobody reads must not keep it from hearing the answer to its goodbye.
        where = f"ws://127.0.0.1:{self.server.port}/ws"
        client = stack.enter_context(connect(where, max_queue=None))
        say(client, type="join", room="general", username=name)
        until(client, "roster")
        return client, self.until("connect", before + 1)[-1]["worker"]

    def of_each(self, stack: ExitStack) -> dict[int, ClientConnection]:
        """A client of each worker: the kernel chooses, so some more may come."""
        found: dict[int, ClientConnection] = {}
        for number in range(200):
            client, worker = self.joined(stack, f"c{number}")
            found.setdefault(worker, client)
            if len(found) == len(self.lines("worker starts")):
                return found
        raise AssertionError("some worker gets no connections")


def say(client: ClientConnection, **frame: Any) -> None:
    client.send(json.dumps(frame))


def until(client: ClientConnection, kind: str, **fields: Any) -> Line:
    while True:
        frame: Line = json.loads(client.recv(timeout=PATIENCE))
        if frame["type"] == kind and all(frame.get(k) == v for k, v in fields.items()):
            return frame


@contextmanager
def workers(redis: RedisServer, folder: Path, count: int, *more: str) -> Iterator[Workers]:
    redis.client.flushall()
    flags = ["--addr", "127.0.0.1:0", "--store", redis.url, "--workers", str(count)]
    with serving(*flags, "--log-format", "json", *more, cwd=folder) as server:
        yield Workers(server, folder / "server.log")


def test_all_workers_share_a_port_and_are_one_chat(redis: RedisServer, tmp_path: Path) -> None:
    with workers(redis, tmp_path, 3) as here, ExitStack() as stack:
        clients = here.of_each(stack)
        assert sorted(clients) == [1, 2, 3]
        for number, client in clients.items():
            say(client, type="chat", text=f"from {number}", id=f"i{number}")
        for client in clients.values():
            heard = [until(client, "chat") for _ in clients]
            assert [frame["seq"] for frame in heard] == [1, 2, 3]
        assert here.server.process.stdout is not None
        assert "two browser tabs" in here.server.process.stdout.readline()
        assert "is kept in redis://" in here.server.process.stdout.readline()


def test_a_worker_that_dies_comes_back_and_the_others_stay(
    redis: RedisServer, tmp_path: Path
) -> None:
    with workers(redis, tmp_path, 2) as here, ExitStack() as stack:
        clients = here.of_each(stack)
        first = here.lines("worker serves", worker=1)[0]["pid"]
        os.kill(first, signal.SIGKILL)
        (died,) = here.until("worker died")
        assert (died["worker"], died["pid"], died["status"]) == (1, first, -signal.SIGKILL)
        again = here.until("worker serves", 2, worker=1)[1]
        assert again["pid"] != first
        say(clients[2], type="chat", text="still here", id="i1")
        until(clients[2], "chat", id="i1")
        while True:
            client, worker = here.joined(stack, f"again {time.monotonic()}")
            if worker == 1:
                break
        say(client, type="chat", text="again")
        until(clients[2], "chat", text="again")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_goes_on_to_all_and_ends_well(
    sent: signal.Signals, redis: RedisServer, tmp_path: Path
) -> None:
    with workers(redis, tmp_path, 2) as here, ExitStack() as stack:
        clients = here.of_each(stack)
        here.server.process.send_signal(sent)
        assert here.server.process.wait(PATIENCE) == 0
        for client in clients.values():
            with pytest.raises(Exception, match="1001"):
                until(client, "never")
        assert [line["status"] for line in here.lines("worker stopped")] == [0, 0]
        assert len(here.lines("stopped")) == 2


def test_workers_whose_parent_is_gone_stop(redis: RedisServer, tmp_path: Path) -> None:
    with workers(redis, tmp_path, 2) as here:
        here.server.process.kill()
        here.until("stopped", 2)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", here.server.port)).close()
            except ConnectionRefusedError:
                break
            assert time.monotonic() < end, "someone listens still"


def test_a_port_that_others_have_is_told(redis: RedisServer, tmp_path: Path) -> None:
    with workers(redis, tmp_path, 2) as here:
        addr = f"127.0.0.1:{here.server.port}"
        flags = ["--addr", addr, "--store", redis.url, "--workers", "2"]
        assert told("serve", *flags, cwd=tmp_path).startswith(f"{addr} is in use by another")


def test_what_keeps_workers_from_starting_is_told(tmp_path: Path) -> None:
    where = f"redis://127.0.0.1:{free_port()}/0"
    flags = ["--addr", "127.0.0.1:0", "--store", where, "--workers", "2"]
    done = hubbub("serve", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"hubbub: {where} cannot be used (Redis does not answer); see docs/")


def test_stores_of_one_process_are_refused_with_what_to_use(tmp_path: Path) -> None:
    for store in ("memory:", "sqlite:chat.db"):
        line = told("serve", "--workers", "4", "--store", store, cwd=tmp_path)
        assert line == (
            f"--workers is 4, and a store of the kind {store.partition(':')[0]}: is for one process"
            " alone; give --store redis://HOST:6379/0 (docs/cluster.md), or 1 worker"
        )


def test_ctrl_c_in_a_terminal_is_heard_once(redis: RedisServer, tmp_path: Path) -> None:
    """The terminal sends it to the whole group of processes; twice would mean at once."""
    flags = ["--addr", "127.0.0.1:0", "--store", redis.url, "--workers", "2", "--drain", "1"]
    with subprocess.Popen(
        [COMMAND, "serve", *flags],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().strip().rpartition(":")[2])
        with connect(f"ws://127.0.0.1:{port}/ws") as client:
            os.killpg(process.pid, signal.SIGINT)
            with pytest.raises(Exception, match="1012"):
                client.recv(timeout=PATIENCE)
        assert process.wait(PATIENCE) == 0


def test_who_dies_again_and_again_comes_back_later_each_time() -> None:
    waits = [backoff(deaths) for deaths in range(1, 30)]
    assert waits[:3] == [0.5, 1.0, 2.0]
    assert waits == sorted(waits)
    assert waits[-1] == MOST
