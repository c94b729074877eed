"""A node takes nobody for dead that has not itself seen Redis answer for long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hubbub.chat.occupancy import Occupancy
from hubbub.delivery import presence
from hubbub.delivery.follow import Following
from hubbub.delivery.hub import Hub
from hubbub.protocol.presence import Leased
from hubbub.store.base import StoreError

LEASE = SLACK = 0.4


class Keeper:
    """Answers at once to what it is asked; `trouble` is in the way of the next one."""

    def __init__(self) -> None:
        self.presence = self
        self.asked: asyncio.Queue[bool] = asyncio.Queue()
        self.trouble: StoreError | None = None
        self.anew = False

    def do(self, what: Callable[[], Any], done: Callable[[Any], None]) -> None:
        trouble, self.trouble = self.trouble, None
        done(trouble or what())

    def lease(self, _: Mapping[str, int], may_bury: bool) -> Leased:
        self.asked.put_nowait(may_bury)
        anew, self.anew = self.anew, False
        return Leased(anew, [], 1)

    def retire(self) -> None:
        pass

    async def until_it_may(self) -> float:
        """Seconds until it is asked to bury."""
        begun = asyncio.get_running_loop().time()
        while not await self.asked.get():
            pass
        return asyncio.get_running_loop().time() - begun


async def test_it_waits_after_its_start_a_failure_and_an_end_of_its_own_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "SLACK", SLACK / 2)
    keeper = Keeper()
    hub = cast("Hub", SimpleNamespace())
    one = presence.Presence(
        hub, Occupancy({}, 200, False), cast("Following", keeper), LEASE, SLACK / 2
    )
    one.start()
    assert await keeper.until_it_may() >= LEASE + SLACK - 0.01
    assert await keeper.until_it_may() < LEASE, "and goes on"
    keeper.trouble = StoreError("Redis does not answer")
    while await keeper.asked.get():
        pass
    assert await keeper.until_it_may() >= LEASE + SLACK - LEASE / 4 - 0.01
    keeper.anew = True
    while await keeper.asked.get():
        pass
    assert await keeper.until_it_may() >= LEASE + SLACK - LEASE / 2 - 0.01
    await one.stop()
