"""A storm over nodes whose Redis is changed for its replica, as one plans it.

Before and after the change nodes die and stand still. While it goes on they do not: a node that
comes anew in between finds rooms for which nobody has vouched yet, and has to reset them.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial

from tests.redis import RedisServer
from tests.sentinel import watched
from tests.torture.cluster import Cluster
from tests.torture.peer import Peer
from tests.torture.storm import ROOMS

PAUSE = 15_000
"""Milliseconds in which the old master takes nothing: as long as it lives on."""


class Failover(Cluster):
    async def open(self) -> list[str]:
        self._watch = self.stack.enter_context(watched())
        return [self._watch.url] * self.size_of

    @property
    def redis(self) -> RedisServer:
        return self._watch.master

    async def haunt(self, seconds: float) -> None:
        residents = [
            self._add(ROOMS, self._dice("resident", at), partial(getattr, node, "port"))
            for at, node in enumerate(self.nodes)
        ]
        end = time.monotonic() + seconds / 2
        await self.together(self.court.sit(end), self.nodes_suffer("before", end))
        await self._speak(residents, "before the change")
        before = self.redis
        await asyncio.to_thread(self._change)
        await self._until("another is master", lambda: self.redis is not before)
        await self._speak(residents, "after the change")
        self.done["failovers"] += 1
        await self.nodes_suffer("after", time.monotonic() + seconds / 2)

    def _change(self) -> None:
        """As docs/cluster.md says."""
        self.redis.client.client_pause(PAUSE, all=False)
        self._watch.sentinels[0].sentinel_failover("mymaster")

    async def _speak(self, residents: list[Peer], text: str) -> None:
        """Every node has every room open, and has kept something in it."""
        await self._until("all residents are in", lambda: all(map(_is_in, residents)))
        for resident in residents:
            for room in ROOMS:
                resident.say(room, text)
        await self._until("they spoke", lambda: all(one.is_settled for one in residents))


def _is_in(resident: Peer) -> bool:
    return resident.free() == sorted(ROOMS)
