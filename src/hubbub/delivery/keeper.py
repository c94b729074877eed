"""The keeper: what the hub asks the store through, so that the event loop never waits for it.

Each question has a `done` that is called with the answer, or with a `StoreError`: at once where
the store is in memory, later and on the loop where it works on threads of its own.

Laws: answers to `append`, `open` and `rest` come in the order of asking; a failure is told to
each who asked; after one, the store is tried again every `RETRY` seconds until it works.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Final, Protocol, TypeVar

import structlog

from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.markers import Mark, Unread
from hubbub.store.base import Opened, Outcome, Page, Store, StoreError

T = TypeVar("T")
Done = Callable[[T | StoreError], None]
Found = tuple[list[bytes], bool]
"""Chats, oldest first, and whether there are older ones."""
Heads = list[tuple[int, bytes | None]]
"""The `seq` of each log's newest event, and its last chat."""

RETRY: Final = 1.0
"""Seconds until a store that failed is tried again, and who was refused may ask again."""
TIDY: Final = 1.0
"""Seconds between two looks for what the store may let go of."""


class Keeper(Protocol):
    """Asks a store. `problem` says why it does not work at the moment; None: it does."""

    problem: str | None

    def append(self, drafts: Sequence[Draft], ts: int, done: Done[list[Outcome]]) -> None:
        """See `Store.append`."""
        ...

    def open(self, name: str, count: int, done: Done[Opened]) -> None:
        """See `Store.open`."""
        ...

    def first(self, name: str) -> int:
        """See `Store.first`."""
        ...

    def after(self, name: str, seq: int, count: int, done: Done[Page]) -> None:
        """See `Store.after`."""
        ...

    def before(self, name: str, seq: int, count: int, done: Done[Found]) -> None:
        """See `Store.before`."""
        ...

    def author(self, name: str, seq: int, done: Done[Authored | None]) -> None:
        """See `Store.author`."""
        ...

    def thread(
        self, name: str, seq: int, before: int, count: int, done: Done[Found | None]
    ) -> None:
        """See `Store.thread`."""
        ...

    def writings(self, name: str, author: bytes, count: int, done: Done[list[int]]) -> None:
        """See `Store.writings`."""
        ...

    def heads(self, names: Sequence[str], done: Done[Heads]) -> None:
        """See `Store.heads`."""
        ...

    def mark(self, marks: Sequence[Mark], done: Done[list[int | None]]) -> None:
        """See `Store.mark`."""
        ...

    def unread(
        self, user: bytes, names: Sequence[str], most: int, done: Done[list[Unread | None]]
    ) -> None:
        """See `Store.unread`."""
        ...

    def read_by(self, user: bytes, done: Done[list[str]]) -> None:
        """See `Store.read_by`."""
        ...

    def rest(self, name: str) -> None:
        """See `Store.rest`."""
        ...

    def start(self) -> None:
        """Tidy now and then, from now on."""
        ...

    async def close(self) -> None:
        """Wait for what is being done, and close the store."""
        ...


