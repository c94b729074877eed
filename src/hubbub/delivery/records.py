"""The server's own logs, read at the start: what moderators did, and which names are users'."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from hubbub.chat import likeness
from hubbub.chat.standing import Standing
from hubbub.delivery.keeper import Keeper
from hubbub.protocol.audit import AUDIT, USERS, Audit, read
from hubbub.store.base import StoreError

PAGE: Final = 1000


async def remember(keeper: Keeper, standing: Standing) -> None:
    """Bring `standing` to where the logs are. Raises `StoreError`."""
    for log in (AUDIT, USERS):
        async for payload in _events(keeper, log):
            record = read(payload)
            if isinstance(record, Audit):
                standing.apply(record)
            else:
                standing.know(record.name, likeness.keys(record.name))


async def _events(keeper: Keeper, log: str) -> AsyncIterator[bytes]:
    answer = _Answer()
    keeper.open(log, 0, answer.come)
    await answer.wait()
    seen = 0
    while True:
        keeper.after(log, seen, PAGE, answer.come)
        page = await answer.wait()
        for payload in page.events:
            yield payload
        if not page.events:
            return
        seen = page.first + len(page.events) - 1


class _Answer:
    """The answer to one question after the other, to be waited for."""

    def __init__(self) -> None:
        self._coming = asyncio.get_running_loop().create_future()

    def come(self, answer: Any) -> None:
        self._coming.set_result(answer)

    async def wait(self) -> Any:
        answer = await self._coming
        self._coming = asyncio.get_running_loop().create_future()
        if isinstance(answer, StoreError):
            raise answer
        return answer
