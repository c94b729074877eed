"""Following the other nodes: what they appended is published here, too, in the log's order.

Laws: a feed publishes what its log has, one `seq` after the other, whoever appended it; a record of
the audit log holds on every node, in that log's order; members of a log that is another one now
are told so, by a `welcome` with `reset`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hubbub.chat import likeness
from hubbub.chat.session import Again
from hubbub.delivery.feed import Feed
from hubbub.delivery.keeper import RETRY, Done, Threaded
from hubbub.delivery.welcome import welcome
from hubbub.protocol.audit import AUDIT, USERS, Audit, read
from hubbub.protocol.outgoing import Missed, encode
from hubbub.store import events
from hubbub.store.base import Heard, News, Opened, Shared, StoreError
from hubbub.websocket.frames import text_frame

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.hub import Hub

T = TypeVar("T")


class Following(Threaded):
    """A keeper of a store that other nodes append to, too: `hear` gets the news, on the loop.

    Law: news that came with an answer are heard before it.
    """

    def __init__(self, store: Shared, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(store, loop)
        self.hear: Callable[[Heard], None] = _drop
        self.typing: Callable[[str, str], None] = _drop
        """Gets who is writing on another node: the room, and the member's key."""
        self.has_read: Callable[[str, str, int], None] = _drop
        """Gets who has read on another node: the room, the user, and how far."""
        self.presence = store.presence
        self._shared = store
        self._hinting = threading.Lock()
        self._hinted: dict[str, tuple[str, int]] = {}
        """Logs that will be looked at, for they are said to have come to here."""
        self._missed: dict[str, None] = {}
        """Logs that will be looked at, for what was said of them may not have come."""
        self._listens = False

    def start(self) -> None:
        """See `Keeper`; and listen to hints."""
        if not self._listens and not self._closed:
            self._listens = True
            self._shared.listen(self)
        super().start()

    async def close(self) -> None:
        """See `Keeper`."""
        if self._listens:
            await self._loop.run_in_executor(None, self._shared.listen_no_more)
        await super().close()

    def _write(self, what: Callable[[], T], done: Done[T]) -> None:
        self._writer.ask(partial(self._with_news, what), partial(self._tell, done))

    def _with_news(self, what: Callable[[], T]) -> tuple[list[Heard], T | StoreError]:
        answer: T | StoreError
        try:
            answer = what()
        except StoreError as problem:
            answer = problem
        return self._shared.take_news(), answer

    def _tell(self, done: Done[T], told: tuple[list[Heard], T | StoreError] | StoreError) -> None:
        if isinstance(told, StoreError):  # a fault of ours
            done(told)
            return
        news, answer = told
        for one in news:
            self.hear(one)
        done(answer)

    def do(self, what: Callable[[], T], done: Done[T]) -> None:
        """Do something with the store where its order matters; `done` gets what it gives."""
        self._write(what, done)

    def find(self, what: Callable[[], T], done: Done[T]) -> None:
        """Ask the store something; `done` gets the answer."""
        self._reader.ask(what, done)

    def whisper(self, room: str, key: str) -> None:
        """See `Shared.whisper`; where it cannot be said it is not."""
        self._reader.ask(partial(self._shared.whisper, room, key), _drop)

    def attend(self, user: str) -> None:
        """See `Shared.attend`."""
        self._shared.attend(user)

    def ignore(self, user: str) -> None:
        """See `Shared.ignore`."""
        self._shared.ignore(user)

    def whispered(self, room: str, key: str) -> None:
        """See `Ears`."""
        self._loop.call_soon_threadsafe(self.typing, room, key)

    def marked(self, room: str, user: str, seq: int) -> None:
        """See `Ears`."""
        self._loop.call_soon_threadsafe(self.has_read, room, user, seq)

    def moved(self, room: str, stamp: str, version: int, batch: bytes) -> None:
        """See `Ears`."""
        if self.presence.is_news(room, stamp, version):
            self._write(partial(self.presence.told, room, stamp, version, batch), self._looked)

    def grown(self, name: str, epoch: str, seq: int) -> None:
        """See `Ears`."""
        if not self._shared.is_news(name, epoch, seq):
            return
        with self._hinting:
            waits = name in self._hinted
            self._hinted[name] = (epoch, seq)
        if not waits:
            self._write(partial(self._follow, name), self._looked)

    def _follow(self, name: str) -> None:
        with self._hinting:
            epoch, seq = self._hinted.pop(name)
        self._shared.follow(name, epoch, seq)

    def missed(self, names: Sequence[str]) -> None:
        """See `Ears`."""
        with self._hinting:
            waits = bool(self._missed)
            self._missed.update(dict.fromkeys(names))
        if not waits:
            self._write(self._look, self._looked)

    def _look(self) -> None:
        with self._hinting:
            names, self._missed = list(self._missed), {}
        self._shared.follow_these(names)

    def _looked(self, nothing: StoreError | None) -> None:
        """What could not be looked at is looked at again until it can."""
        if nothing is not None and not self._closed:
            self._loop.call_later(RETRY, self._look_at_all)

    def _look_at_all(self) -> None:
        self._write(self._shared.follow_all, self._looked)


