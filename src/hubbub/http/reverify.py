"""Tokens that are shown over an open socket (`auth` frames), looked at beside the loop's work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hubbub.access.tokens import TokenError, Verifier
from hubbub.chat.grants import Grant


class Reverifier:
    """A `hub.Verify`: starts a look at a token, and calls back with what came of it."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._looks: set[asyncio.Task[None]] = set()

    def __call__(self, token: str, done: Callable[[Grant | str], None]) -> None:
        look = asyncio.get_running_loop().create_task(self._look(token, done))
        self._looks.add(look)  # or the loop alone would know of it, and weakly
        look.add_done_callback(self._looks.discard)

    async def _look(self, token: str, done: Callable[[Grant | str], None]) -> None:
        try:
            found: Grant | str = await self._verifier.verify(token)
        except TokenError as problem:
            found = str(problem)
        done(found)
