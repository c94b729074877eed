"""The server's own logs: what moderators did, and which names are users'.

They are read at the start; and a record holds once it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hubbub.chat import likeness
from hubbub.chat.session import Record
from hubbub.chat.standing import Standing
from hubbub.delivery.keeper import RETRY, Keeper
from hubbub.protocol.audit import AUDIT, USERS, Audit, Known, read
from hubbub.protocol.outgoing import Ok
from hubbub.store.base import Outcome, Refused, Stored, StoreError

if TYPE_CHECKING:
    from hubbub.delivery.hub import Hub

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


def recorded(hub: Hub, record: Record, outcome: Outcome) -> None:
    """The store has answered to a record: if it is kept, it holds."""
    if isinstance(outcome, Refused):
        if record.answer:
            hub.refused(record, outcome)
        elif isinstance(record.event, Known):  # nobody will ask for it again
            hub.later(RETRY, partial(hub.put, record))
        return
    if isinstance(outcome, Stored) and outcome.fresh and isinstance(record.event, Audit):
        # Through the line, because what was decided before it comes before it.
        for effect in hub.lobby.enforce(record.event):
            hub.put(effect)
    if record.answer:
        hub.fanout.tell(record.session.socket, Ok(record.id, record.count))


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
