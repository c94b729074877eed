"""Bytes for the wire: whole frames of a server, unmasked, without extensions (RFC 6455, 5.2)."""

from struct import Struct
from typing import Final

_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
_SHORT: Final = [
    bytes((_TEXT, size)) if size < 126 else bytes((_TEXT, 126, *divmod(size, 256)))
    for size in range(1024)
]
"""The heads of most frames, ready made."""
_MEDIUM: Final = Struct("!BBH").pack
_LONG: Final = Struct("!BBQ").pack
REASON: Final = 123
"""Bytes that a close frame has for its reason (RFC 6455, 5.5: 125 less the code)."""


def text_frame(payload: bytes) -> bytes:
    """A text message in one frame. `payload` is UTF-8."""
    size = len(payload)
    if size < 1024:
        return _SHORT[size] + payload
    if size < 65536:
        return _MEDIUM(_TEXT, 126, size) + payload
    return _LONG(_TEXT, 127, size) + payload


def ping_frame(payload: bytes = b"") -> bytes:
    """A ping with at most 125 bytes."""
    return _control(_PING, payload)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping, with that ping's payload (RFC 6455, 5.5.3)."""
    return _control(_PONG, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; a reason over `REASON` bytes is cut between two characters."""
    said = reason.encode()[:REASON].decode(errors="ignore").encode()
    return _control(_CLOSE, code.to_bytes(2, "big") + said)


def _control(head: int, payload: bytes) -> bytes:
    if len(payload) > 125:
        raise ValueError(f"a control frame holds at most 125 bytes, not {len(payload)}")
    return bytes((head, len(payload))) + payload
