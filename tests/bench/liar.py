"""A chat server that does one thing wrong, to see whether the load client notices."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

from bench.run.servers import Kind, Running

Members = list[ServerConnection]
Fault = Callable[[int, ServerConnection, Members], list[ServerConnection]]
"""Of the n-th message, from whom, to whom: to whom it goes at all."""


def honest(_number: int, _author: ServerConnection, members: Members) -> Members:
    return members


@asynccontextmanager
async def liar(
    fault: Fault, *, swapped: int = 0, with_another: bool = False
) -> AsyncIterator[Running]:
    """Messages go to whom `fault` says. For the last member, the message with the number `swapped`
    changes places with the next, or `with_another` sender's, whose own stay in order then."""
    members: Members = []
    held: list[str] = []
    holds: ServerConnection | None = None
    count = 0

    async def chat(socket: ServerConnection) -> None:
        nonlocal count, holds
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "join":
                members.append(socket)
                await socket.send('{"type":"welcome"}')
                continue
            count += 1
            for member in fault(count, socket, members):
                is_next = bool(held) and with_another and socket is holds
                if (count == swapped or is_next) and member is members[-1]:
                    holds = socket
                    held.append(str(text))
                    continue
                await member.send(text)
                while member is members[-1] and held:
                    await member.send(held.pop(0))

    kind = Kind("liar", "a liar", "plain", "", ())
    async with serve(chat, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield Running(kind, port, (os.getpid(),))
