"""The fan-out: what rooms have heard goes to their readers, to each at its own pace.

Laws: each room that changed writes once to each reader that can take it; a reader whose socket is
full is skipped, and costs the others nothing; one that is behind is fed from memory, and where its
cursor has left that, from the store, in pieces of about `CHUNK` bytes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from hubbub.chat.cursor import Cursor
from hubbub.chat.room import Room
from hubbub.chat.session import Whisper
from hubbub.delivery.connection import Connection
from hubbub.delivery.feed import Feed
from hubbub.delivery.keeper import RETRY, Keeper
from hubbub.delivery.sending import send_all
from hubbub.protocol.outgoing import Outgoing, encode
from hubbub.store.base import Page, StoreError
from hubbub.websocket.frames import text_frame

CATCH_UP: int = 1 << 20
"""Bytes that one reader is fed in one go before the others have their turn."""


class Rules(Protocol):
    """The settings that the fan-out needs; `hubbub.settings.Settings` is one such."""

    @property
    def tail_events(self) -> int: ...
    @property
    def tail_bytes(self) -> int: ...


class Fanout:
    """Writes to readers. `rooms` tells it the rosters that are due."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rooms: Mapping[str, Room],
        keeper: Keeper,
        rules: Rules,
    ) -> None:
        self.dirty: dict[Feed, None] = {}
        """Feeds that changed since the last flush."""
        self._loop = loop
        self._rooms = rooms
        self._keeper = keeper
        self._tail_events = rules.tail_events
        self._tail_bytes = rules.tail_bytes
        self._whispers: list[tuple[Feed, Whisper]] = []
        self._choked: list[Connection] = []
        self._writing = False
        self._asking = False
        self._woken = False
        self._late: dict[Feed, None] = {}
        self._late_timer: asyncio.TimerHandle | None = None

    def flush(self) -> None:
        """Write what the changed feeds have for their readers."""
        self._woken = False
        dirty = self.dirty
        if dirty:
            self.dirty = {}
            for feed in dirty:
                self._flush(feed)
        if self._whispers:
            whispers, self._whispers = self._whispers, []
            for feed, whisper in whispers:
                self._whisper(feed, whisper)

    def whisper(self, feed: Feed, whisper: Whisper) -> None:
        """With the next flush, and after what the room hears by it, say this to the others."""
        self._whispers.append((feed, whisper))

    def _whisper(self, feed: Feed, whisper: Whisper) -> None:
        room, member = self._rooms.get(whisper.room), whisper.member
        if room is None or room.members.get(member.key) is not member:
            return  # gone meanwhile
        data = text_frame(encode(whisper.frame))
        for reader in list(feed.ready.values()):
            if reader.session not in member.sessions and not reader.is_full:
                reader.write(data)

    def wake(self) -> None:
        """Flush in the next turn of the loop."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self.flush)

    def forget(self, feed: Feed) -> None:
        """This feed has ended."""
        self.dirty.pop(feed, None)
        self._late.pop(feed, None)

    def tell(self, reader: Connection, frame: Outgoing | bytes) -> None:
        """A frame for one reader, after all that its rooms said before it."""
        for feed in reader.feeds:
            if feed.flushed != feed.log.head:
                feed.hold(reader)
                cursor = feed.behind[reader]
                while not reader.is_full and (data := feed.next(cursor)):
                    reader.write(data)
        reader.write(text_frame(frame if isinstance(frame, bytes) else encode(frame)))

    def _flush(self, feed: Feed) -> None:
        room = self._rooms.get(feed.name)
        if room is not None and room.roster_due:
            now = time.monotonic()
            wait = room.wait_for_roster(now)
            if wait <= 0:
                room.roster_told(now)
                feed.log.tell(text_frame(encode(room.roster())))
            else:
                self._late[feed] = None
                if self._late_timer is None:
                    self._late_timer = self._loop.call_later(wait, self._late_rosters)
        log = feed.log
        head = log.head
        while feed.flushed < head:
            data, feed.flushed = log.since(feed.flushed, 65536)
            self._write(feed, data)
        if feed.behind:
            for reader in list(feed.behind):
                if not reader.is_full:
                    self.catch_up(reader)
        if feed.behind:
            log.bound(self._tail_events, self._tail_bytes)
        else:
            log.forget(head)

    def _write(self, feed: Feed, data: bytes) -> None:
        """One piece to each ready reader."""
        self._writing = True
        slow = [(feed.ready[send], sent) for send, sent in send_all(feed.ready, data)]
        self._writing = False
        for reader, sent in slow:
            if sent < 0:
                reader.lose("reset")
            else:
                reader.overflow(data, sent)
        if self._choked:
            choked, self._choked = self._choked, []
            for reader in choked:
                self.choke(reader)

    def choke(self, reader: Connection) -> None:
        """A reader's socket is full: skip it from now on, in all its rooms."""
        if self._writing:
            self._choked.append(reader)
            return
        for feed in reader.feeds:
            feed.hold(reader)

    # Catching up

    def catch_up(self, reader: Connection) -> None:
        """Feed a reader from where it stands, as far as its socket takes it."""
        if not reader.is_open:
            return
        budget = CATCH_UP
        waits = False
        for feed in reader.feeds:
            cursor = feed.behind.get(reader)
            if cursor is None:
                continue
            while (data := feed.next(cursor)) or data is None:
                if data is None:
                    if not self._page(reader, feed, cursor):
                        break
                    continue
                reader.write(data)
                budget -= len(data)
                if reader.is_full:
                    return
                if budget <= 0:
                    self._loop.call_soon(self._feed_on, reader)
                    return
            if data is None:
                waits = True
                continue
            if cursor.stale:
                cursor.stale = False
                room = self._rooms.get(feed.name)
                if room is not None:
                    self.tell(reader, room.roster())
                if reader.is_full:
                    return
            if cursor.offset == feed.flushed:
                feed.release(reader)
            else:
                self.dirty[feed] = None
                self.wake()
        if not waits:
            reader.go_on()

    def is_lagging(self, reader: Connection) -> bool:
        """Whether a reader is being fed from the store."""
        for feed in reader.feeds:
            cursor = feed.behind.get(reader)
            if cursor is not None and cursor.until > cursor.seen:
                return True
        return False

    def _page(self, reader: Connection, feed: Feed, cursor: Cursor) -> bool:
        """Ask the store for a cursor's next page; whether it is there already."""
        if not cursor.reading:
            cursor.reading = True
            self._asking = True
            answered = partial(self._answered, reader, cursor)
            self._keeper.after(feed.name, cursor.seen, cursor.wanted, answered)
            self._asking = False
        return cursor.page is not None

    def _answered(self, reader: Connection, cursor: Cursor, page: Page | StoreError) -> None:
        if isinstance(page, StoreError) or (not page.events and page.first <= cursor.seen + 1):
            # Until then it counts as being read: or every flush would ask a store that fails.
            self._loop.call_later(RETRY, self._ask_again, reader, cursor)
            return
        cursor.reading = False
        cursor.first, cursor.page = page.first, page.events
        if not self._asking:
            self._feed_on(reader)

    def _ask_again(self, reader: Connection, cursor: Cursor) -> None:
        cursor.reading = False
        self._feed_on(reader)

    def _feed_on(self, reader: Connection) -> None:
        """Go on with catching up, unless the socket is full: then it goes on by itself."""
        if not reader.is_full:
            self.catch_up(reader)

    def _late_rosters(self) -> None:
        """Crowds whose roster had to wait."""
        self._late_timer = None
        late, self._late = self._late, {}
        self.dirty.update(late)
        self.wake()
