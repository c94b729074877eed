"""The common case of reading: whole text frames, and nothing else (RFC 6455, section 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hubbub.native import find

_FIN_TEXT: Final = 0x81
_PLAIN: Final = b"\0\0\0\0"
_number: Final = int.from_bytes


def texts_in_python(data: bytes, most: int) -> list[str] | None:
    """The texts, if `data` is masked text frames from end to end, each a message of its own.

    None: there is something else in it, were it that a text has more than `most` bytes or is not
    UTF-8; then nothing is said of the rest either. Frames of 64 KB or more are something else.
    """
    found: list[str] = []
    at, end = 0, len(data)
    while at < end:
        if end - at < 6 or data[at] != _FIN_TEXT:
            return None
        size, start = data[at + 1] - 0x80, at + 2
        if size == 126:
            size, start = data[at + 2] << 8 | data[at + 3], at + 4
        elif not 0 <= size < 126:
            return None
        at = start + 4 + size
        if size > most or at > end:
            return None
        try:
            found.append(unmask(data, start, size).decode())
        except UnicodeDecodeError:
            return None
    return found


def unmask(data: bytes | bytearray, at: int, size: int) -> bytes:
    """The payload behind the mask at `at` (section 5.3): one XOR of two large numbers."""
    mask = data[at : at + 4]
    at += 4
    payload = data[at : at + size]
    if mask == _PLAIN:
        return bytes(payload)
    key = (mask * ((size >> 2) + 1))[:size]
    return (_number(payload, "little") ^ _number(key, "little")).to_bytes(size, "little")


texts: Callable[[bytes, int], list[str] | None] = find("texts") or texts_in_python
