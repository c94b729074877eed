"""Tokens end: one timer for all sockets whose token does, set for the first that will."""

from __future__ import annotations

import asyncio
import time
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from hubbub.protocol.codes import EXPIRED

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection

LONGEST: Final = 3600.0
"""Seconds after which the clock is looked at again, at the latest: it may have been set."""


class Expiry:
    """Closes sockets when their token has ended (4401), unless a new one was shown meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ends: list[tuple[float, int, Connection]] = []
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, connection: Connection) -> None:
        """Its token is another now."""
        grant = connection.session.grant
        if grant is not None and grant.ends is not None:
            heappush(self._ends, (grant.ends, connection.number, connection))
            self._set()

    def stop(self) -> None:
        """Look no more."""
        self._ends.clear()
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
            ends, _, connection = heappop(self._ends)
            grant = connection.session.grant
            if grant is not None and grant.ends == ends:  # else a later token holds
                connection.close(EXPIRED, "token_expired")
        self._set()
