"""uWebSockets' native publish, from Python: the room is a topic that sockets subscribe to."""

import json
import os
import time
from typing import Any

from socketify import App, OpCode

app = App()


def message(socket: Any, text: str, _opcode: OpCode) -> None:
    frame = json.loads(text)
    data = socket.get_user_data()
    if frame["type"] == "join" and not data["room"]:
        data["room"], data["username"] = frame["room"], frame["username"]
        socket.subscribe(data["room"])
        socket.send(json.dumps({"type": "welcome", **data}), OpCode.TEXT)
    elif frame["type"] == "chat" and data["room"]:
        chat = {"type": "chat", **data, "text": frame["text"], "ts": time.time_ns() // 1_000_000}
        app.publish(data["room"], json.dumps(chat), OpCode.TEXT)


def upgrade(response: Any, request: Any, context: Any) -> None:
    response.upgrade(
        request.get_header("sec-websocket-key"),
        request.get_header("sec-websocket-protocol"),
        request.get_header("sec-websocket-extensions"),
        context,
        {"room": "", "username": ""},
    )


app.ws("/ws", {"upgrade": upgrade, "message": message, "max_payload_length": 65536})
app.listen({"host": "127.0.0.1", "port": int(os.environ["PORT"])})
app.run()
