"""The hub with readers that are plain objects, so that a test decides when a socket is full."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar, cast

from hubbub.access.identity import Proofs
from hubbub.chat.lobby import Lobby
from hubbub.chat.session import Session
from hubbub.delivery.connection import Connection
from hubbub.delivery.hub import Hub
from hubbub.delivery.keeper import Done, Found, Inline
from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.incoming import Incoming, Join
from hubbub.settings import Settings
from hubbub.store.base import Opened, Outcome, Page, Store, StoreError
from hubbub.store.memory import MemoryStore
from tests.server import unlogged

T = TypeVar("T")


class Loop:
    """An event loop that runs when it is told to, and whose time stands still."""

    def __init__(self) -> None:
        self.soon: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self.timers: list[Callable[..., object]] = []

    def time(self) -> float:
        return 0.0

    def call_soon(self, what: Callable[..., object], *args: object) -> None:
        self.soon.append((what, args))

    def call_later(self, _: float, what: Callable[..., object], *args: object) -> None:
        self.timers.append(what)

    def run(self) -> None:
        while self.soon:
            what, args = self.soon.popleft()
            what(*args)

    def pass_time(self) -> None:
        """Everything that waits for a time has its time."""
        timers, self.timers = self.timers, []
        for what in timers:
            what()
        self.run()


class Reader:
    """A socket that takes `room` bytes and then no more until `drain`."""

    numbers = count(1)

    def __init__(self, house: House) -> None:
        self.house = house
        self.id = f"t{next(self.numbers)}"
        self.session = Session(self)
        self.feeds: tuple[object, ...] = ()
        self.is_full = False
        self.is_open = True
        self.closed: int | None = None
        self.room = 1 << 40
        self.waiting = b""
        self.taken = bytearray()
        self.most_waiting = 0
        self.broken = False
        self.waiting_joins: list[Join] = []

    def send(self, data: bytes) -> int:
        assert not self.is_full, "something was sent past what waits"
        if self.broken:
            raise ConnectionResetError
        if not self.room:
            raise BlockingIOError
        sent = min(self.room, len(data))
        self.room -= sent
        self.taken += data[:sent]
        return sent

    def write(self, data: bytes) -> None:
        if not self.is_open:
            return
        if self.is_full:
            self.waiting += data
            self.most_waiting = max(self.most_waiting, len(self.waiting))
            return
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.lose("reset")
            return
        if sent != len(data):
            self.overflow(data, sent)

    def overflow(self, data: bytes, sent: int) -> None:
        self.waiting += data[sent:]
        self.most_waiting = max(self.most_waiting, len(self.waiting))
        self.is_full = True
        self.house.hub.fanout.choke(cast("Connection", self))

    def drain(self, room: int) -> None:
        """The peer reads: `room` more bytes fit."""
        self.room += room
        sent = min(self.room, len(self.waiting))
        self.taken += self.waiting[:sent]
        self.waiting = self.waiting[sent:]
        self.room -= sent
        if self.is_full and not self.waiting and self.is_open:
            self.is_full = False
            self.house.hub.fanout.catch_up(cast("Connection", self))
        self.house.loop.run()

    def go_on(self) -> None:
        pass

    def lose(self, _: str) -> None:
        if self.is_open:
            self.is_open = False
            self.house.hub.drop(cast("Connection", self))

    def close(self, code: int, _: str) -> None:
        self.closed = code
        self.is_open = False
        self.house.hub.drop(cast("Connection", self))

    def say(self, frame: Incoming) -> None:
        """Send a frame, and let the hub finish its turn."""
        self.put(frame)
        self.house.loop.run()

    def put(self, frame: Incoming) -> None:
        """Send a frame; the turn comes later."""
        if isinstance(frame, Join) and not self.house.hub.ready(frame.room, self.opened):
            self.waiting_joins.append(frame)
            return
        self.house.hub.decide(cast("Connection", self), frame, 0.0)

    def opened(self, problem: StoreError | None) -> None:
        """The room of the oldest join that waits is open, or cannot be."""
        join = self.waiting_joins.pop(0)
        if problem is None and self.is_open:
            self.house.hub.decide(cast("Connection", self), join, 0.0)

    def answered(self) -> None:
        pass

    def heard(self) -> list[dict[str, Any]]:
        """The whole frames that arrived since the last call."""
        frames, at, data = [], 0, self.taken
        while len(data) - at >= 2:
            size, head = data[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
            if len(data) - at < head + size:
                break
            assert data[at] == 0x81
            frames.append(json.loads(data[at + head : at + head + size]))
            at += head + size
        del data[:at]
        return frames


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


class House:
    """A lobby, a hub and a store (in memory, or the one given), with secrets that count up.

    `later`: the store answers only when `keeper.work` is called.
    """

    def __init__(self, store: Store | None = None, later: bool = False, **settings: Any) -> None:
        unlogged()
        rules = Settings(rate=0.0, **settings)
        secrets = count(1)
        epochs = count(1)
        self.loop = Loop()
        self.store = store or MemoryStore(rules, lambda: f"epoch-{next(epochs)}")
        proofs = Proofs(rules.mod_password)
        proofs.new_secret = lambda: f"secret-{next(secrets):016}"
        self.lobby = Lobby(rules, proofs)
        loop = cast("asyncio.AbstractEventLoop", self.loop)
        self.keeper = Later(self.store, loop) if later else Inline(self.store, loop)
        self.hub = Hub(loop, self.lobby, self.keeper, rules)

    def reader(self) -> Reader:
        return Reader(self)

    def settle(self) -> None:
        """Run until nothing is left to do."""
        self.loop.run()
        while isinstance(self.keeper, Later) and self.keeper.work():
            self.loop.run()
