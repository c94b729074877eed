"""The connection manager of FastAPI's manual, with rooms: what one says is sent to each in turn."""

import json
import time
from collections import defaultdict

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)


async def broadcast(room: str, text: str) -> None:
    for member in list(rooms[room]):
        try:
            await member.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            rooms[room].discard(member)


async def chat(socket: WebSocket) -> None:
    await socket.accept()
    room = username = ""
    try:
        while True:
            frame = json.loads(await socket.receive_text())
            if frame["type"] == "join" and not room:
                room, username = frame["room"], frame["username"]
                rooms[room].add(socket)
                await socket.send_text(
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
                await broadcast(room, json.dumps(message))
    except WebSocketDisconnect:
        pass
    finally:
        rooms[room].discard(socket)


app = Starlette(routes=[WebSocketRoute("/ws", chat)])
