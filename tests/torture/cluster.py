"""A storm over nodes with one Redis: all of them die, stand still and lose each other.

Clients come back to any node. In the end every node tells the same log and the same rosters, and
those are who is there.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from tests.redis import RedisServer, redis_server
from tests.torture.court import Court
from tests.torture.link import Link
from tests.torture.peer import Peer
from tests.torture.picture import UntrueError, check
from tests.torture.server import Victim
from tests.torture.storm import CROWD, LONG_TAIL, PATIENCE, ROOMS, Storm
from tests.torture.verdict import Log

TAILS = [(1, 1_000_000), (50, 1000), LONG_TAIL, LONG_TAIL, LONG_TAIL]
AGAIN = 0.3
"""Seconds after which is asked again for what the store could not do."""


class Cluster(Storm):
    """`nodes`: how many, and `calm`: seconds between two harms; None: as the seed says."""

    def __init__(
        self, seed: int, folder: Path, nodes: int | None = None, calm: float | None = None
    ) -> None:
        super().__init__(seed)
        dice = self.dice
        self.lease = dice.choice([1.0, 2.0])
        self.drain = dice.choice([0.0, 1.0, 2.0])
        self.flags |= {
            "crowd": dice.choice([2, CROWD, CROWD, CROWD]),
            **dict(zip(("tail-events", "tail-bytes"), dice.choice(TAILS), strict=True)),
            "lease": self.lease,
            "drain": self.drain,
            "mod-password": "hush",
        }
        self.pause = dice.choice([0.005, 0.03, 0.1])
        self.calm = calm or dice.choice([0.7, 2.0, 4.0])
        self.folder = folder
        self.size_of = nodes or dice.choice([2, 3])
        """How many nodes there are."""
        self.links: list[Link] = []
        self.nodes: list[Victim] = []
        self.stack = AsyncExitStack()
        self.court = Court(self._dice("court"), self._port_of_any)
        self.done: Counter[str] = Counter()
        self._starting = asyncio.Lock()
        """A node can only start while Redis answers."""

    # The parts

    async def begin(self) -> None:
        for number, store in enumerate(await self.open()):
            self.nodes.append(Victim(self.folder, f"node{number}", store, self.flag_list()))
        await asyncio.gather(*(node.start() for node in self.nodes))

    async def open(self) -> list[str]:
        """Start Redis; gives the store of each node."""
        self._redis = self.stack.enter_context(redis_server())
        for _ in range(self.size_of):
            link = Link(self._redis.port)
            await link.open()
            self.stack.push_async_callback(link.close)
            self.links.append(link)
        return [f"redis://127.0.0.1:{link.port}/0" for link in self.links]

    @property
    def redis(self) -> RedisServer:
        """The one that has the log."""
        return self._redis

    def victim(self, dice: random.Random) -> RedisServer:
        """The one that suffers next."""
        return self.redis

    def keeper(self, room: str) -> RedisServer:
        """The one that has what is of this room."""
        return self.redis

    def door(self, dice: random.Random) -> int:
        return dice.choice(self.nodes).port

    def late(self) -> list[Callable[[], int]]:
        return [partial(getattr, node, "port") for node in self.nodes]

    def _port_of_any(self) -> int:
        return self.door(self.court.dice)

    def meet(self, peer: Peer) -> None:
        peer.bears_failures = True
        peer.patience = peer.dice.choice([1.0, 3.0, 10.0])
        self._task(self._insist(peer))

    async def _insist(self, peer: Peer) -> None:
        """What Redis could not do is asked again, as long as it takes."""
        while True:
            await asyncio.sleep(AGAIN)
            if peer.wire is not None and not peer.wire.stalled:
                if peer.is_impatient():
                    peer.cut()
                else:
                    peer.again()

    async def put_down(self) -> None:
        for link in self.links:
            link.mend()
        for node in self.nodes:
            await node.put_down()
        await self.stack.aclose()

    def told(self) -> str:
        done = self.done + Counter({"people judged": self.court.judged})
        harm = ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
        return f"{len(self.nodes)} nodes, lease {self.lease:g} s, {harm}"

    # The harm

    async def haunt(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        await self.together(
            self._redis_suffers(self._dice("redis"), end),
            self.court.sit(end),
            self.nodes_suffer("storm", end),
            *(self._link_suffers(at, self._dice("link", at), end) for at in range(len(self.links))),
        )

    async def together(self, *doing: Coroutine[Any, Any, None]) -> None:
        async with asyncio.TaskGroup() as group:
            for one in doing:
                group.create_task(one)

    async def nodes_suffer(self, when: str, end: float) -> None:
        dice = [self._dice("node", at, when) for at in range(self.size_of)]
        await self.together(*(self._node_suffers(at, dice[at], end) for at in range(self.size_of)))

    async def _rest_until(self, dice: random.Random, calm: float, end: float) -> bool:
        """A pause; whether there is time left."""
        left = end - time.monotonic()
        await asyncio.sleep(max(0.0, min(dice.expovariate(1 / calm), left)))
        return time.monotonic() < end

    def _while(self, dice: random.Random) -> float:
        """How long a harm lasts: shorter or longer than the lease."""
        return dice.choice([0.1, 0.3, 0.5, 1.2, 1.5]) * self.lease

    async def _node_suffers(self, at: int, dice: random.Random, end: float) -> None:
        node = self.nodes[at]
        while await self._rest_until(dice, self.calm * len(self.nodes), end):
            what = dice.choice(["killed", "stopped", "stood still", "stood still"])
            self.done[f"nodes {what}"] += 1
            if what == "stood still":
                node.send(signal.SIGSTOP)
                await asyncio.sleep(self._while(dice))
                node.send(signal.SIGCONT)
                continue
            if what == "killed":
                await node.kill()
            else:
                await node.stop()
            await asyncio.sleep(self._while(dice))
            async with self._starting:
                for link in self.links[at : at + 1]:
                    link.mend()
                await node.start()

    async def _link_suffers(self, at: int, dice: random.Random, end: float) -> None:
        link = self.links[at]
        while await self._rest_until(dice, self.calm * len(self.nodes), end):
            what = dice.choice(["cut", "hung", "slow"])
            async with self._starting:
                self.done[f"links {what}"] += 1
                if what == "cut":
                    link.cut()
                elif what == "hung":
                    link.hang()
                else:
                    link.delay = dice.choice([0.01, 0.1])
            await asyncio.sleep(self._while(dice))
            link.mend()

    async def _redis_suffers(self, dice: random.Random, end: float) -> None:
        while await self._rest_until(dice, self.calm * 2, end):
            async with self._starting:
                await self.harm(self.victim(dice), dice)

    async def harm(self, redis: RedisServer, dice: random.Random) -> None:
        """Let a Redis die, or stand still, and come back."""
        what = dice.choice(["killed", "stood still"])
        self.done[f"Redis {what}"] += 1
        if what == "killed":
            redis.kill()
            await asyncio.sleep(self._while(dice))
            redis.start()
        else:
            redis.send(signal.SIGSTOP)
            await asyncio.sleep(self._while(dice))
            redis.send(signal.SIGCONT)

    # What is true then

    async def look(self) -> Log:
        await self._count()
        await self.court.uphold([node.port for node in self.nodes], PATIENCE)
        return self._log()

    def _log(self) -> Log:
        log = Log()
        for room in ROOMS:
            log.follow(self.keeper(room).client, room)
        return log

    async def _count(self) -> None:
        """Every node's list of rooms is who is there."""
        there = Counter(room for peer in self.peers for room in peer.rooms)
        deadline = time.monotonic() + PATIENCE
        async with aiohttp.ClientSession() as http:
            for node in self.nodes:
                while True:
                    async with http.get(f"http://127.0.0.1:{node.port}/api/rooms") as answer:
                        rooms = (await answer.json())["rooms"]
                    told = {one["room"]: one["users"] for one in rooms if one["room"] in ROOMS}
                    if told == there:
                        break
                    if time.monotonic() > deadline:
                        raise UntrueError(f"{node.name} counts {told}, and there are {there}")
                    await asyncio.sleep(0.1)  # counts of other nodes come now and then

    async def stop(self) -> Log:
        await self._count()
        for node in self.nodes:
            await node.stop()
        for room in ROOMS:
            here: Any = self.keeper(room).client.hkeys(f"hubbub:{{{room}}}:here")
            check(set(here) <= {b"stamp", b"version", b"order"}, "still in", room, ":", here)
        return self._log()
