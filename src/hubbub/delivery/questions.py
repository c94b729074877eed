"""What is asked of the store on the way: old messages, whose one is, which are someone's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Raw

from hubbub.chat.session import AskAuthor, AskWritings, Browse, Effect, Tell
from hubbub.delivery.keeper import Done, Found, Keeper
from hubbub.protocol.outgoing import Past
from hubbub.store.base import StoreError

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.hub import Hub

MOST: Final = 262_144
"""Bytes of old messages in one answer: it waits in memory for a reader who does not read."""
T = TypeVar("T")
Question = Browse | AskAuthor | AskWritings


class Questions:
    """What a hub asks its store, and goes on with when that has answered."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def ask(self, question: Question) -> None:
        """Ask it of the store, with its reader waiting; or tell what it has found."""
        if isinstance(question, Browse) and question.found is not None:
            self._tell(question, *question.found)
            return
        feed = self._hub.feeds[question.room]
        if isinstance(question, Browse):  # of what the room has not heard yet, nothing
            question.before = min(question.before or feed.log.seq + 1, feed.log.seq + 1)
        ask(self._hub.keeper, question, partial(self._answered, question, feed.changes))

    def _answered(self, question: Question, changes: int, found: list[Effect] | StoreError) -> None:
        """What was asked of the store is there: go on with it."""
        hub = self._hub
        reader: Connection = question.session.socket
        if isinstance(found, StoreError):
            hub.refuse(reader, found, question.id)
        for come in found if isinstance(found, list) else ():
            if isinstance(come, AskAuthor | AskWritings):
                self.ask(come)  # and its reader waits on
                return
            if isinstance(question, Browse) and isinstance(come, Tell):
                question.found = (changes, come)
                hub.put(question)  # and its reader waits on
                return
            hub.put(come)
        reader.answered()

    def _tell(self, question: Browse, changes: int, told: Tell) -> None:
        """Its place in the line has come. Changes that went before it may have been told since."""
        hub = self._hub
        reader: Connection = question.session.socket
        feed = hub.feeds.get(question.room)
        question.found = None
        if feed is not None and feed.changes != changes and feed in reader.feeds and reader.is_open:
            self.ask(question)  # it would undo what was told
            return
        hub.fanout.tell(reader, told.frame)
        hub.soon(reader.answered)


def ask(keeper: Keeper, question: Question, done: Done[list[Effect]]) -> None:
    """Ask it; `done` is called with what comes of the answer."""
    match question:
        case Browse(before=before):
            assert before is not None
            past = _then(done, partial(_past, question))
            keeper.before(question.room, before, question.limit, past)
        case AskAuthor():
            keeper.author(question.room, question.seq, _then(done, question.then))
        case AskWritings():
            writings = _then(done, question.then)
            keeper.writings(question.room, question.author, question.most, writings)


def _past(question: Browse, answer: Found) -> list[Effect]:
    payloads, more = answer
    size, skipped = 0, len(payloads)
    while skipped and (not size or size + len(payloads[skipped - 1]) <= MOST):
        skipped -= 1
        size += len(payloads[skipped])
    events = list(map(Raw, payloads[skipped:]))
    return [Tell(question.session, Past(question.room, events, more or skipped > 0, question.id))]


def _then(done: Done[list[Effect]], decide: Callable[[T], list[Effect]]) -> Done[T]:
    def answered(answer: T | StoreError) -> None:
        done(answer if isinstance(answer, StoreError) else decide(answer))

    return answered
