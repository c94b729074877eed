"""A Redis that is there and keeps nothing: senders are told, and all goes on after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.nodes import Node
from tests.promises.test_cluster import kept
from tests.redis import RedisServer, redis_server
from tests.server import PATIENCE, house


def replica(redis: RedisServer) -> Callable[[], object]:
    redis.client.replicaof("127.0.0.1", 1)
    return lambda: redis.client.replicaof("NO", "ONE")


def full(redis: RedisServer) -> Callable[[], object]:
    redis.client.config_set("maxmemory", "1")
    return lambda: redis.client.config_set("maxmemory", "0")


def loading(redis: RedisServer) -> Callable[[], object]:
    for _ in range(200):
        redis.client.incr("other")
    redis.kill()
    slowly = ("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
    redis.start(*slowly, until="Server initialized")
    return lambda: None  # it ends by itself


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(replica, "is a replica"), (full, "maxmemory"), (loading, "is still loading its data")],
)
async def test_senders_are_told_sockets_stay_and_it_goes_on_after(
    trouble: Callable[[RedisServer], Callable[[], object]], told: str
) -> None:
    with redis_server() as redis:
        async with house(store=redis.url) as here, here.client() as ann, here.client() as bob:
            await ann.join("general", "ann")
            await bob.join("general", "bob")
            await ann.until("roster", count=2)
            await kept(ann, "before", "i1")
            await bob.until("chat")
            end = await asyncio.to_thread(trouble, redis)
            await ann.say("chat", text="again", id="i2")
            error = await ann.hear()
            assert (error["code"], error["id"]) == ("storage_unavailable", "i2")
            if "does not answer" not in error["message"]:  # the old connection, cut off
                assert told in error["message"]
            assert error["retry_after"] > 0
            assert await Node(here.url).health() == (503, "degraded")
            await bob.nothing_more()
            end()
            async with asyncio.timeout(PATIENCE):
                while error["type"] == "error":
                    await asyncio.sleep(error["retry_after"])
                    await ann.say("chat", text="again", id="i2")
                    error = await ann.hear()
            assert error["seq"] == 2
            assert (await bob.hear())["text"] == "again"
            assert await Node(here.url).health() == (200, "ok")
