"""The hub with readers that are plain objects, so that a test decides when a socket is full."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, cast

from hubbub.access.identity import Proofs
from hubbub.chat.lobby import Lobby
from hubbub.chat.session import Session
from hubbub.delivery.connection import Connection
from hubbub.delivery.hub import Hub
from hubbub.delivery.keeper import Inline
from hubbub.protocol.incoming import Delete, Edit, Incoming, Join, Leave, React
from hubbub.settings import Settings
from hubbub.store.base import Store, StoreError
from hubbub.store.memory import MemoryStore
from tests.delivery.keepers import Later
from tests.server import unlogged


class Loop:
    """An event loop that runs when it is told to, and whose time stands still."""

    def __init__(self) -> None:
        self.soon: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self.timers: list[Callable[[], object]] = []

    def time(self) -> float:
        return 0.0

    def call_soon(self, what: Callable[..., object], *args: object) -> None:
        self.soon.append((what, args))

    def call_later(self, _: float, what: Callable[..., object], *args: object) -> None:
        self.timers.append(partial(what, *args))

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
        self.held: deque[Incoming] = deque()
        self.returning = 0
        self.waits = False

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
        """Send a frame; the turn comes later. It is held where a connection would hold it."""
        self.held.append(frame)
        self.go_on()

    def go_on(self) -> None:
        hub, me = self.house.hub, cast("Connection", self)
        while self.held and self.is_open and not self.waits:
            frame = self.held[0]
            lagging = bool(self.returning) or hub.fanout.is_lagging(me)
            if isinstance(frame, Join | Leave) and (self.is_full or lagging):
                return
            if isinstance(frame, Edit | Delete | React) and lagging:
                return
            if isinstance(frame, Join) and not hub.doors.ready(frame.room, self.opened):
                self.waits = True
                return
            self.held.popleft()
            self.waits = hub.decide(me, frame, 0.0)

    def opened(self, problem: StoreError | None) -> None:
        """The room of the join that waits is open, or cannot be."""
        self.waits = False
        if problem is not None and self.is_open:
            self.house.hub.refuse(cast("Connection", self), problem, self.held.popleft().id)
        self.go_on()

    def answered(self) -> None:
        self.waits = False
        self.go_on()

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


class House:
    """A lobby, a hub and a store (in memory, or the one given), with secrets that count up.

    `keeper`: `Later` answers only when its `work` is called.
    """

    def __init__(
        self,
        store: Store | None = None,
        keeper: type[Inline] = Inline,
        **settings: Any,
    ) -> None:
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
        self.keeper = keeper(self.store, loop)
        self.hub = Hub(loop, self.lobby, self.keeper, rules)

    def reader(self) -> Reader:
        return Reader(self)

    def settle(self) -> None:
        """Run until nothing is left to do."""
        self.loop.run()
        while isinstance(self.keeper, Later) and self.keeper.work():
            self.loop.run()
