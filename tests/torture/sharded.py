"""A storm over nodes whose rooms are in the three Redis of a cluster.

Each of them dies and stands still, one at a time, and rooms are moved from one to another while
people speak in them. None has a replica: the rooms of the one that is away wait for it, and the
others' go on.
"""

from __future__ import annotations

import asyncio
import random

from tests.redis import RedisServer
from tests.redis_cluster import RedisCluster, redis_cluster
from tests.torture.cluster import Cluster
from tests.torture.storm import ROOMS


class Sharded(Cluster):
    async def open(self) -> list[str]:
        some_do = ("--cluster-require-full-coverage", "no")
        self._shards: RedisCluster = self.stack.enter_context(redis_cluster(0, *some_do))
        return [self._shards.url] * self.size_of

    def victim(self, dice: random.Random) -> RedisServer:
        return dice.choice(list(self._shards.servers.values()))

    def keeper(self, room: str) -> RedisServer:
        return self._shards.holder(_key(room))

    async def harm(self, redis: RedisServer, dice: random.Random) -> None:
        await super().harm(redis, dice)
        await asyncio.to_thread(self._shards.settle)  # a node that starts, or a move, needs all
        await asyncio.to_thread(self._move, dice)

    def _move(self, dice: random.Random) -> None:
        """A room gets another keeper while it is spoken in."""
        key = _key(dice.choice(ROOMS))
        now = self._shards.holder(key)
        to = dice.choice([one for one in self._shards.servers.values() if one is not now])
        self._shards.move(key, to)
        self.done["rooms moved"] += 1


def _key(room: str) -> str:
    return f"hubbub:{{{room}}}:head"
