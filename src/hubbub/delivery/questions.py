"""What is asked of the store on the way: old messages, whose one is, which are someone's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Raw

from hubbub.chat.overview import put_head
from hubbub.chat.session import (
    AskAuthor,
    AskCounts,
    AskHeads,
    AskMarked,
    AskThread,
    AskUnread,
    AskWritings,
    Browse,
    Effect,
    Show,
    Tell,
)
from hubbub.delivery.keeper import Done, Found
from hubbub.protocol.outgoing import Error, Past, Thread
from hubbub.protocol.overview import Rooms
from hubbub.store.base import StoreError

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.feed import Feed
    from hubbub.delivery.hub import Hub

MOST: Final = 262_144
"""Bytes of old messages in one answer: it waits in memory for a reader who does not read."""
T = TypeVar("T")
Shown = Browse | AskThread
"""What shows messages: asked again where one was changed meanwhile."""
OfRooms = AskCounts | AskHeads | AskMarked | AskUnread
"""What is asked of all nodes, for who need not be in a room."""
Question = Shown | AskAuthor | AskWritings | OfRooms


class Questions:
    """What a hub asks its store, and goes on with when that has answered."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def ask(self, question: Question) -> None:
        """Ask the store, and go on when it has answered."""
        if isinstance(question, OfRooms):
            self._ask_of_rooms(question)
            return
        feed = self._hub.feeds[question.room]
        keeper, done = self._hub.keeper, partial(self._answered, question, feed.changes)
        before = feed.log.seq + 1
        if isinstance(question, Shown):  # of what the room has not heard yet, nothing
            before = question.before = min(question.before or before, before)
        match question:
            case Browse(limit=limit):
                keeper.before(question.room, before, limit, _then(done, partial(_past, question)))
            case AskThread(seq=seq, limit=limit):
                thread = _then(done, partial(_thread, question))
                keeper.thread(question.room, seq, before, limit, thread)
            case AskAuthor():
                keeper.author(question.room, question.seq, _then(done, question.then))
            case AskWritings():
                writings = _then(done, question.then)
                keeper.writings(question.room, question.author, question.most, writings)

    def _ask_of_rooms(self, question: OfRooms) -> None:
        done = partial(self._answered, question, 0)
        if isinstance(question, AskHeads):
            self._hub.keeper.heads(question.rooms, _then(done, question.then))
            return
        if isinstance(question, AskMarked):
            self._hub.keeper.read_by(question.user, _then(done, question.then))
            return
        if isinstance(question, AskUnread):
            self._hub.markers.know(question.session.socket)
            counted = _then(done, question.then)
            self._hub.keeper.unread(question.user, question.rooms, question.most, counted)
            return
        assert self._hub.presence is not None
        self._hub.presence.count(_then(done, question.then))

    def _answered(self, question: Question, changes: int, found: list[Effect] | StoreError) -> None:
        """What was asked of the store is there."""
        reader: Connection = question.session.socket
        if isinstance(found, StoreError):
            self._hub.refuse(reader, found, question.id)
            reader.answered()
            return
        for come in found:
            if isinstance(come, AskAuthor | AskWritings | OfRooms):
                self.ask(come)  # and its reader waits on
                return
            if isinstance(question, Shown) and isinstance(come, Tell):
                # Through the line, as all answers; who asked waits until it is shown.
                self._hub.put(Show(come.session, come.frame, question, changes))
                return
            self._hub.put(come)
        reader.answered()

    def show(self, effect: Show) -> None:
        """Show messages, unless they were read before a change that was told since: that would
        undo it."""
        reader: Connection = effect.session.socket
        feed = self._hub.feeds.get(effect.question.room)
        is_late = feed is not None and feed.changes != effect.changes and feed in reader.feeds
        if is_late and reader.is_open:
            self.ask(effect.question)
            return
        self._hub.fanout.tell(reader, effect.frame)
        self._hub.soon(reader.answered)


def survey(frame: Rooms, feeds: Mapping[str, Feed]) -> None:
    """Put into a list of rooms where their logs stand."""
    for room in frame.rooms:
        feed = feeds.get(room.room)
        if feed is None:
            continue  # who was in it has left since
        put_head(room, feed.log.seq, feed.history[-1][1] if feed.history else None)


def _past(question: Browse, answer: Found) -> list[Effect]:
    payloads, more = answer
    newest = _newest(payloads, 0)
    more |= len(newest) < len(payloads)
    past = Past(question.room, list(map(Raw, newest)), more, question.id)
    return [Tell(question.session, past)]


def _thread(question: AskThread, answer: Found | None) -> list[Effect]:
    seq = question.seq
    if answer is None:
        message = f"there is no message with seq {seq}"
        return [Tell(question.session, Error(message, "not_found", question.id))]
    (chat, *replies), more = answer
    newest = _newest(replies, len(chat))
    more |= len(newest) < len(replies)
    thread = Thread(question.room, seq, list(map(Raw, [chat, *newest])), more, question.id)
    return [Tell(question.session, thread)]


def _newest(payloads: list[bytes], size: int) -> list[bytes]:
    """As many of the last as fit beside `size` bytes, but one at least."""
    skipped = most = len(payloads)
    while skipped and (skipped == most or size + len(payloads[skipped - 1]) <= MOST):
        skipped -= 1
        size += len(payloads[skipped])
    return payloads[skipped:]


def _then(done: Done[list[Effect]], decide: Callable[[T], list[Effect]]) -> Done[T]:
    def answered(answer: T | StoreError) -> None:
        done(answer if isinstance(answer, StoreError) else decide(answer))

    return answered
