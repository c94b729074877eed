"""`GET /ws`: the handshake of RFC 6455 section 4.2."""

from __future__ import annotations

import base64
import binascii
import hashlib
import sys
from typing import Final

from aiohttp import web

from hubbub.access.addresses import counted
from hubbub.delivery.connection import Connection, House
from hubbub.delivery.heartbeat import Heartbeat
from hubbub.delivery.hub import Hub
from hubbub.delivery.wires import Wires
from hubbub.http.admission import Admission, Visitor
from hubbub.http.credentials import subprotocol
from hubbub.http.refusals import RefusedError
from hubbub.http.takeover import Gone, take_over

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Door:
    """Turns the requests of those who are admitted into connections."""

    def __init__(
        self,
        hub: Hub,
        heartbeat: Heartbeat,
        wires: Wires,
        max_message: int,
        admission: Admission,
    ) -> None:
        self._hub = hub
        self._house = House(heartbeat, wires, max_message, admission.leave)
        self._admission = admission

    async def upgrade(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a WebSocket with 101 and its frames. Raises `RefusedError`."""
        headers = request.headers
        upgrade = headers.get("Upgrade", "").lower()
        connection = headers.get("Connection", "").lower()
        if upgrade != "websocket" or "upgrade" not in connection:
            wanted = {"Upgrade": "websocket", "Connection": "Upgrade"}
            raise RefusedError("upgrade_required", "this address speaks WebSocket only", wanted)
        if headers.get("Sec-WebSocket-Version") != "13":
            version = {"Sec-WebSocket-Version": "13"}
            raise RefusedError("upgrade_required", "only WebSocket version 13 is spoken", version)
        key = headers.get("Sec-WebSocket-Key", "")
        if not _is_key(key):
            raise RefusedError("bad_request", "Sec-WebSocket-Key must be 16 bytes of base64")
        visitor = await self._admission.admit(request)
        self._let_in(request, key, visitor)
        return Gone()

    def _let_in(self, request: web.Request, key: str, visitor: Visitor) -> None:
        chosen = subprotocol(request)
        try:
            transport, rest = take_over(request)
        except ConnectionResetError:
            return
        accept = base64.b64encode(
            hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
        )
        spoken = f"Sec-WebSocket-Protocol: {chosen}\r\n".encode() if chosen else b""
        greeting = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n" + spoken + b"\r\n"
        )
        self._admission.enter(visitor.remote)
        # Many come from one address: one string for all of them.
        address, remote = map(sys.intern, (counted(visitor.remote), visitor.remote))
        joined = Connection(self._hub, self._house, visitor.grant, address)
        joined.start(transport, remote, greeting, rest)


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
