"""A storm: everything that it does is drawn from one seed, which replays it.

The seed gives the settings, who is where, and what each does after which pauses. The machine's
own timing is not in it, so a rare failure may need its seed more than once. Pauses are a part of
the plan here, not a wait for something: nothing else in the tests may sleep.
"""

from __future__ import annotations

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from tests.torture.peer import Peer
from tests.torture.picture import Picture, UntrueError, Witness
from tests.torture.verdict import Log, judge, judge_log

PATIENCE = 30.0
"""Seconds within which all must be well when the storm is over."""
CROWD = 200
"""Members of a room that is no crowd, as a storm has it."""
LONG_TAIL = (1000, 1_000_000)
"""Events and bytes from which nobody falls off who reads."""
ROOMS = ["red", "green", "blue"]
TALKER = {
    "say": 60,
    "burst": 3,
    "edit": 15,
    "delete": 5,
    "repeat": 8,
    "misuse": 2,
    "browse": 4,
    "reply": 8,
    "react": 15,
    "thread": 3,
    "ping": 4,
    "leave": 0.5,
    "switch": 0.5,
    "forget": 0.2,
    "cut": 0.5,
    "hang_up": 0.5,
    "close": 0.5,
}
"""How often a peer does what."""
READER = {**TALKER, "say": 5, "burst": 0.3, "stall": 20, "cut": 3, "browse": 10, "forget": 1}


