"""The hub: the turn that everything a room hears passes through.

Once per turn of the event loop: commit (the turn's chats go to the store as one batch), publish
(effects are felt in order, frames are added to the rooms' logs), flush (each room that changed
writes once to each reader that can take it).

Laws: nothing is published that the store has not confirmed; effects are felt in the order in
which they were decided; a reader whose socket is full is skipped, and costs the others nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from hubbub.chat.lobby import Lobby
from hubbub.chat.session import Again, Dismiss, Effect, Enter, Exit, Post, Tell
from hubbub.delivery.connection import Connection
from hubbub.delivery.feed import Feed
from hubbub.protocol.outgoing import Error, Gap, Joined, Left, Outgoing, Welcome, encode
from hubbub.store.base import Outcome, Store, Stored
from hubbub.websocket.frames import text_frame

CATCH_UP: int = 1 << 20
"""Bytes that one reader is fed in one go before the others have their turn."""


class Rules(Protocol):
    """The settings that delivery needs; `hubbub.settings.Settings` is one such."""

    @property
    def history(self) -> int: ...
    @property
    def tail_events(self) -> int: ...
    @property
    def tail_bytes(self) -> int: ...


class Hub:
    """All feeds of this node, and the line of effects that wait for the next turn."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, lobby: Lobby, store: Store, rules: Rules
    ) -> None:
        self.lobby = lobby
        self.feeds: dict[str, Feed] = {}
        self.log = structlog.get_logger()
        self._loop = loop
        self._store = store
        self._history = rules.history
        self._tail_events = rules.tail_events
        self._tail_bytes = rules.tail_bytes
        self._line: list[Effect] = []
        self._first: dict[str, int] = {}
        """Log → the `seq` of its next event that is stored but not published yet."""
        self._dirty: dict[Feed, None] = {}
        self._choked: list[Connection] = []
        self._writing = False
        self._scheduled = False
        self._late: dict[Feed, None] = {}
        self._late_timer: asyncio.TimerHandle | None = None

    # What happens to the line

    def put(self, effect: Effect) -> None:
        """Let one effect be felt in the next turn."""
        self._line.append(effect)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def soon(self, what: Callable[[], None]) -> None:
        """Do something in the next turn of the loop."""
        self._loop.call_soon(what)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after a while."""
        self._loop.call_later(seconds, what)

    def drop(self, reader: Connection) -> None:
        """A reader is gone: it leaves its rooms, once."""
        for effect in self.lobby.drop(reader.session):
            self.put(effect)

    def _turn(self) -> None:
        self._scheduled = False
        line = self._line
        if line:
            self._line = []
            posts = [effect for effect in line if type(effect) is Post]
            outcomes: list[Outcome] = []
            if posts:
                outcomes = self._store.append(posts, time.time_ns() // 1_000_000)
            if len(posts) == len(line):
                for post, outcome in zip(posts, outcomes, strict=True):
                    self._publish(post, outcome)
            else:
                self._publish_among(line, posts, outcomes)
        dirty = self._dirty
        if dirty:
            self._dirty = {}
            for feed in dirty:
                self._flush(feed)

    def _publish_among(
        self, line: list[Effect], posts: list[Post], outcomes: list[Outcome]
    ) -> None:
        """Publish a turn's posts between its other effects, each at its place."""
        self._first = {
            post.log: outcome.seq
            for post, outcome in zip(reversed(posts), reversed(outcomes), strict=True)
            if type(outcome) is Stored and outcome.fresh
        }
        confirmed = iter(outcomes)
        for effect in line:
            if type(effect) is Post:
                outcome = next(confirmed)
                self._publish(effect, outcome)
                if effect.log in self._first:
                    self._first[effect.log] = max(self._first[effect.log], outcome.seq + 1)
            else:
                self._feel(effect)
        self._first.clear()

    def _publish(self, post: Post, outcome: Outcome) -> None:
        if type(outcome) is Stored:
            if outcome.fresh:
                feed = self.feeds[post.log]
                feed.log.keep(text_frame(outcome.payload), outcome.seq)
                self._dirty[feed] = None
            else:
                self._tell(post.session.socket, outcome.payload)
        else:
            message = f"the id was used before, for the message with seq {outcome.seq}"
            self._tell(post.session.socket, Error(message, "id_reused", post.id))

    def _feel(self, effect: Effect) -> None:
        match effect:
            case Tell():
                self._tell(effect.session.socket, effect.frame)
            case Enter():
                self._enter(effect)
            case Exit():
                self._exit(effect)
            case Again():
                feed = self.feeds[effect.room.name]
                self._tell(effect.member.session.socket, self._welcome(feed, effect))
            case Dismiss():
                effect.session.socket.close(effect.code, effect.reason)
            case Post():  # pragma: no cover - `_turn` publishes posts
                raise AssertionError("a post is published, with its outcome")

    def _tell(self, reader: Connection, frame: Outgoing | bytes) -> None:
        """A frame for one reader, after all that its rooms said before it in this turn."""
        for feed in reader.feeds:
            if feed.flushed != feed.log.head:
                feed.hold(reader)
                cursor = feed.behind[reader]
                while not reader.is_full and (data := feed.next(cursor)):
                    reader.write(data)
        reader.write(text_frame(frame if isinstance(frame, bytes) else encode(frame)))

    # Coming and going

    def _enter(self, effect: Enter) -> None:
        name, member = effect.room.name, effect.member
        reader: Connection = member.session.socket
        feed = self.feeds.get(name)
        if feed is None:
            # The store is ahead of what is published by the rest of this turn's batch.
            seq = self._first.get(name, self._store.log(name).seq + 1) - 1
            feed = self.feeds[name] = Feed(name, self._store, seq)
        welcome = self._welcome(feed, effect)
        seen = feed.log.seq
        if effect.since is not None:
            seen = self._resume(feed, effect, welcome)
        self._tell(reader, welcome)
        feed.attach(reader, seen)
        reader.feeds += (feed,)
        if not effect.quiet:
            feed.log.tell(text_frame(encode(Joined(name, member.name))))
        self._dirty[feed] = None
        self.log.info("join", conn_id=reader.id, room=name, username=member.name)

    def _welcome(self, feed: Feed, effect: Enter | Again) -> Welcome:
        member = effect.member
        return Welcome(
            room=feed.name,
            username=member.name,
            users=effect.users,
            count=effect.count,
            seq=feed.log.seq,
            epoch=self._store.log(feed.name).epoch,
            session=member.session.secret,
            history=feed.latest(self._history),
            id=effect.id,
        )

    def _resume(self, feed: Feed, effect: Enter, welcome: Welcome) -> int:
        """Make a welcome one of coming back; gives the `seq` after which events follow it."""
        head = feed.log.seq
        since = effect.since or 0
        if since > head or (effect.epoch is not None and effect.epoch != welcome.epoch):
            welcome.reset = True
            return head
        welcome.history = None
        if since == head:
            return head
        first, _ = self._store.after(feed.name, since, 1)
        if first > since + 1:
            welcome.gap = Gap(since + 1, first - 1)
        return first - 1

    def _exit(self, effect: Exit) -> None:
        name, member = effect.room.name, effect.member
        reader: Connection = member.session.socket
        feed = self.feeds[name]
        cursor = feed.detach(reader)
        reader.feeds = tuple(other for other in reader.feeds if other is not feed)
        if cursor is not None and reader.is_open and not effect.replaced:
            while not reader.is_full and (data := feed.next(cursor)):
                reader.write(data)
        if effect.answer is not None:
            self._tell(reader, Left(name, member.name, effect.answer))
        if not effect.quiet:
            feed.log.tell(text_frame(encode(Left(name, member.name))))
        if feed.ready or feed.behind:
            self._dirty[feed] = None
        else:
            del self.feeds[name]
            self._dirty.pop(feed, None)
            self._store.rest(name, self._loop.time())
        if not effect.replaced:
            self.log.info("leave", conn_id=reader.id, room=name, username=member.name)

    # Writing

    def _flush(self, feed: Feed) -> None:
        room = self.lobby.rooms.get(feed.name)
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
        """One piece to each ready reader: the loop that everything else is built around."""
        size = len(data)
        ready = feed.ready
        slow: list[tuple[Connection, int]] = []
        self._writing = True
        # Keys alone: to touch the readers too would cost a cache miss for each of them.
        for send in ready:
            try:
                sent = send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                sent = -1
            if sent != size:
                slow.append((ready[send], sent))
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

    def catch_up(self, reader: Connection) -> None:
        """Feed a reader from where it stands, as far as its socket takes it."""
        if not reader.is_open:
            return
        budget = CATCH_UP
        for feed in reader.feeds:
            cursor = feed.behind.get(reader)
            if cursor is None:
                continue
            while data := feed.next(cursor):
                reader.write(data)
                budget -= len(data)
                if reader.is_full:
                    return
                if budget <= 0:
                    self._loop.call_soon(self.catch_up, reader)
                    return
            if cursor.stale:
                cursor.stale = False
                room = self.lobby.rooms.get(feed.name)
                if room is not None:
                    self._tell(reader, room.roster())
                if reader.is_full:
                    return
            if cursor.offset == feed.flushed:
                feed.release(reader)
            else:
                self._dirty[feed] = None
                self._wake()
        reader.go_on()

    def _late_rosters(self) -> None:
        """Crowds whose roster had to wait."""
        self._late_timer = None
        late, self._late = self._late, {}
        for feed in late:
            if self.feeds.get(feed.name) is feed:
                self._dirty[feed] = None
        self._wake()

    def _wake(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)
