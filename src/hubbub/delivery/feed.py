"""A feed: one room's log, and how far each of its readers on this node has come.

Laws: a `ready` reader stands at `flushed` and its socket can take bytes; every other reader is
`behind` with a cursor of its own. The log keeps frames only for those who are behind. Memory is
bounded by the log's bounds, never by how slow a reader is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Raw

from hubbub.chat.cursor import Cursor
from hubbub.chat.log import Log
from hubbub.protocol.outgoing import Missed, encode
from hubbub.store.base import Opened
from hubbub.websocket.frames import text_frame

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection

CHUNK: Final = 65536
"""About how many bytes are handed to a socket at once; so much a slow one may hold, no more."""
MOST: Final = 512
"""The most events that are asked of the store at once for a reader that catches up."""


class Feed:
    """What the members of `name` are fed from.

    `history` has the last chats as `(seq, JSON)`. `ready` maps a reader's `send` to the reader:
    the fan-out's loop then has nothing to look up. `coming` counts those who were let in and
    have not been told yet.
    """

    __slots__ = (
        "alone",
        "behind",
        "changes",
        "coming",
        "epoch",
        "flushed",
        "history",
        "log",
        "name",
        "ready",
    )

    def __init__(self, name: str, opened: Opened, history: int) -> None:
        self.name = name
        self.alone = (self,)
        """What a reader of this feed and no other is fed from: one tuple for all of them."""
        self.epoch = opened.epoch
        self.log = Log(opened.seq)
        self.flushed = 0
        self.ready: dict[Callable[[bytes], int], Connection] = {}
        self.behind: dict[Connection, Cursor] = {}
        self.coming = 0
        self.changes = 0
        """How many chats were changed so far."""
        self.history = deque(opened.history, history)

    @property
    def is_needed(self) -> bool:
        """Whether anyone is here, or about to be."""
        return bool(self.ready or self.behind or self.coming)

    def latest(self, first: int) -> list[Raw]:
        """The last chats for a `welcome`, of those from the `seq` `first` on."""
        history = self.history
        while history and history[0][0] < first:
            history.popleft()
        return [Raw(payload) for _, payload in history]

    @property
    def chats(self) -> Iterator[bytes]:
        """The last chats, as JSON."""
        return (payload for _, payload in self.history)

    def change(self, seq: int, payload: bytes) -> None:
        """An event is another now: for those who come, and for those who have not had it yet."""
        self.changes += 1
        for place, (there, _) in enumerate(self.history):
            if there == seq:
                self.history[place] = (seq, payload)
        self.log.replace(seq, text_frame(payload))
        for cursor in self.behind.values():
            if cursor.page is not None and 0 <= seq - cursor.first < len(cursor.page):
                cursor.page[seq - cursor.first] = payload

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

    def answer(self, reader: Connection, seq: int, frame: bytes | None) -> bool:
        """Let a reader have `frame` in place of the event `seq`; False if it had that already.

        None: the event as it is for all is its answer.
        """
        cursor = self.behind.get(reader)
        if cursor is None or cursor.seen >= seq:
            return False
        if frame is not None:
            if cursor.answers is None:
                cursor.answers = {}
            cursor.answers[seq] = frame
        return True

    def release(self, reader: Connection) -> None:
        """A reader that is back at the head is fed with all the others again."""
        del self.behind[reader]
        self.ready[reader.send] = reader
        if not self.behind:
            self.log.forget(self.flushed)

    def next(self, cursor: Cursor) -> bytes | None:
        """The next piece for a reader that is behind, and its cursor moved past it.

        Empty: there is none. None: the cursor needs its next page from the store first.
        """
        log = self.log
        if cursor.offset < log.base:
            cursor.until = log.seq_before(log.base)
            cursor.offset = log.base
            cursor.stale = True
        if cursor.until > cursor.seen:
            return self._from_page(cursor) if cursor.page is not None else None
        if cursor.offset == log.head:
            return b""
        # Whoever has a frame of its own among them gets one frame at a time.
        data, cursor.offset = log.since(cursor.offset, 1 if cursor.answers else CHUNK)
        seq = log.seq_before(cursor.offset)
        if cursor.answers and seq > cursor.seen:
            data = cursor.answers.pop(seq, data)
        cursor.seen = cursor.until = seq
        return data

    def _from_page(self, cursor: Cursor) -> bytes | None:
        page, cursor.page = cursor.page or [], None
        pieces: list[bytes] = []
        lost = min(cursor.first - 1, cursor.until)
        if lost > cursor.seen:
            pieces.append(text_frame(encode(Missed(self.name, cursor.seen + 1, lost))))
            if cursor.answers:
                gone = [seq for seq in cursor.answers if seq <= lost]
                pieces += map(cursor.answers.pop, gone)
            cursor.seen = lost
        seq = cursor.seen
        del page[max(0, cursor.until - seq) :]
        if cursor.answers:
            for payload in page:
                seq += 1
                pieces.append(cursor.answers.pop(seq, b"") or text_frame(payload))
        else:
            pieces += map(text_frame, page)
        cursor.seen += len(page)
        data = b"".join(pieces)
        if len(data) < CHUNK:
            cursor.wanted = min(MOST, cursor.wanted * 2)
        elif len(data) > 2 * CHUNK:
            cursor.wanted = max(1, cursor.wanted // 2)
        return data or None
