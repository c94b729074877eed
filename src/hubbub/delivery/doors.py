"""Rooms' logs are opened when people come, closed when the last one is gone; who is told what then.

Law: a log is open as long as someone is in the room, or about to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hubbub.chat import names
from hubbub.chat.session import Again, Enter, Exit
from hubbub.delivery.feed import Feed
from hubbub.delivery.welcome import resume, welcome
from hubbub.protocol.outgoing import Joined, Left, Welcome, encode
from hubbub.store.base import Opened, StoreError
from hubbub.websocket.frames import text_frame

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.hub import Hub


class Doors:
    """Lets people into the feeds of a hub, with the last `history` chats, and out of them."""

    def __init__(self, hub: Hub, history: int) -> None:
        self._hub = hub
        self._history = history
        self._opening: dict[str, list[Callable[[StoreError | None], None]]] = {}

    def expect(self, reader: Connection, enter: Enter) -> None:
        """A reader was let in, and will be told so."""
        self._hub.feeds[enter.room.name].coming += 1
        reader.returning += enter.since is not None

    def expect_no_more(self, place: str) -> None:
        """Who asked to come in is answered."""
        self._hub.feeds[place].coming -= 1
        self.end_if_idle(place)

    def end_if_idle(self, room: str) -> None:
        """Close a room's log where nobody is in it, or about to come."""
        feed = self._hub.feeds.get(names.tidy(room))
        if feed is not None and not feed.is_needed:
            self._end(feed)

    def ready(self, room: str, then: Callable[[StoreError | None], None]) -> bool:
        """Whether a room's log is open; if not it will be, and `then` is called."""
        name = names.tidy(room)
        if name in self._hub.feeds:
            return True
        if name not in self._opening:
            self._opening[name] = []
            self._hub.keeper.open(name, self._history, partial(self._opened, name))
            if name in self._hub.feeds:
                return True
        self._opening[name].append(then)
        return False

    def _opened(self, name: str, opened: Opened | StoreError) -> None:
        waiting = self._opening.pop(name)
        problem = opened if isinstance(opened, StoreError) else None
        if problem is not None and self._hub.lobby.occupancy is not None:
            self._hub.lobby.occupancy.forget(name)
        if not isinstance(opened, StoreError):
            feed = self._hub.feeds[name] = Feed(name, opened, self._history)
            self._hub.lobby.overhear(name, feed.chats, time.monotonic())
        for then in waiting:
            then(problem)
        if waiting:
            self.end_if_idle(name)  # all who waited for it may be gone

    def _end(self, feed: Feed) -> None:
        del self._hub.feeds[feed.name]
        self._hub.fanout.forget(feed)
        self._hub.keeper.rest(feed.name)
        if self._hub.lobby.occupancy is not None:
            self._hub.lobby.occupancy.forget(feed.name)

    def is_open(self, place: str) -> bool:
        """Whether a room's log is open, or about to be."""
        return place in self._hub.feeds or place in self._opening

    def welcome(self, effect: Enter | Again) -> Welcome:
        """What who comes in is told first."""
        name = effect.room.name
        frame = welcome(self._hub.feeds[name], effect, self._hub.keeper.first(name))
        self._hub.lobby.inform(effect.session, frame, time.monotonic())
        return frame

    def enter(self, effect: Enter) -> None:
        """Someone is in the room from now on."""
        name, member = effect.room.name, effect.member
        reader: Connection = effect.session.socket
        feed = self._hub.feeds[name]
        frame = self.welcome(effect)
        seen = feed.log.seq
        if effect.since is not None:
            reader.returning -= 1
            self._hub.soon(reader.go_on)
            seen = resume(frame, effect.since, effect.epoch, self._hub.keeper.first(name))
        self._hub.fanout.tell(reader, frame)
        feed.coming -= 1
        feed.attach(reader, seen)
        reader.feeds = (*reader.feeds, feed) if reader.feeds else feed.alone
        self._hub.markers.attend(reader)
        # Not when it was decided: a flush in between would tell the roster before this.
        effect.room.roster_due |= effect.changes
        quiet = effect.quiet
        if quiet is None:
            quiet = not effect.room.introduce(member)
        if not quiet:
            joined = Joined(name, member.name, member.title, member.guest)
            feed.log.tell(text_frame(encode(joined)))
        self._hub.fanout.dirty[feed] = None
        self._hub.log.info("join", conn_id=reader.id, room=name, username=member.name)

    def leave(self, effect: Exit) -> None:
        """Someone is in the room no more."""
        name, member = effect.room.name, effect.member
        reader: Connection = effect.session.socket
        feed = self._hub.feeds[name]
        cursor = feed.detach(reader)
        reader.feeds = tuple(other for other in reader.feeds if other is not feed)
        if cursor is not None and reader.is_open and not effect.replaced:
            # Even into a socket that has filled since: the answers to its last words are there,
            # and no more than what was said since it was told to go.
            while data := feed.next(cursor):
                reader.write(data)
        if effect.answer is not None:
            self._hub.fanout.tell(reader, Left(name, member.name, effect.answer))
        effect.room.roster_due |= effect.changes
        if not effect.quiet:
            feed.log.tell(text_frame(encode(Left(name, member.name))))
        if self._hub.presence is not None:
            self._hub.presence.free(name, member, effect.session)
        if feed.is_needed:
            self._hub.fanout.dirty[feed] = None
        else:
            self._end(feed)
        if not effect.replaced:
            self._hub.log.info("leave", conn_id=reader.id, room=name, username=member.name)
