"""A node is emptied over some time: so its clients come back to the others, and not all at once.

First nothing but `/health` changes, for as long as a balancer may need to see it: who was sent away
at once would be sent here again. Then the connections are closed, spread evenly over what is left,
each with a hint when to come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import random, shuffle
from typing import Final

from hubbub.delivery.heartbeat import Heartbeat
from hubbub.protocol.codes import RESTARTING

QUIET: Final = 0.25
"""The part of the time in which nobody is sent away yet."""
HINT: Final = 2.0
"""Seconds after which a client is asked to come back, at most."""


def plan(count: int, seconds: float, dice: Callable[[], float]) -> list[float]:
    """When each of `count` connections is closed, ascending, in seconds from the beginning."""
    quiet = seconds * QUIET
    return [quiet + (place + dice()) / count * (seconds - quiet) for place in range(count)]


async def drain(connections: Heartbeat, seconds: float) -> None:
    """Send everyone away within `seconds`; it is over when nobody is left."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await _empty(connections, seconds * QUIET)
    leaving = list(connections)
    shuffle(leaving)
    for connection, when in zip(leaving, plan(len(leaving), seconds, random), strict=True):
        if not connection.is_open:
            continue  # it went by itself
        await _empty(connections, began + when - loop.time())
        hint = random() * HINT  # noqa: S311 - it spreads, and keeps no secret
        connection.close(RESTARTING, f"the server is restarting; retry_after={hint:.1f}")


async def _empty(connections: Heartbeat, seconds: float) -> None:
    """Wait so long, or until nobody is left."""
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await connections.empty()