class Inline:
    """A keeper of a store that answers at once."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.problem: str | None = None
        self._store = store
        self._loop = loop
        self._tidier: asyncio.TimerHandle | None = None
        self.first = store.first

    def append(self, drafts: Sequence[Draft], ts: int, done: Done[list[Outcome]]) -> None:
        """See `Keeper`."""
        done(self._store.append(drafts, ts))

    def open(self, name: str, count: int, done: Done[Opened]) -> None:
        """See `Keeper`."""
        done(self._store.open(name, count))

    def after(self, name: str, seq: int, count: int, done: Done[Page]) -> None:
        """See `Keeper`."""
        done(self._store.after(name, seq, count))

    def before(self, name: str, seq: int, count: int, done: Done[Found]) -> None:
        """See `Keeper`."""
        done(self._store.before(name, seq, count))

    def author(self, name: str, seq: int, done: Done[Authored | None]) -> None:
        """See `Keeper`."""
        done(self._store.author(name, seq))

    def thread(
        self, name: str, seq: int, before: int, count: int, done: Done[Found | None]
    ) -> None:
        """See `Keeper`."""
        done(self._store.thread(name, seq, before, count))

    def writings(self, name: str, author: bytes, count: int, done: Done[list[int]]) -> None:
        """See `Keeper`."""
        done(self._store.writings(name, author, count))

    def heads(self, names: Sequence[str], done: Done[Heads]) -> None:
        """See `Keeper`."""
        done(self._store.heads(names))

    def mark(self, marks: Sequence[Mark], done: Done[list[int | None]]) -> None:
        """See `Keeper`."""
        done(self._store.mark(marks))

    def unread(
        self, user: bytes, names: Sequence[str], most: int, done: Done[list[Unread | None]]
    ) -> None:
        """See `Keeper`."""
        done(self._store.unread(user, names, most))

    def read_by(self, user: bytes, done: Done[list[str]]) -> None:
        """See `Keeper`."""
        done(self._store.read_by(user))

    def rest(self, name: str) -> None:
        """See `Keeper`."""
        self._store.rest(name, time.time())

    def start(self) -> None:
        """See `Keeper`."""
        self._store.tidy(time.time())
        self._tidier = self._loop.call_later(TIDY, self.start)

    async def close(self) -> None:
        """See `Keeper`."""
        if self._tidier is not None:
            self._tidier.cancel()
        self._store.close()


class Threaded:
    """A keeper of a store that takes its time: one thread for what writes, one for what reads."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.problem: str | None = None
        self.first = store.first
        self._store = store
        self._loop = loop
        self._writer = _Worker("hubbub-writer", loop)
        self._reader = _Worker("hubbub-reader", loop)
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._unread = ""
        """Why something could not be read, as it was logged last."""
        self._log = structlog.get_logger()

    def append(self, drafts: Sequence[Draft], ts: int, done: Done[list[Outcome]]) -> None:
        """See `Keeper`."""
        self._write(partial(self._store.append, drafts, ts), partial(self._appended, done))

    def _write(self, what: Callable[[], T], done: Done[T]) -> None:
        self._writer.ask(what, done)

    def _appended(self, done: Done[list[Outcome]], outcomes: list[Outcome] | StoreError) -> None:
        self._judge(outcomes)
        done(outcomes)
        if self._store.is_untidy:
            self._write(partial(self._store.tidy, time.time()), self._judge)

    def open(self, name: str, count: int, done: Done[Opened]) -> None:
        """See `Keeper`."""
        self._write(partial(self._store.open, name, count), partial(self._read, done))

    def after(self, name: str, seq: int, count: int, done: Done[Page]) -> None:
        """See `Keeper`."""
        self._reader.ask(partial(self._store.after, name, seq, count), partial(self._read, done))

    def before(self, name: str, seq: int, count: int, done: Done[Found]) -> None:
        """See `Keeper`."""
        self._reader.ask(partial(self._store.before, name, seq, count), partial(self._read, done))

    def _read(self, done: Done[T], answer: T | StoreError) -> None:
        """One room that cannot be read is said once, and no reason to take nothing from others."""
        if isinstance(answer, StoreError) and str(answer) != self._unread:
            self._unread = str(answer)
            self._log.error("store cannot read", reason=self._unread)
        done(answer)

    def author(self, name: str, seq: int, done: Done[Authored | None]) -> None:
        """See `Keeper`."""
        self._reader.ask(partial(self._store.author, name, seq), done)

    def thread(
        self, name: str, seq: int, before: int, count: int, done: Done[Found | None]
    ) -> None:
        """See `Keeper`."""
        self._reader.ask(partial(self._store.thread, name, seq, before, count), done)

    def writings(self, name: str, author: bytes, count: int, done: Done[list[int]]) -> None:
        """See `Keeper`."""
        self._reader.ask(partial(self._store.writings, name, author, count), done)

    def heads(self, names: Sequence[str], done: Done[Heads]) -> None:
        """See `Keeper`."""
        self._reader.ask(partial(self._store.heads, names), partial(self._read, done))

    def mark(self, marks: Sequence[Mark], done: Done[list[int | None]]) -> None:
        """See `Keeper`."""
        self._write(partial(self._store.mark, marks), done)

    def unread(
        self, user: bytes, names: Sequence[str], most: int, done: Done[list[Unread | None]]
    ) -> None:
        """See `Keeper`."""
        unread = partial(self._store.unread, user, names, most)
        self._reader.ask(unread, partial(self._read, done))

    def read_by(self, user: bytes, done: Done[list[str]]) -> None:
        """See `Keeper`."""
        self._reader.ask(partial(self._store.read_by, user), partial(self._read, done))

    def rest(self, name: str) -> None:
        """See `Keeper`."""
        self._write(partial(self._store.rest, name, time.time()), _ignore)

    def start(self) -> None:
        """See `Keeper`."""
        if self._closed:
            return
        if self.problem is None:
            self._write(partial(self._store.tidy, time.time()), self._tidied)
        else:
            self._write(self._store.check, self._checked)

    def _tidied(self, more: bool | StoreError) -> None:
        self._judge(more)
        if more is True:
            self.start()
        else:
            self._timer = self._loop.call_later(TIDY, self.start)

    def _checked(self, nothing: StoreError | None) -> None:
        self._judge(nothing)
        self._timer = self._loop.call_later(RETRY, self.start)

    def _judge(self, answer: object) -> None:
        """Say it once when the store fails, and once when it works again."""
        if isinstance(answer, StoreError):
            if self.problem is None:
                self._log.error("store failed", reason=str(answer))
            self.problem = str(answer)
        elif self.problem is not None:
            self._log.info("store works again", reason=self.problem)
            self.problem = None

    async def close(self) -> None:
        """See `Keeper`."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self._reader.end()
        closed: asyncio.Future[None] = self._loop.create_future()
        self._writer.ask(self._store.close, lambda _: closed.set_result(None))
        await closed
        await self._writer.end()


class _Worker:
    """A thread that does one thing after the other, and tells the loop what came of each."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._line: SimpleQueue[tuple[Callable[[], object], Callable[..., None]] | None] = (
            SimpleQueue()
        )
        self._ended: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, what: Callable[[], T], done: Done[T]) -> None:
        """Do this, and call `done` on the loop with what it returns or the `StoreError` raised."""
        self._line.put((what, done))

    async def end(self) -> None:
        """Wait until all that was asked is done; the thread ends."""
        self._line.put(None)
        await self._ended
        self._thread.join()

    def _work(self) -> None:
        tell = self._loop.call_soon_threadsafe
        while (task := self._line.get()) is not None:
            what, done = task
            answer: object
            try:
                answer = what()
            except StoreError as problem:
                answer = problem
            except Exception:  # a fault of ours must not stop the line
                structlog.get_logger().exception("the store has a fault")
                answer = StoreError("the store has a fault, and the server's log says which")
            tell(done, answer)
            del task, what, done, answer  # or they would live until the next one comes
        tell(self._ended.set_result, None)


def _ignore(_: object) -> None:
    """Nobody waits for this answer."""