class Follower:
    """Publishes what other nodes appended."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def hear(self, news: News) -> None:
        """News of one log."""
        if news.log in {AUDIT, USERS}:
            for event in news.events:
                self._record(event.payload)
            return
        feed = self._hub.feeds.get(news.log)
        if feed is None:
            return
        if news.is_other:
            feed = self._reset(feed, news)
        elif news.first > feed.log.seq + 1:
            missed = Missed(feed.name, feed.log.seq + 1, news.first - 1)
            feed.log.tell(text_frame(encode(missed)))
        for seq, event in enumerate(news.events, news.first):
            payload = event.payload
            target = events.target_of(payload)
            if target:
                feed.change(target, event.changed)
                for edit, edited in event.emptied:
                    feed.change(edit, edited)
            elif payload.startswith(events.CHAT):
                feed.history.append((seq, payload))
                self._hub.lobby.overhear(feed.name, (payload,), time.monotonic())
            feed.log.keep(text_frame(payload), seq)
        self._hub.fanout.dirty[feed] = None
        self._hub.fanout.wake()

    def _record(self, payload: bytes) -> None:
        record = read(payload)
        if isinstance(record, Audit):
            for effect in self._hub.lobby.enforce(record):
                self._hub.put(effect)
            feed = self._hub.feeds.get(record.room)
            if record.action == "slow" and feed is not None:  # it may hold for longer
                self._hub.lobby.overhear(feed.name, feed.chats, time.monotonic(), record.ts)
        else:
            self._hub.lobby.standing.know(record.name, likeness.keys(record.name))

    def _reset(self, old: Feed, news: News) -> Feed:
        """The log is another one: all who are inside begin anew."""
        hub, name = self._hub, old.name
        opened = Opened(news.first - 1, news.epoch, [])
        feed = hub.feeds[name] = Feed(name, opened, old.history.maxlen or 0)
        feed.coming = old.coming
        for reader in [*old.ready.values(), *old.behind]:
            self._begin_anew(reader, old, feed)
        hub.fanout.forget(old)
        hub.log.warning("a room's log is another one now", room=name)
        return feed

    def _begin_anew(self, reader: Connection, old: Feed, feed: Feed) -> None:
        hub, session = self._hub, reader.session
        room, member = hub.lobby.rooms.get(feed.name), session.rooms.get(feed.name)
        if room is not None and member is not None:  # else it is about to leave
            again = Again(session, room, member, room.present(), None)
            frame = welcome(feed, again, hub.keeper.first(feed.name))
            hub.lobby.inform(session, frame, time.monotonic())
            frame.reset = True
            hub.fanout.tell(reader, frame)
        old.detach(reader)
        feed.attach(reader, feed.log.seq)
        reader.feeds = tuple(feed if one is old else one for one in reader.feeds)


def _drop(*_: object) -> None:
    """Nobody follows yet, or waits for an answer."""
