"""People who are muted and banned in the middle of a storm, and what comes of it on every node."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.server import Client, Frame
from tests.torture.picture import check

ROOM = "court"
CATCHES_UP = 5.0
"""Seconds after which a node has read what it missed while it could not listen."""


class Court:
    """A moderator, and who is judged; `port()` is that of a node that may be away."""

    def __init__(self, dice: random.Random, port: Callable[[], int]) -> None:
        self.dice = dice
        self._port = port
        self._ids = count(1)
        self._sessions: dict[str, str] = {}
        self._judged: dict[str, tuple[str, str]] = {}
        """name -> the act, and the session of who is held to it."""

    @property
    def judged(self) -> int:
        return len(self._judged)

    async def sit(self, end: float) -> None:
        """Judge one after the other, until it is over."""
        while time.monotonic() < end:
            await asyncio.sleep(self.dice.uniform(0, 1))
            name, act = f"eve{next(self._ids)}", self.dice.choice(["mute", "ban"])
            while name not in self._judged:
                try:
                    async with asyncio.timeout(5):
                        await self._judge(name, act)
                except (OSError, WebSocketException):
                    await asyncio.sleep(0.2)
                if time.monotonic() > end + 5:
                    return

    async def _judge(self, name: str, act: str) -> None:
        """One attempt, which may be lost on the way; the act has one id, so it is done once."""
        async with self._client(self._port()) as eve, self._client(self._port()) as mod:
            told = await self._join(eve, name)
            if told["type"] == "error" and told["code"] != "banned":
                await asyncio.sleep(0.2)
                return
            await _ask(mod, "mod", password="hush")
            await self._join(mod, f"mod of {name}")
            told = await _ask(mod, act, username=name, id=f"{act} {name}")
            if told["type"] == "ok":
                self._judged[name] = (act, self._sessions[name])

    async def _join(self, client: Client, name: str) -> Frame:
        proof = {"session": self._sessions[name]} if name in self._sessions else {}
        told = await _ask(client, "join", room=ROOM, username=name, **proof)
        if "session" in told:
            self._sessions[name] = told["session"]
        return told

    async def uphold(self, ports: list[int], seconds: float) -> None:
        """Whoever was judged is held to it on every node, as soon as it has caught up."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            for port in ports:
                for name, (act, session) in self._judged.items():
                    code = {"mute": "muted", "ban": "banned"}[act]
                    while (told := await self._try(port, name, session)).get("code") != code:
                        late = time.monotonic() - began > CATCHES_UP
                        check(not late, name, "is", code, "but heard on", port, ":", told)
                        await asyncio.sleep(0.1)

    async def _try(self, port: int, name: str, session: str) -> Frame:
        """Come in, and speak; gives the last answer."""
        async with self._client(port) as eve:
            told = await _ask(eve, "join", room=ROOM, username=name, session=session)
            return told if told["type"] == "error" else await _ask(eve, "chat", text="may I?")

    @asynccontextmanager
    async def _client(self, port: int) -> AsyncIterator[Client]:
        url = f"ws://127.0.0.1:{port}/ws"
        async with connect(url, compression=None, close_timeout=1, open_timeout=3) as socket:
            yield Client(socket)


async def _ask(client: Client, kind: str, **fields: object) -> Frame:
    fields.setdefault("id", kind)
    await client.say(kind, **fields)
    while (frame := await client.hear()).get("id") != fields["id"]:
        pass
    return frame
