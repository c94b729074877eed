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
        self._all: list[Connection | None] = []
        """By descriptor, so that one costs eight bytes; the last part of it says on which spoke."""
        self._count = 0
        self._turn = 0
        self._timer: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Connection]:
        for connection in tuple(self._all):
            if connection is not None:
                yield connection

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
        fd = connection.fd
        if len(self._all) <= fd:
            self._all += [None] * (fd + 1 - len(self._all))
        self._all[fd] = connection
        self._count += 1

    def remove(self, connection: Connection) -> None:
        """It is gone."""
        self._count -= 1
        if self._all[connection.fd] is connection:  # else the number is another's already
            self._all[connection.fd] = None
        if self._emptied is not None and not self._count and not self._emptied.done():
            self._emptied.set_result(None)

    async def empty(self) -> None:
        """Wait until no connection is left."""
        if self._count:
            self._emptied = self._loop.create_future()
            await self._emptied

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._step, self._tick)
        self._turn = (self._turn + 1) % SPOKES
        for connection in self._all[self._turn :: SPOKES]:
            if connection is not None:
                connection.beat()
