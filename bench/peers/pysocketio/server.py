"""python-socketio's own rooms."""

import time
from typing import Any

import socketio

server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"])


@server.event
async def join(sid: str, frame: dict[str, Any]) -> None:
    await server.save_session(sid, frame)
    await server.enter_room(sid, frame["room"])
    await server.emit("welcome", frame, to=sid)


@server.event
async def chat(sid: str, frame: dict[str, Any]) -> None:
    member = await server.get_session(sid)
    message = {
        "room": member["room"],
        "username": member["username"],
        "text": frame["text"],
        "ts": time.time_ns() // 1_000_000,
    }
    await server.emit("chat", message, room=member["room"])


app = socketio.ASGIApp(server)
