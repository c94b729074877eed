"""A node that is emptied (`--drain`) sends its clients elsewhere, without a loss and spread out."""

from __future__ import annotations

import asyncio
import re
import signal
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from random import random

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.http11 import Response

from hubbub.http.drain import QUIET, plan
from tests.command import serving
from tests.nodes import Node
from tests.promises.test_cluster import kept
from tests.redis import RedisServer
from tests.server import PATIENCE, Client, Frame, house

LEFT = re.compile(r"disconnect .*closed by us 1012 ")
HINT = re.compile(r"retry_after=(\d+\.\d)$")


class Person:
    """Comes back by itself as the protocol's page says, to whichever node takes it."""

    def __init__(self, name: str, nodes: list[str]) -> None:
        self.name = name
        self.nodes = nodes
        self.heard: list[Frame] = []
        self.closed: list[tuple[float, int | None]] = []
        self.refused: list[Response] = []
        self.words = f"words of {name}"
        self.settled = asyncio.Event()
        self._welcome: Frame = {}

    async def live(self, speaks: asyncio.Event, total: int) -> None:
        while len(self.heard) < total:
            socket = await self._come()
            try:
                await self._join(socket)
                await self._hear(socket, speaks, total)
            except ConnectionClosed:
                self.closed.append((asyncio.get_running_loop().time(), socket.close_code))
                hint = HINT.search(socket.close_reason or "")
                await asyncio.sleep(float(hint[1]) if hint else 0.1)
            finally:
                await socket.close()

    async def _come(self) -> ClientConnection:
        for node in self.nodes:  # as a balancer that has not looked at /health yet
            try:
                return await open_socket(node.replace("http", "ws", 1) + "/ws", compression=None)
            except InvalidStatus as problem:
                self.refused.append(problem.response)
            except (OSError, InvalidMessage):
                pass  # it is gone by now, or went before it answered
        raise AssertionError("no node takes us")

    async def _join(self, socket: ClientConnection) -> None:
        client, back = Client(socket), {}
        if self._welcome:
            back = {key: self._welcome[key] for key in ("epoch", "session")}
            back["since"] = len(self.heard)
        await client.say("join", room="general", username=self.name, **back)
        welcome = await client.until("welcome")
        assert "reset" not in welcome
        assert "gap" not in welcome
        self._welcome = welcome
        self.settled.set()

    async def _hear(self, socket: ClientConnection, speaks: asyncio.Event, total: int) -> None:
        client = Client(socket)

        async def speak() -> None:
            await speaks.wait()
            await asyncio.sleep(3 * random())
            if not any(frame["text"] == self.words for frame in self.heard):
                await client.say("chat", text=self.words, id=f"only-{self.name}")

        speaking = asyncio.create_task(speak())
        try:
            while len(self.heard) < total:
                frame = await client.hear()
                if frame["type"] == "chat" and frame["seq"] > len(self.heard):
                    self.heard.append(frame)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)


async def test_two_hundred_move_to_the_other_node_without_loss_or_herd(
    redis: RedisServer, tmp_path: Path
) -> None:
    people, seconds = 200, 4
    flags = ["--addr", "127.0.0.1:0", "--store", redis.url, "--drain", str(seconds)]
    flags += ["--crowd", "20"]  # rosters would take the tests' own time
    with (
        serving(*flags, cwd=tmp_path, log="one.log") as one,
        serving(*flags, cwd=tmp_path, log="two.log") as two,
    ):
        persons = [Person(f"c{number}", [one.url, two.url]) for number in range(people)]
        speaks = asyncio.Event()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for person in persons:
                group.create_task(person.live(speaks, people))
            for person in persons:
                await person.settled.wait()
            began = asyncio.get_running_loop().time()
            one.process.send_signal(signal.SIGTERM)
            speaks.set()
            while (seen := await Node(one.url).health()) != (503, "draining"):
                assert seen == (200, "ok")
            assert not any(person.closed for person in persons), "the balancer sees it first"
            assert await Node(two.url).health() == (200, "ok")
        assert one.process.wait(PATIENCE) == 0

    everything = persons[0].heard
    assert [frame["seq"] for frame in everything] == list(range(1, people + 1))
    assert sorted(frame["text"] for frame in everything) == sorted(one.words for one in persons)
    for person in persons:
        assert person.heard == everything
        assert [code for _, code in person.closed] == [1012]
        for refusal in person.refused:
            assert refusal.status_code == 503
            assert int(refusal.headers["Retry-After"]) > 0
            assert b'"stopping"' in refusal.body
    assert any(person.refused for person in persons)
    assert min(when for person in persons for when, _ in person.closed) >= began + QUIET * seconds
    # When they were sent away is what the node says: two hundred in one process hear it late.
    lines = (tmp_path / "one.log").read_text().splitlines()
    times = [
        datetime.fromisoformat(line.split()[0]).timestamp() for line in lines if LEFT.search(line)
    ]
    assert len(times) == sum(code == 1012 for person in persons for _, code in person.closed)
    # Evenly over three seconds, 33 in half a second; a busy machine does more at once, and a
    # herd would be all of them.
    assert max(sum(at <= when < at + 0.5 for when in times) for at in times) < 150
    assert times[-1] - times[0] > 2


def test_a_plan_is_spread_over_all_of_the_time_but_the_beginning() -> None:
    times = plan(100, 20.0, random)
    assert times == sorted(times)
    assert 5.0 <= times[0] < 5.2
    assert 19.8 < times[-1] <= 20.0
    assert max(later - sooner for sooner, later in pairwise(times)) <= 0.3
    assert plan(0, 20.0, random) == []


async def test_it_is_over_when_nobody_is_left(redis: RedisServer) -> None:
    async with AsyncExitStack() as stack, aiohttp.ClientSession() as http:
        async with house(store=redis.url, drain=300.0) as here:
            ann = await stack.enter_async_context(here.client())
            await ann.join("general", "ann")

            async def leave() -> None:
                while (await (await http.get(f"{here.url}/health")).json())["status"] == "ok":
                    pass
                await kept(ann, "all goes on", "i1")
                await ann.socket.close()

            leaving = asyncio.create_task(leave())
        await leaving  # or it would have lasted for minutes


@pytest.mark.parametrize("kind", ["memory:", "sqlite:{}/chat.db"])
async def test_one_node_alone_sends_its_clients_away_in_the_same_way(
    kind: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        async with house(store=kind.format(tmp_path), drain=0.4) as here:
            clients = [await stack.enter_async_context(here.client()) for _ in range(3)]
            await clients[0].join("general", "ann")
        for client in clients:
            code, reason = await client.closed()
            assert code == 1012
            assert HINT.search(reason or "")
