"""Keepers whose stores answer when a test says so, or fail."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from hubbub.delivery.keeper import Done, Found, Inline
from hubbub.protocol.draft import Authored, Draft
from hubbub.store.base import Opened, Outcome, Page, Store, Stored, StoreError

T = TypeVar("T")


class Later(Inline):
    """A keeper whose store answers when the test says so, in order, or fails."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(store, loop)
        self.questions: deque[Callable[[], None]] = deque()
        self.failing = False

    def append(self, drafts: Sequence[Draft], ts: int, done: Done[list[Outcome]]) -> None:
        self._ask(done, lambda: self._store.append(drafts, ts))

    def open(self, name: str, count: int, done: Done[Opened]) -> None:
        self._ask(done, lambda: self._store.open(name, count))

    def after(self, name: str, seq: int, count: int, done: Done[Page]) -> None:
        self._ask(done, lambda: self._store.after(name, seq, count))

    def before(self, name: str, seq: int, count: int, done: Done[Found]) -> None:
        self._ask(done, lambda: self._store.before(name, seq, count))

    def author(self, name: str, seq: int, done: Done[Authored | None]) -> None:
        self._ask(done, lambda: self._store.author(name, seq))

    def writings(self, name: str, author: bytes, count: int, done: Done[list[int]]) -> None:
        self._ask(done, lambda: self._store.writings(name, author, count))

    def thread(
        self, name: str, seq: int, before: int, count: int, done: Done[Found | None]
    ) -> None:
        self._ask(done, lambda: self._store.thread(name, seq, before, count))

    def rest(self, name: str) -> None:
        self._ask(lambda _: None, lambda: self._store.rest(name, 0.0))

    def _ask(self, done: Done[T], what: Callable[[], T]) -> None:
        def answer() -> None:
            done(StoreError("the disk is full") if self.failing else what())

        self.questions.append(answer)

    def work(self) -> bool:
        """Answer the oldest question; whether there was one."""
        if self.questions:
            self.questions.popleft()()
            return True
        return False


class Twofold(Later):
    """A keeper as of two threads: what writes and what reads overtake each other.

    Each has a line of its own. `work` does the next thing of one of them, `tell` gives the oldest
    answer of one of them to who asked. `confirmed` has how far each log was told to be.
    """

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(store, loop)
        self.lines: dict[str, deque[Callable[[], Callable[[], None]]]] = {
            "write": deque(),
            "read": deque(),
        }
        self.answers: dict[str, deque[Callable[[], None]]] = {"write": deque(), "read": deque()}
        self.confirmed: dict[str, int] = {}

    def append(self, drafts: Sequence[Draft], ts: int, done: Done[list[Outcome]]) -> None:
        logs = [draft.log for draft in drafts]

        def confirm(outcomes: list[Outcome] | StoreError) -> None:
            if not isinstance(outcomes, StoreError):
                for log, outcome in zip(logs, outcomes, strict=True):
                    if isinstance(outcome, Stored):
                        self._confirm(log, outcome.seq)
            done(outcomes)

        self._ask(confirm, lambda: self._store.append(drafts, ts))

    def open(self, name: str, count: int, done: Done[Opened]) -> None:
        def confirm(opened: Opened | StoreError) -> None:
            if not isinstance(opened, StoreError):
                self._confirm(name, opened.seq)
            done(opened)

        self._ask(confirm, lambda: self._store.open(name, count))

    def after(self, name: str, seq: int, count: int, done: Done[Page]) -> None:
        self._ask(done, lambda: self._store.after(name, seq, count), "read")

    def before(self, name: str, seq: int, count: int, done: Done[Found]) -> None:
        self._ask(done, lambda: self._store.before(name, seq, count), "read")

    def thread(
        self, name: str, seq: int, before: int, count: int, done: Done[Found | None]
    ) -> None:
        self._ask(done, lambda: self._store.thread(name, seq, before, count), "read")

    def _confirm(self, log: str, seq: int) -> None:
        self.confirmed[log] = max(seq, self.confirmed.get(log, 0))

    def _ask(self, done: Done[T], what: Callable[[], T], whose: str = "write") -> None:
        def answer() -> Callable[[], None]:
            came = StoreError("the disk is full") if self.failing else what()
            return lambda: done(came)

        self.lines[whose].append(answer)

    def do(self, whose: str) -> None:
        """The next thing in this line."""
        if self.lines[whose]:
            self.answers[whose].append(self.lines[whose].popleft()())

    def tell(self, whose: str) -> None:
        """The oldest answer to what was asked in this line."""
        if self.answers[whose]:
            self.answers[whose].popleft()()

    def work(self) -> bool:
        before = any(self.lines.values()) or any(self.answers.values())
        for whose in ("write", "read"):
            self.do(whose)
            self.tell(whose)
        return before
