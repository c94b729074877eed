"""Tokens end: one timer for all sockets whose token does, set for the first that will."""

from __future__ import annotations

import asyncio
import time
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

from hubbub.protocol.codes import EXPIRED

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection

LONGEST: Final = 3600.0
"""Seconds after which the clock is looked at again, at the latest: it may have been set."""

SPARE: Final = 64
"""Ends that hold no more and are kept at most, beside as many as hold."""


class Expiry:
    """Closes sockets when their token has ended (4401), unless a new one was shown meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ends: list[tuple[float, int]] = []
        """Ends and the numbers of connections; those that hold no more are passed over."""
        self._watched: dict[int, tuple[float, Connection]] = {}
        """Number → the end that holds, and whose it is."""
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._ends)

    def watch(self, connection: Connection) -> None:
        """Its token is another now."""
        self.forget(connection)
        grant = connection.session.grant
        if grant is not None and grant.ends is not None and connection.is_open:
            self._watched[connection.number] = (grant.ends, connection)
            heappush(self._ends, (grant.ends, connection.number))
            if len(self._ends) > 2 * len(self._watched) + SPARE:
                self._ends = [(ends, number) for number, (ends, _) in self._watched.items()]
                heapify(self._ends)
            self._set()

    def forget(self, connection: Connection) -> None:
        """It is gone."""
        self._watched.pop(connection.number, None)

    def stop(self) -> None:
        """Look no more."""
        self._ends.clear()
        self._watched.clear()
        self._set()

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ends:
            wait = max(0.0, self._ends[0][0] - time.time())
            self._timer = self._loop.call_later(min(wait, LONGEST), self._look)

    def _look(self) -> None:
        now = time.time()
        while self._ends and self._ends[0][0] <= now:
            ends, number = heappop(self._ends)
            held, connection = self._watched.get(number, (None, None))
            if connection is not None and held == ends:  # else a later token holds
                connection.close(EXPIRED, "token_expired")
        self._set()
