"""`GET /ws`: the handshake of RFC 6455 section 4.2, and who is let through it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from typing import Final

from aiohttp import web

from hubbub.delivery.connection import Connection
from hubbub.delivery.heartbeat import Heartbeat
from hubbub.delivery.hub import Hub
from hubbub.http.answers import refuse
from hubbub.http.takeover import Gone, take_over

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
RETRY: Final = 5
"""Seconds after which a client that found no place may ask again."""


class Door:
    """Lets clients in, as many as there is room for. `is_open` is False while stopping."""

    def __init__(
        self, hub: Hub, heartbeat: Heartbeat, max_message: int, places: int, places_per_ip: int
    ) -> None:
        self.is_open = True
        self._hub = hub
        self._heartbeat = heartbeat
        self._max_message = max_message
        self._places = places
        self._places_per_ip = places_per_ip
        self._by_ip: Counter[str] = Counter()
        self._inside = 0

    async def upgrade(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a WebSocket: 101 and its frames, or an error that says why not."""
        headers = request.headers
        upgrade = headers.get("Upgrade", "").lower()
        connection = headers.get("Connection", "").lower()
        if upgrade != "websocket" or "upgrade" not in connection:
            wanted = {"Upgrade": "websocket", "Connection": "Upgrade"}
            return refuse(426, "upgrade_required", "this address speaks WebSocket only", wanted)
        if headers.get("Sec-WebSocket-Version") != "13":
            version = {"Sec-WebSocket-Version": "13"}
            return refuse(426, "upgrade_required", "only WebSocket version 13 is spoken", version)
        key = headers.get("Sec-WebSocket-Key", "")
        if not _is_key(key):
            return refuse(400, "bad_request", "Sec-WebSocket-Key must be 16 bytes of base64")
        remote = request.remote or ""
        again = {"Retry-After": str(RETRY)}
        if not self.is_open:
            return refuse(503, "stopping", "the server is stopping; come back soon", again)
        if self._inside >= self._places:
            return refuse(503, "full", "the server is full; come back soon", again)
        if self._places_per_ip and self._by_ip[remote] >= self._places_per_ip:
            message = f"{self._places_per_ip} connections from your address are open already"
            return refuse(429, "too_many_connections", message, again)
        self._admit(request, key, remote)
        return Gone()

    def _admit(self, request: web.Request, key: str, remote: str) -> None:
        try:
            transport, rest = take_over(request)
        except ConnectionResetError:
            return
        accept = base64.b64encode(
            hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
        )
        transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._inside += 1
        if self._places_per_ip:
            self._by_ip[remote] += 1
        joined = Connection(self._hub, self._heartbeat, self._max_message)
        joined.start(transport, remote, rest, self._leave)

    def _leave(self, remote: str) -> None:
        self._inside -= 1
        if self._places_per_ip:
            self._by_ip[remote] -= 1
            if not self._by_ip[remote]:
                del self._by_ip[remote]


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
