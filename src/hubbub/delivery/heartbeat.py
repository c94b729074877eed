"""One wheel for all connections: each is looked at every `interval / 2` seconds.

A connection that was silent for two looks is asked (a ping); one that has given no sign of life
by the look after that is given up. A sign of life is any byte received, and any progress of what
is being sent. So a dead peer is found within one and a half intervals, for the cost of one timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection

SPOKES: Final = 16
"""The wheel's parts: a tick looks at one of them, so that looks are spread over time."""


class Heartbeat:
    """All connections of this node. `interval` is in seconds; 0 looks at none."""

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        self._loop = loop
        self._step = interval / 2 / SPOKES
        self._spokes: list[set[Connection]] = [set() for _ in range(SPOKES)]
        self._turn = 0
        self._timer: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._spokes))

    def __iter__(self) -> Iterator[Connection]:
        for spoke in self._spokes:
            yield from tuple(spoke)

    def start(self) -> None:
        """Begin to turn."""
        if self._step > 0:
            self._timer = self._loop.call_later(self._step, self._tick)

    def stop(self) -> None:
        """Turn no more."""
        if self._timer is not None:
            self._timer.cancel()

    def add(self, connection: Connection) -> None:
        """Look at this connection from now on."""
        self._spokes[connection.number % SPOKES].add(connection)

    def remove(self, connection: Connection) -> None:
        """It is gone."""
        self._spokes[connection.number % SPOKES].discard(connection)
        if self._emptied is not None and not len(self) and not self._emptied.done():
            self._emptied.set_result(None)

    async def empty(self) -> None:
        """Wait until no connection is left."""
        if len(self):
            self._emptied = self._loop.create_future()
            await self._emptied

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._step, self._tick)
        self._turn = (self._turn + 1) % SPOKES
        for connection in tuple(self._spokes[self._turn]):
            connection.beat()
