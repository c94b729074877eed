"""Nodes of a test's own, on a Redis of their own, with a short lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hubbub.delivery.presence import SLACK
from tests.nodes import Node, started
from tests.redis import RedisServer, redis_server
from tests.server import PATIENCE, Client, Frame
from tests.torture.link import Link

LEASE = 2.0


class Cluster:
    """Nodes of a test's own, with a short lease."""

    def __init__(self, stack: ExitStack, redis: RedisServer, folder: Path) -> None:
        self.redis = redis
        self.nodes: list[Node] = []
        self._stack, self._folder = stack, folder

    def node(self, link: Link | None = None) -> Node:
        """One more; with `link`, it reaches Redis through that."""
        name = str(len(self.nodes))
        node = started(link or self.redis, self._folder, name, "--lease", str(LEASE))
        self.nodes.append(self._stack.enter_context(node))
        return self.nodes[-1]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server())
        yield Cluster(stack, redis, tmp_path)


async def until(found: Callable[[], Any]) -> None:
    """Wait for what can only be looked at."""
    async with asyncio.timeout(PATIENCE + LEASE + SLACK):
        while not found():  # noqa: ASYNC110 - it is another process that changes it
            await asyncio.sleep(0.05)


async def has_nodes(node: Node, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await node.get("/health"))[1].get("nodes") != count:
            pass


async def quiet(client: Client) -> None:
    """Nothing has come since what was read."""
    await client.say("ping", id="still")
    heard = [await client.hear()]
    while heard[-1] != {"type": "pong", "id": "still"}:
        heard.append(await client.hear())
    assert heard[:-1] == []


async def may_bury() -> None:
    """Nodes that have just started take nobody for dead."""
    await asyncio.sleep(LEASE + SLACK + 1)


async def roster(client: Client, *users: str) -> None:
    """Wait until the roster is this."""
    while (await client.until("roster"))["users"] != list(users):
        pass


async def answer(client: Client, id: str) -> Frame:
    """The answer of this id; all else is passed over."""
    while (frame := await client.hear()).get("id") != id:
        pass
    return frame
