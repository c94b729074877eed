"""A room is a set of connections; `broadcast` writes to all of them without waiting for any."""

import asyncio
import json
import os
import time
from collections import defaultdict

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


async def chat(socket: ServerConnection) -> None:
    room = username = ""
    try:
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "join" and not room:
                room, username = frame["room"], frame["username"]
                rooms[room].add(socket)
                await socket.send(
                    json.dumps({"type": "welcome", "room": room, "username": username})
                )
            elif frame["type"] == "chat" and room:
                message = {
                    "type": "chat",
                    "room": room,
                    "username": username,
                    "text": frame["text"],
                    "ts": time.time_ns() // 1_000_000,
                }
                broadcast(rooms[room], json.dumps(message))
    finally:
        rooms[room].discard(socket)


async def main() -> None:
    async with serve(chat, "127.0.0.1", int(os.environ["PORT"])):
        await asyncio.get_running_loop().create_future()


uvloop.run(main())
