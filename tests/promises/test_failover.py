"""Another Redis becomes master, by Sentinel: the nodes go on there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from tests.command import serving
from tests.nodes import Node
from tests.promises.test_cluster import Talker, kept
from tests.redis import free_port
from tests.sentinel import Watch, watched


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watched() as watch:
        yield watch


@pytest.fixture
def nodes(watch: Watch, tmp_path: Path) -> Iterator[list[Node]]:
    flags = ["--addr", "127.0.0.1:0", "--store", watch.url, "--rate", "0"]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving(*flags, cwd=tmp_path, log=f"{name}.log"))
            for name in ("one", "two")
        ]
        yield [Node(server.url) for server in servers]


def plan(watch: Watch) -> None:
    """Change the master as docs/cluster.md says."""
    watch.master.client.client_pause(15_000, all=False)
    watch.sentinels[0].sentinel_failover("mymaster")


def die(watch: Watch) -> None:
    watch.master.kill()


@pytest.mark.parametrize("change", [plan, die])
async def test_the_nodes_go_on_and_nothing_is_lost_or_doubled(
    change: Callable[[Watch], None], watch: Watch, nodes: list[Node]
) -> None:
    each, people = 60, 4
    async with AsyncExitStack() as stack, asyncio.timeout(50):
        talkers = []
        for number in range(people):
            client = await stack.enter_async_context(nodes[number % 2].client())
            await client.join("general", f"c{number}")
            talkers.append(Talker(client, f"c{number}", each))
        first, before = talkers[0], watch.master

        async def change_it() -> None:
            first.goal = each // 2
            await first.reached.wait()
            await asyncio.to_thread(change, watch)

        await asyncio.gather(change_it(), *(one.talk(each * people) for one in talkers))
        assert watch.master is not before
        assert [frame["seq"] for frame in first.heard] == list(range(1, each * people + 1))
        for talker in talkers:
            assert talker.heard == first.heard
            await talker.client.say("ping", id="no reset")
            assert (await talker.client.hear())["id"] == "no reset"
        for node in nodes:
            assert await node.health() == (200, "ok")


async def test_a_replica_that_lagged_is_told_to_everyone(watch: Watch, nodes: list[Node]) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as bob:
        await ann.join("general", "ann")
        epoch = (await bob.join("general", "bob"))["epoch"]
        await kept(ann, "stays", "i1")
        await bob.until("chat")
        assert watch.master.client.wait(1, 5000) == 1
        watch.replica.client.replicaof("127.0.0.1", free_port())
        await kept(ann, "will be lost", "i2")
        await bob.until("chat", seq=2)
        watch.master.kill()
        for member in (ann, bob):
            async with asyncio.timeout(20):
                again = await member.until("welcome")
            assert again["reset"] is True
            assert again["epoch"] != epoch
            assert (await member.until("chat"))["text"] == "stays"
        assert (await kept(bob, "go on", "i3"))["seq"] == 2
        assert (await ann.until("chat"))["text"] == "go on"
