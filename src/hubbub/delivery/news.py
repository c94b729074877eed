"""News: what readers hear of rooms that they follow without being in them.

Nothing of it is on the way of a message. Once in `--news-interval` the last messages of the
followed rooms are looked at, and who follows the same rooms is told by the same frame.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from hubbub.chat.overview import read_said
from hubbub.chat.session import Heed
from hubbub.protocol.outgoing import encode
from hubbub.protocol.overview import Fresh, News
from hubbub.store.base import StoreError

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.feed import Feed
    from hubbub.delivery.hub import Hub
    from hubbub.delivery.keeper import Heads


class Gazette:
    """Tells readers of news. `interval` is in seconds."""

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        self._hub = hub
        self._loop = loop
        self._interval = interval
        self._circles: dict[tuple[str, ...], dict[Connection, None]] = {}
        """Who follows the same rooms."""
        self._followed: dict[Connection, tuple[str, ...]] = {}
        """The rooms that each reader follows."""
        self._told: dict[str, Fresh] = {}
        """Of each followed room, its newest message when it was looked at."""
        self._owed: dict[Connection, set[str]] = {}
        """Who did not read when there was news, and of which rooms."""
        self._were_open: set[str] = set()
        """Followed rooms that had someone in them then: they may have got words since."""
        self._timer: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heed(self, effect: Heed) -> None:
        """A reader follows other rooms from now on, and hears how they stand."""
        reader: Connection = effect.session.socket
        self.forget(reader)
        if not reader.is_open:
            return
        self._hub.fanout.tell(reader, effect.frame)
        rooms = tuple(room.room for room in effect.frame.rooms)
        if not rooms:
            return
        self._followed[reader] = rooms
        self._circles.setdefault(rooms, {})[reader] = None
        for room in effect.frame.rooms:
            self._told.setdefault(room.room, room)
            self._were_open.add(room.room)  # it may have got words since it was asked for
        if self._timer is None:
            self._timer = self._loop.call_later(self._interval, self._look)

    def forget(self, reader: Connection) -> None:
        """A reader follows nothing any more."""
        self._owed.pop(reader, None)
        rooms = self._followed.pop(reader, None)
        if rooms is None:
            return
        del self._circles[rooms][reader]
        if not self._circles[rooms]:
            del self._circles[rooms]

    def _look(self) -> None:
        self._timer = None
        followed = set().union(*self._circles)
        self._told = {room: fresh for room, fresh in self._told.items() if room in followed}
        if not followed:
            return
        self._timer = self._loop.call_later(self._interval, self._look)
        self._pay()
        feeds, everywhere = self._hub.feeds, self._hub.presence is not None
        found: dict[str, Fresh] = {}
        unseen: list[str] = []
        for room in followed:
            feed = feeds.get(room)
            if feed is None or not feed.history.maxlen:
                # Where this is the only node, nobody speaks in a room that nobody is in.
                if everywhere or feed is not None or room in self._were_open:
                    unseen.append(room)
            elif feed.history and feed.history[-1][0] != self._told[room].seq:
                found[room] = self._fresh(feed)
        self._were_open = followed & feeds.keys()
        self._tell(found)
        if unseen:
            self._hub.keeper.heads(unseen, partial(self._stood, unseen))

    def _fresh(self, feed: Feed) -> Fresh:
        told = self._told[feed.name].seq
        if feed.history[-1][0] < told:
            told = 0  # the log is another one
        new = list(takewhile(lambda one: one[0] > told, reversed(feed.history)))
        mentions: dict[str, None] = {}
        for _, payload in new:
            if b'"mentions":[' in payload:
                mentions |= dict.fromkeys(read_said(payload).mentions)
        last = read_said(new[0][1])
        return Fresh(feed.name, last.seq, last.ts, len(new), list(mentions))

    def _stood(self, rooms: Sequence[str], heads: Heads | StoreError) -> None:
        if isinstance(heads, StoreError):
            self._were_open.update(rooms)  # looked at again the next time
            return
        found: dict[str, Fresh] = {}
        for room, (_, last) in zip(rooms, heads, strict=True):
            if last is None:
                continue
            said = read_said(last)
            if room in self._told and said.seq != self._told[room].seq:
                found[room] = Fresh(room, said.seq, said.ts)
        self._tell(found)

    def _tell(self, found: dict[str, Fresh]) -> None:
        """Each circle of its own rooms among these, but nobody of rooms that they are in."""
        if not found:
            return
        for fresh in found.values():
            self._told[fresh.room] = Fresh(fresh.room, fresh.seq, fresh.ts)
        unix = self._hub.lobby.unix(time.monotonic())
        for rooms, circle in list(self._circles.items()):
            news = [room for room in rooms if room in found]
            frames: dict[tuple[str, ...], bytes] = {}
            for reader in list(circle) if news else ():
                if reader.is_full:
                    self._owed.setdefault(reader, set()).update(news)
                    continue
                heard = self._heard(reader, news, unix)
                frame = frames.get(heard)
                if frame is None and heard:
                    frame = frames[heard] = encode(News([found[room] for room in heard]))
                if frame is not None:
                    self._hub.fanout.tell(reader, frame)

    def _heard(self, reader: Connection, news: Iterable[str], unix: int) -> tuple[str, ...]:
        """Those of these rooms that a reader hears of now (Unix ms)."""
        session, hears = reader.session, self._hub.lobby.hears
        return tuple(
            room for room in news if room not in session.rooms and hears(session, room, unix)
        )

    def _pay(self) -> None:
        """Tell who did not read then how the rooms stand, without what came in between."""
        unix = self._hub.lobby.unix(time.monotonic())
        for reader in [reader for reader in self._owed if not reader.is_full]:
            rooms = [room for room in sorted(self._owed.pop(reader)) if room in self._told]
            heard = self._heard(reader, rooms, unix)
            if heard:
                self._hub.fanout.tell(reader, News([self._told[room] for room in heard]))
