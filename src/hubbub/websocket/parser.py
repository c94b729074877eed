"""Bytes of a client to what they mean (RFC 6455, sections 5 to 8).

Laws: the same bytes mean the same however they are cut; what is held never exceeds one message
(`max_message`), one control frame and one header; each byte is copied a bounded number of times.
After a `Close` or a `Failure` nothing that follows means anything (sections 5.5.1 and 7.1.7).
"""

from __future__ import annotations

from typing import Final, cast

from hubbub.websocket.texts import texts, unmask

_CONTINUATION: Final = 0x0
_TEXT: Final = 0x1
_BINARY: Final = 0x2
_CLOSE: Final = 0x8
_PING: Final = 0x9
_PONG: Final = 0xA
_FIN: Final = 0x80
_MASKED: Final = 0x80
_KNOWN: Final = frozenset((_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG))

NO_STATUS: Final = 1005
"""What stands for a close frame without a code (RFC 6455, 7.4.1)."""
_CODES: Final = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))
"""Codes that may stand in a close frame (section 7.4 and the IANA registry)."""


class Ping:
    """The peer asks for a pong with the same payload."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class Pong:
    """The peer answers, or just shows that it lives."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class Close:
    """The peer's close frame; `code` is 1005 where it had none."""

    __slots__ = ("code", "reason")

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


class Failure:
    """The peer broke the protocol: send a close frame with this, then drop the connection."""

    __slots__ = ("code", "reason")

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


Item = str | Ping | Pong | Close | Failure


class _BrokenError(Exception):
    """How a rule's breach leaves the loop: `Failure`'s two values."""


class _Message:
    """A message of which not all has come: its kind, and the payloads of its fragments."""

    __slots__ = ("opcode", "parts")

    def __init__(self, opcode: int) -> None:
        self.opcode = opcode
        self.parts = bytearray()


class Parser:
    """One connection's reader. An idle one holds nothing but its limit.

    `max_message` bounds a message in bytes, all its fragments together.
    """

    __slots__ = ("_held", "_max", "_message", "_over", "_wanted")

    def __init__(self, max_message: int) -> None:
        self._max = max_message
        self._held: bytearray | None = None
        """The beginning of a frame whose rest has not come."""
        self._wanted = 0
        """How long `_held` must be before it is worth a look."""
        self._message: _Message | None = None
        self._over = False

    @property
    def is_idle(self) -> bool:
        """Whether it is as one that has read nothing yet, so that another could go on for it."""
        return self._held is None and self._message is None and not self._over

    def feed(self, data: bytes) -> list[Item]:
        """What `data` completes, in order. Text is checked UTF-8; binary yields nothing."""
        if self._held is None and self._message is None and not self._over:
            found = texts(data, self._max)  # by far the most calls bring one whole text frame
            if found is not None:
                return cast("list[Item]", found)
        return self._read(data)

    def _read(self, data: bytes) -> list[Item]:
        """The general case of `feed`."""
        items: list[Item] = []
        if self._over:
            return items
        buffer: bytes | bytearray = data
        if self._held is not None:
            self._held += data
            if len(self._held) < self._wanted:
                return items
            buffer, self._held = self._held, None
        at, end, whole = 0, len(buffer), 0
        try:
            while not self._over:
                whole = self._frame(buffer, at, end, items)
                if whole <= 0:
                    break
                at += whole
        except _BrokenError as broken:
            self._over = True
            items.append(Failure(*broken.args))
        if self._over:
            self._message = None
        elif at < end:
            self._held = bytearray(memoryview(buffer)[at:])
            self._wanted = -whole
        return items

    def _frame(self, buffer: bytes | bytearray, at: int, end: int, items: list[Item]) -> int:
        """Read the frame at `at`: its length, or minus the bytes that it needs before a look."""
        have = end - at
        if have < 2:
            return -2
        first, second = buffer[at], buffer[at + 1]
        opcode, size, head = first & 0x0F, second & 0x7F, 6
        if first & 0x70:
            raise _BrokenError(1002, "reserved bits are set, and no extension was agreed")
        if opcode not in _KNOWN:
            raise _BrokenError(1002, f"opcode {opcode} has no meaning")
        if not second & _MASKED:
            raise _BrokenError(1002, "a client's frame is not masked")
        if opcode & 0x8:
            if size > 125:
                raise _BrokenError(1002, "a control frame is longer than 125 bytes")
            if not first & _FIN:
                raise _BrokenError(1002, "a control frame is fragmented")
        elif size >= 126:
            wide = 2 if size == 126 else 8
            head += wide
            if have < 2 + wide:
                return -(2 + wide)
            size = int.from_bytes(buffer[at + 2 : at + 2 + wide], "big")
        if not opcode & 0x8:
            self._admit(opcode, size)
        if have < head + size:
            return -(head + size)
        payload = unmask(buffer, at + head - 4, size)
        if opcode & 0x8:
            self._control(opcode, payload, items)
        else:
            self._data(opcode, bool(first & _FIN), payload, items)
        return head + size

    def _admit(self, opcode: int, size: int) -> None:
        """Whether a data frame may come here, judged by its header alone (section 5.4)."""
        message = self._message
        if opcode == _CONTINUATION:
            if message is None:
                raise _BrokenError(1002, "a continuation continues nothing")
            size += len(message.parts)
        elif message is not None:
            raise _BrokenError(1002, "a new message begins within a fragmented one")
        if size > self._max:
            raise _BrokenError(1009, f"a message is longer than {self._max} bytes")

    def _data(self, opcode: int, fin: bool, payload: bytes, items: list[Item]) -> None:
        message = self._message
        if message is None:
            if not fin:
                self._message = message = _Message(opcode)
                message.parts += payload
                return
            whole: bytes | bytearray = payload
        else:
            message.parts += payload
            if not fin:
                return
            opcode, whole, self._message = message.opcode, message.parts, None
        if opcode == _TEXT:
            try:
                items.append(whole.decode())
            except UnicodeDecodeError:
                raise _BrokenError(1007, "a text message is not UTF-8") from None

    def _control(self, opcode: int, payload: bytes, items: list[Item]) -> None:
        if opcode == _PING:
            items.append(Ping(payload))
        elif opcode == _PONG:
            items.append(Pong(payload))
        else:
            close = _close(payload)  # what is wrong in it is said first
            if self._message is not None:
                raise _BrokenError(1002, "a close frame comes within a fragmented message")
            items.append(close)
            self._over = True


def _close(payload: bytes) -> Close:
    """What a close frame says (section 5.5.1)."""
    if not payload:
        return Close(NO_STATUS, "")
    if len(payload) == 1:
        raise _BrokenError(1002, "a close frame has half a code")
    code = int.from_bytes(payload[:2], "big")
    try:
        reason = payload[2:].decode()
    except UnicodeDecodeError:
        raise _BrokenError(1007, "a close frame's reason is not UTF-8") from None
    if code not in _CODES:
        raise _BrokenError(1002, f"close code {code} may not be sent")
    return Close(code, reason)