class Storm(ABC):
    """What goes on, whatever is tortured; `Alone` and `Cluster` say what that is."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = dice = self._dice("settings")
        self.flags: dict[str, object] = {
            "rate": 0,
            "tail-events": dice.choice([1, 5, 50, 1000]),
            "tail-bytes": dice.choice([1000, 20_000, 1_000_000]),
            "max-pending": dice.choice([1, 10, 1000]),
            "ping": dice.choice([0.4, 1, 20]),
            "stall-timeout": dice.choice([0.5, 1, 60]),
            "history": dice.choice([0, 3, 50]),
            "crowd": dice.choice([2, CROWD]),
        }
        self.witness = Witness()
        self.peers: list[Peer] = []
        self.narrow = dice.choice([0, 4096])
        """Bytes of the receive buffer of some peers; 0: the system's."""
        self.pause = dice.choice([0.001, 0.005, 0.03])
        """Seconds between two doings of a peer, in the mean."""
        self.calm = dice.choice([0.2, 0.7, 2.0])
        """Seconds between two deaths of the server, in the mean."""
        self.size = dice.choice([20, 400, 3500])
        """Characters of the longest text."""
        self.count = dice.randrange(4, 12)
        self.window = dice.choice([5, 50, 500])
        """The most that a peer has unacknowledged before it says more."""
        self._changed = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    # What is tortured

    @abstractmethod
    async def begin(self) -> None:
        """Start it."""

    @abstractmethod
    def door(self, dice: random.Random) -> int:
        """The port by which a peer comes in."""

    @abstractmethod
    async def haunt(self, seconds: float) -> None:
        """Do harm to it for so long; in the end it is whole."""

    @abstractmethod
    async def look(self) -> Log:
        """What was kept, when all are at rest."""

    @abstractmethod
    async def stop(self) -> Log:
        """End it as one does; what was kept then."""

    @abstractmethod
    async def put_down(self) -> None:
        """Whatever happened: nothing outlives the test."""

    @abstractmethod
    def told(self) -> str:
        """What was done to it."""

    def late(self) -> list[Callable[[], int]]:
        """The doors by which people come in whom nobody harms any more."""
        return [lambda: self.door(self.dice)]

    def flag_list(self) -> list[str]:
        return [f"--{name}={value}" for name, value in self.flags.items()]

    def __repr__(self) -> str:
        return (
            f"seed {self.seed}: {self.count} peers, pause {self.pause}, calm {self.calm},"
            f" size {self.size}, window {self.window}, narrow {self.narrow}, {self.flags}"
        )

    def _dice(self, *whose: object) -> random.Random:
        return random.Random(":".join(map(str, (self.seed, *whose))))

    # The course of it

    async def rage(self, seconds: float) -> str:
        """Start, storm for so long, let all come to rest, and judge; gives what happened."""
        try:
            return await self._rage(seconds)
        except BaseException as problem:
            problem.add_note(f"replay it with SEED={self.seed} ({self})")
            raise
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for peer in self.peers:
                peer.hang_up()
            await self.put_down()

    async def _rage(self, seconds: float) -> str:
        await self.begin()
        for number in range(self.count):
            dice = self._dice("peer", number)
            self._add(dice.sample(ROOMS, dice.choice([1, 1, 2, 3])), dice)
        founder = self._add(ROOMS, self._dice("founder"))
        await self._until("the founder is in", lambda: founder.free() == sorted(ROOMS))
        for room in ROOMS:
            founder.say(room, "in the beginning")
        await self._until("it began", lambda: founder.is_settled)
        storm = [self._task(self._live(peer)) for peer in self.peers]
        storm.append(self._task(self.haunt(seconds)))
        await self._or_failure(storm[-1], seconds + PATIENCE)
        for task in storm:
            task.cancel()
        await self._rest()
        log = await self.look()
        newcomers = []
        for number, door in enumerate(self.late()):
            since = self._add(ROOMS, self._dice("since", number), door)
            for picture in since.pictures.values():
                picture.epoch = self.witness.epochs[picture.room]
                picture.whole = True
            newcomers.append(self._add(ROOMS, self._dice("newcomer", number), door))
        await self._rest()
        judge(self.peers, log, self.witness)
        judge_log(self.peers, log)
        await self._read_back()
        judge(self.peers, log, self.witness)
        for newcomer in newcomers:
            assert all(picture.whole for picture in newcomer.pictures.values())
        for peer in self.peers[::3]:
            peer.depart()
        await self._rest()  # everyone hears that they left
        assert await self.stop() == log
        return self._told(log)

    def _told(self, log: Log) -> str:
        codes = [code for peer in self.peers for code in peer.codes]
        events = sum(map(len, log.events.values()))
        ends = ", ".join(f"{codes.count(code)} of {code}" for code in sorted(set(codes)))
        return f"{events} events, {self.told()}, sockets ended: {ends}"

    def _add(
        self, rooms: list[str], dice: random.Random, door: Callable[[], int] | None = None
    ) -> Peer:
        name = f"p{len(self.peers)}"
        door = door or (lambda: self.door(dice))
        peer = Peer(name, rooms, door, dice, self.witness, self._moved, self._fail)
        # Who falls off a short tail is told the rest by a roster alone.
        long = (self.flags["tail-events"], self.flags["tail-bytes"]) == LONG_TAIL
        peer.follows = long and self.flags["crowd"] == CROWD
        self.meet(peer)
        peer.narrow = dice.choice([0, self.narrow])
        self.peers.append(peer)
        self._task(peer.stay())
        return peer

    def meet(self, peer: Peer) -> None:
        """Someone new: what they have to bear here."""
        peer.bears_failures = False

    def _task(self, what: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(what)
        task.add_done_callback(self._done)
        self._tasks.append(task)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._fail(problem)

    def _moved(self) -> None:
        self._changed.set()

    def _fail(self, problem: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(problem)

    async def _or_failure(self, what: asyncio.Future[Any], seconds: float) -> bool:
        """Wait for this, or for the first broken promise; whether it came in time."""
        waits: list[asyncio.Future[Any]] = [what, self._failure]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._failure.done():
            self._failure.result()
        return what.done()

    async def _until(self, what: str, holds: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self._changed.clear()
            waiting = loop.create_task(self._changed.wait())
            try:
                left = deadline - time.monotonic()
                if not await self._or_failure(waiting, left):
                    who = "\n".join(map(str, self.peers))
                    raise UntrueError(f"after {PATIENCE} s it is not true that {what}:\n{who}")
            finally:
                waiting.cancel()

    # What goes on in it

    async def _live(self, peer: Peer) -> None:
        dice = peer.dice
        habits = dice.choice([TALKER, READER])
        while True:
            await asyncio.sleep(dice.expovariate(1 / self.pause))
            if peer.wire is None or peer.wire.stalled:
                continue
            if peer.is_impatient():
                peer.cut()
                continue
            free = peer.free()
            if free:
                (what,) = dice.choices(list(habits), list(habits.values()))
                await self._do(peer, what, dice.choice(free))

    async def _do(self, peer: Peer, what: str, room: str) -> None:
        dice = peer.dice
        chat = dice.choice(peer.chats[-50:]) if peer.chats else None
        if chat is not None and chat.frame["room"] not in peer.free():
            chat = None
        if what in {"say", "burst"}:
            for _ in range(dice.randrange(10, 200) if what == "burst" else 1):
                if len(peer.outbox) < self.window:
                    peer.say(room, self._text(dice))
        elif what == "edit" and chat:
            peer.edit(chat, self._text(dice))
        elif what == "delete" and chat:
            peer.delete(chat)
        elif what == "repeat" and (said := [one for one in peer.said[-50:] if not one.refused]):
            peer.repeat(dice.choice(said))
        elif what == "misuse" and chat and not chat.doomed:
            peer.misuse(chat)
        elif what == "browse":
            peer.browse(room)
        elif what in {"reply", "react", "thread"} and (known := peer.pictures[room].chats):
            seq = dice.choice(sorted(known)[-20:])
            if what == "reply":
                peer.reply(room, self._text(dice), seq)
            elif what == "react":
                peer.react(room, seq, dice.choice("👍🎉❓"), dice.random() < 0.7)
            else:
                peer.thread(room, seq)
        elif what == "ping":
            peer.ping()
        elif what == "leave" and not peer.is_moving:
            peer.leave(room)
        elif what == "switch" and not peer.is_moving:
            peer.switch(room)
        elif what == "forget":
            peer.hang_up()
            peer.forget()
        elif what == "cut":
            peer.cut()
        elif what == "hang_up":
            peer.hang_up()
        elif what == "close" and peer.wire:
            peer.wire.close()
        elif what == "stall" and peer.wire:
            wire = peer.wire
            peer.stall()
            await asyncio.sleep(dice.choice([0.1, 1.0, 2.0, 4.0]))
            if dice.random() < 0.2:
                peer.cut()
            wire.read_on()

    def _text(self, dice: random.Random) -> str:
        return f"{dice.getrandbits(40):x}" + "x" * dice.randrange(self.size)

    # And after it

    async def _rest(self) -> None:
        """Everything is acknowledged, everyone has heard everything and knows who is here."""
        for peer in self.peers:
            peer.narrow = 0
            if peer.wire is not None:
                peer.wire.widen()
                peer.wire.read_on()
        self._changed.set()
        await self._until("all is said", lambda: all(peer.is_settled for peer in self.peers))
        for room in ROOMS:
            here = [peer.pictures[room] for peer in self.peers if room in peer.rooms]
            names = {peer.name for peer in self.peers if room in peer.rooms}
            await self._until(f"all in {room} are even", partial(_is_even, here, names))

    async def _read_back(self) -> None:
        """Everyone reads back to the first message."""
        pictures = [(peer, picture) for peer in self.peers for picture in peer.pictures.values()]
        while short := [one for one in pictures if not one[1].whole]:
            for peer, picture in short:
                peer.browse(picture.room)
            await self._until("all is read", lambda: all(peer.is_settled for peer in self.peers))


def _is_even(pictures: list[Picture], names: set[str]) -> bool:
    """Whether all have heard all, and have these people in one order."""
    if not pictures:
        return True
    head = max(picture.seq for picture in pictures)
    users = pictures[0].users
    return set(users) == names and all(
        one.seq == head and one.users == users and one.crowd in (None, names) for one in pictures
    )
