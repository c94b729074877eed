"""What is asked of the store on the way: old messages, whose one is, which are someone's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from msgspec import Raw

from hubbub.chat.session import AskAuthor, AskWritings, Browse, Effect, Tell
from hubbub.delivery.keeper import Done, Found, Keeper
from hubbub.protocol.outgoing import Past
from hubbub.store.base import StoreError

MOST: Final = 262_144
"""Bytes of old messages in one answer: it waits in memory for a reader who does not read."""
T = TypeVar("T")
Question = Browse | AskAuthor | AskWritings


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
