"""People who come and go at random, whatever happens: in the end each roster is who is there."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from random import Random

import pytest

from tests.promises.cluster import LEASE, Cluster, cluster, may_bury
from tests.server import Client, Frame

__all__ = ["cluster"]

SEED = int(os.environ.get("SEED", "0"))


class Wanderer:
    """Comes and goes at random, and knows where it is."""

    def __init__(self, client: Client, name: str, dice: Random) -> None:
        self.client, self.name, self.dice = client, name, dice
        self.where: dict[str, str] = {}
        self.halfway = asyncio.Event()

    async def answer(self, id: str) -> Frame:
        while (frame := await self.client.hear()).get("id") != id:
            if frame["type"] == "error":  # it was put out, because someone else had the name
                assert frame["code"] == "name_taken"
                self.where.pop(frame["room"], None)
        return frame

    async def wander(self, steps: int) -> None:
        for step in range(steps):
            if step == steps // 2:
                self.halfway.set()
            room = self.dice.choice(["red", "blue"])
            if self.where and self.dice.random() < 0.3:
                await self.client.say("leave", id=str(step))
                await self.answer(str(step))
                self.where.clear()
                continue
            name = self.dice.choice([self.name, "anyone", "Anyone", f"{self.name}!"])
            keep = self.dice.random() < 0.5
            await self.client.say("join", room=room, username=name, keep=keep, id=str(step))
            came = await self.answer(str(step))
            if came["type"] == "welcome":
                self.where = {**(self.where if keep else {}), room: name}
            elif came["code"] == "storage_unavailable":
                await asyncio.sleep(0.1)
            else:
                assert came["code"] == "name_taken"


@pytest.mark.parametrize("trouble", ["none", "restart", "flush", "stop", "node"])
async def test_every_roster_is_who_is_there_in_the_end(cluster: Cluster, trouble: str) -> None:
    nodes = [cluster.node() for _ in range(3)]
    redis = cluster.redis
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(nodes[n % 3].client()) for n in range(18)]
        people = [
            Wanderer(client, f"c{number}", Random(SEED + number))
            for number, client in enumerate(clients)
        ]
        first = people[0]
        if trouble == "node":
            await may_bury()
        wandering = asyncio.gather(*(one.wander(40) for one in people))
        await first.halfway.wait()
        if trouble == "restart":
            redis.kill()
            redis.start()
        elif trouble == "flush":
            redis.client.flushall()
        elif trouble == "stop":
            redis.send(signal.SIGSTOP)
            await asyncio.sleep(1)
            redis.send(signal.SIGCONT)
        elif trouble == "node":
            nodes[1].send(signal.SIGSTOP)
            await asyncio.sleep(LEASE + 2)
            nodes[1].send(signal.SIGCONT)
        await wandering

        async def agree() -> bool:
            for room in ("red", "blue"):
                there = sorted(one.where[room] for one in people if room in one.where)
                told = []
                for one in people:
                    if room in one.where:
                        fields = {"room": room, "username": one.where[room], "keep": True}
                        await one.client.say("join", **fields, id="look")
                        told.append((await one.answer("look")).get("users", []))
                if any(sorted(users) != there or users != told[0] for users in told):
                    return False
            return True

        async with asyncio.timeout(30):
            while not await agree():
                pass
