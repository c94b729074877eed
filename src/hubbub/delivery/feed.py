"""A feed: one room's log, and how far each of its readers on this node has come.

Laws: a `ready` reader stands at `flushed` and its socket can take bytes; every other reader is
`behind` with a cursor of its own. The log keeps frames only for those who are behind. Memory is
bounded by the log's bounds, never by how slow a reader is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Raw

from hubbub.chat.cursor import Cursor
from hubbub.chat.log import Log
from hubbub.protocol.outgoing import Missed, encode
from hubbub.store.base import Store
from hubbub.websocket.frames import text_frame

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection

CHUNK: Final = 65536
"""About how many bytes are handed to a socket at once; so much a slow one may hold, no more."""
PAGE: Final = 100
"""How many events are asked of the store at once for a reader that catches up."""


class Feed:
    """What the members of `name` are fed from.

    `seq` is that of the last event published before. `ready` maps a reader's `send` to the
    reader: the fan-out's loop then has nothing to look up.
    """

    __slots__ = ("_store", "behind", "flushed", "history", "history_seq", "log", "name", "ready")

    def __init__(self, name: str, store: Store, seq: int) -> None:
        self.name = name
        self.log = Log(seq)
        self.flushed = 0
        self.ready: dict[Callable[[bytes], int], Connection] = {}
        self.behind: dict[Connection, Cursor] = {}
        self.history: list[Raw] = []
        self.history_seq = -1
        self._store = store

    def latest(self, count: int) -> list[Raw]:
        """The last chats for a `welcome`; read once for all who join between two messages."""
        if self.history_seq != self.log.seq:
            self.history = [
                Raw(payload) for payload in self._store.last(self.name, count, self.log.seq)
            ]
            self.history_seq = self.log.seq
        return self.history

    def attach(self, reader: Connection, seen: int) -> None:
        """A reader comes to the head, having had all up to `seen`; fed with the next flush."""
        log = self.log
        self.behind[reader] = Cursor(log.head, seen, log.seq)

    def detach(self, reader: Connection) -> Cursor | None:
        """Forget a reader; gives the place where it stood."""
        if self.ready.pop(reader.send, None) is not None:
            return Cursor(self.flushed, self.log.seq_before(self.flushed))
        return self.behind.pop(reader, None)

    def hold(self, reader: Connection) -> None:
        """A ready reader's socket is full: from here on it has a cursor of its own."""
        if self.ready.pop(reader.send, None) is not None:
            self.behind[reader] = Cursor(self.flushed, self.log.seq_before(self.flushed))

    def release(self, reader: Connection) -> None:
        """A reader that is back at the head is fed with all the others again."""
        del self.behind[reader]
        self.ready[reader.send] = reader
        if not self.behind:
            self.log.forget(self.flushed)

    def next(self, cursor: Cursor) -> bytes:
        """The next piece for a reader that is behind, and its cursor moved past it; empty: none."""
        log = self.log
        if cursor.offset < log.base:
            cursor.until = log.seq_before(log.base)
            cursor.offset = log.base
            cursor.stale = True
        if cursor.until > cursor.seen:
            return self._from_store(cursor)
        if cursor.offset == log.head:
            return b""
        data, cursor.offset = log.since(cursor.offset, CHUNK)
        cursor.seen = cursor.until = log.seq_before(cursor.offset)
        return data

    def _from_store(self, cursor: Cursor) -> bytes:
        wanted = min(PAGE, cursor.until - cursor.seen)
        first, payloads = self._store.after(self.name, cursor.seen, wanted)
        pieces: list[bytes] = []
        lost = min(first - 1, cursor.until)
        if lost > cursor.seen:
            missed = Missed(self.name, cursor.seen + 1, lost)
            pieces.append(text_frame(encode(missed)))
            cursor.seen = lost
        size = 0
        for payload in payloads:
            if cursor.seen == cursor.until or size > CHUNK:
                break
            size += len(payload)
            pieces.append(text_frame(payload))
            cursor.seen += 1
        return b"".join(pieces)
