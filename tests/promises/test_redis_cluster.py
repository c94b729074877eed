"""Nodes on a Redis Cluster: a replica takes over, slots move, and what moderators do holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from hubbub.store import redis_client
from tests.command import serving
from tests.nodes import Node
from tests.promises.cluster import answer, roster
from tests.promises.test_cluster import Talker, kept
from tests.redis_cluster import RedisCluster, redis_cluster

ROOM = "general"


@pytest.fixture(scope="module")
def servers() -> Iterator[RedisCluster]:
    with redis_cluster(1) as servers:
        yield servers


@pytest.fixture
def nodes(servers: RedisCluster, tmp_path: Path) -> Iterator[list[Node]]:
    servers.flush()
    flags = ["--addr", "127.0.0.1:0", "--store", servers.url, "--rate", "0"]
    flags += ["--redis-timeout", "1", "--mod-password", "hush"]
    with ExitStack() as stack:
        started = [
            stack.enter_context(serving(*flags, cwd=tmp_path, log=f"{name}.log"))
            for name in ("one", "two")
        ]
        yield [Node(server.url) for server in started]


def head(room: str) -> str:
    return redis_client.keys(room)[0]


async def test_what_a_moderator_does_holds_on_every_node_and_is_told(nodes: list[Node]) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as bob, asyncio.timeout(20):
        for room in ("general", "garden", "attic"):  # of which some are apart from the audit log
            await ann.join(room, "ann", keep=True)
            await bob.join(room, "bob", keep=True)
            await roster(ann, "ann", "bob")
        await ann.say("mod", password="hush", id="m")
        assert (await ann.until("ok"))["id"] == "m"
        for room in ("general", "garden", "attic"):
            await ann.say("mute", room=room, username="bob", reason="later", id=room)
            assert (await answer(ann, room))["type"] == "ok"
            told = await bob.until("moderated", room=room)
            assert (told["action"], told["username"]) == ("mute", "bob")
            await bob.say("chat", room=room, text="but", id=f"b {room}")
            assert (await bob.until("error"))["code"] == "muted"
        assert await one.rooms() == {"general": 2, "garden": 2, "attic": 2}


def die(servers: RedisCluster) -> None:
    servers.holder(head(ROOM)).kill()


def move(servers: RedisCluster) -> None:
    there = servers.holder(head(ROOM))
    servers.move(head(ROOM), next(one for one in servers.primaries if one is not there))


@pytest.mark.parametrize("change", [move, die])
async def test_the_nodes_go_on_and_nothing_is_lost_or_doubled(
    change: Callable[[RedisCluster], None], servers: RedisCluster, nodes: list[Node]
) -> None:
    each, people = 60, 4
    async with AsyncExitStack() as stack, asyncio.timeout(50):
        talkers = []
        for number in range(people):
            client = await stack.enter_async_context(nodes[number % 2].client())
            await client.join(ROOM, f"c{number}")
            talkers.append(Talker(client, f"c{number}", each))
        first, before = talkers[0], servers.holder(head(ROOM))

        async def change_it() -> None:
            first.goal = each // 2
            await first.reached.wait()
            await asyncio.to_thread(change, servers)

        await asyncio.gather(change_it(), *(one.talk(each * people) for one in talkers))
        assert servers.holder(head(ROOM)) is not before
        assert [frame["seq"] for frame in first.heard] == list(range(1, each * people + 1))
        for talker in talkers:
            assert talker.heard == first.heard
            await talker.client.say("ping", id="no reset")
            assert (await talker.client.hear())["id"] == "no reset"
        for node in nodes:
            assert await node.health() == (200, "ok")
            assert await node.rooms() == {ROOM: people}
        assert (await kept(first.client, "and on", "i1"))["seq"] == each * people + 1
