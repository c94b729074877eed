"""News: what readers hear of rooms that they follow without being in them.

Nothing of it is on the way of a message. Once in `--news-interval` the last messages of the
followed rooms are looked at, and who follows the same rooms is told by the same frame.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
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
        self._told: dict[str, int] = {}
        """Of each followed room, which message was the newest when it was looked at."""
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
            self._told.setdefault(room.room, room.seq)
            self._were_open.add(room.room)  # it may have got words since it was asked for
        if self._timer is None:
            self._timer = self._loop.call_later(self._interval, self._look)

    def forget(self, reader: Connection) -> None:
        """A reader follows nothing any more."""
        rooms = self._followed.pop(reader, None)
        if rooms is None:
            return
        del self._circles[rooms][reader]
        if not self._circles[rooms]:
            del self._circles[rooms]

    def _look(self) -> None:
        self._timer = None
        followed = set().union(*self._circles)
        self._told = {room: seq for room, seq in self._told.items() if room in followed}
        if not followed:
            return
        self._timer = self._loop.call_later(self._interval, self._look)
        feeds, everywhere = self._hub.feeds, self._hub.presence is not None
        found: dict[str, Fresh] = {}
        unseen: list[str] = []
        for room in followed:
            feed = feeds.get(room)
            if feed is None or not feed.history.maxlen:
                # Where this is the only node, nobody speaks in a room that nobody is in.
                if everywhere or feed is not None or room in self._were_open:
                    unseen.append(room)
            elif feed.history and feed.history[-1][0] > self._told[room]:
                found[room] = self._fresh(feed)
        self._were_open = followed & feeds.keys()
        self._tell(found)
        if unseen:
            self._hub.keeper.heads(unseen, partial(self._stood, unseen))

    def _fresh(self, feed: Feed) -> Fresh:
        told = self._told[feed.name]
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
            if said.seq != self._told.get(room, said.seq):
                found[room] = Fresh(room, said.seq, said.ts)
        self._tell(found)

    def _tell(self, found: dict[str, Fresh]) -> None:
        """Each circle of its own rooms among these, but nobody of rooms that they are in."""
        if not found:
            return
        self._told |= {room: fresh.seq for room, fresh in found.items()}
        lobby, fanout = self._hub.lobby, self._hub.fanout
        unix = lobby.unix(time.monotonic())
        for rooms, circle in list(self._circles.items()):
            news = [room for room in rooms if room in found]
            frames: dict[tuple[str, ...], bytes] = {}
            for reader in list(circle) if news else ():
                session = reader.session
                heard = tuple(
                    room
                    for room in news
                    if room not in session.rooms and lobby.hears(session, room, unix)
                )
                if not heard or reader.is_full:
                    continue  # who does not read now will see it by what they are told next
                frame = frames.get(heard)
                if frame is None:
                    frame = frames[heard] = encode(News([found[room] for room in heard]))
                fanout.tell(reader, frame)
