"""Many clients and one story: what all saw live is what one finds who comes afterwards.

The clients are those of the torture, on sockets that fill when the machine says so. The store is
in memory, or in a file behind a keeper that answers late, in either order, and fails at times.
Laws: nothing is heard that the store has not confirmed; whatever has an `id` is answered, once,
or its socket is lost; all pictures are the log's in the end.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hubbub.delivery.keeper import Inline
from hubbub.protocol.incoming import decode
from hubbub.settings import Settings
from hubbub.store.memory import MemoryStore
from hubbub.store.sqlite import SqliteStore
from tests.delivery.keepers import Twofold
from tests.delivery.rig import House, Reader
from tests.store.kinds import new_epoch
from tests.torture.peer import Item, Peer
from tests.torture.picture import Witness, check
from tests.torture.verdict import Log, judge, judge_log
from tests.torture.wire import Frame, Wire

ROOMS = ["red", "green"]
PEERS = 4
WHO = st.integers(0, PEERS - 1)
ROOM = st.sampled_from(ROOMS)
WHICH = st.integers(0, 5)


class Line(Wire):
    """A wire to a reader of the rig."""

    def __init__(self, reader: Reader, peer: Peer) -> None:
        self.hear = peer.hear
        self.stalled = self.dead = False
        self.reader = reader

    def say(self, frame: Frame) -> None:
        self.reader.put(decode(json.dumps(frame)))

    def hang_up(self) -> None:
        self.dead = True
        self.reader.lose("reset")

    cut = hang_up


class Story(RuleBasedStateMachine):
    keeper: type[Inline] = Inline

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="hubbub-story-")
        bounds = Settings(tail_events=100_000, tail_bytes=1 << 30)
        self.file = Path(self.folder.name) / "chat.db"
        self.store = (
            MemoryStore(bounds, new_epoch)
            if self.keeper is Inline
            else SqliteStore(self.file, bounds, new_epoch)
        )
        self.house = House(
            self.store, self.keeper, tail_events=5, tail_bytes=2000, history=3, max_pending=5
        )
        self.witness = Witness()
        self.peers: list[Peer] = []
        self.ghosts: list[Reader] = []
        self.number = 0
        for _ in range(PEERS):
            self.newcomer()
        # An empty room's log has no epoch that lasts; from its first word on it has.
        for peer in self.peers[:1]:
            self.connect(peer, True)
            self.settle()
            for room in ROOMS:
                peer.say(room, "in the beginning")
            self.settle()

    def newcomer(self) -> Peer:
        def failed(problem: BaseException) -> None:
            raise problem

        name = f"p{len(self.peers)}"
        dice = random.Random(0)
        peer = Peer(name, ROOMS, lambda: 0, dice, self.witness, lambda: None, failed)
        peer.bears_failures = True
        self.peers.append(peer)
        return peer

    def connect(self, peer: Peer, eager: bool, room: int = 1 << 40) -> None:
        reader = self.house.reader()
        reader.room = room
        peer.connected(Line(reader, peer), ROOMS, eager)

    # What happens

    def turn(self) -> None:
        self.house.loop.run()
        for peer in self.peers:
            self.listen(peer)

    def listen(self, peer: Peer) -> None:
        wire = peer.wire
        if wire is None:
            return
        for frame in cast("Line", wire).reader.heard():
            if peer.wire is wire:
                peer.hear(frame)
        if isinstance(self.house.keeper, Twofold):
            for room, picture in peer.pictures.items():
                head = self.house.keeper.confirmed.get(room, 0)
                check(picture.seq <= head, peer, "heard what is confirmed to", head, "only")

    def settle(self) -> None:
        """Until all are even and nothing more comes: no store fails, no reader is slow."""
        keeper = self.house.keeper
        if isinstance(keeper, Twofold):
            keeper.failing = False
        for _ in range(200):
            for peer in self.peers:
                if peer.wire is not None:
                    cast("Line", peer.wire).reader.drain(1 << 40)
            self.house.settle()
            self.turn()
            self.house.loop.pass_time()
            for peer in self.peers:
                if peer.wire is not None:
                    peer.again()
            if all(peer.is_settled for peer in self.peers if peer.wire is not None):
                break
        self.house.settle()
        self.turn()
        for peer in self.peers:
            assert peer.wire is None or peer.is_settled, f"{peer} waits for ever"

    @rule(who=WHO, eager=st.booleans(), room=st.sampled_from([1 << 40, 500, 3000]))
    def come(self, who: int, eager: bool, room: int) -> None:
        peer = self.peers[who]
        if peer.wire is None:
            self.connect(peer, eager, room)

    @rule(who=WHO, room=ROOM, size=st.sampled_from([1, 300]), times=st.integers(1, 8))
    def say(self, who: int, room: str, size: int, times: int) -> None:
        peer = self.peers[who]
        for _ in range(times if room in peer.free() else 0):
            self.number += 1
            peer.say(room, f"{self.number}{'x' * size} @p{self.number % 5}")

    def own(self, who: int, which: int, do: Callable[[Peer, Item], None]) -> None:
        """Do something with one of their last chats."""
        peer = self.peers[who]
        chats = [chat for chat in peer.chats if chat.frame["room"] in peer.free()]
        if chats:
            do(peer, chats[-1 - which % len(chats)])

    @rule(who=WHO, which=WHICH)
    def edit(self, who: int, which: int) -> None:
        self.number += 1
        self.own(who, which, lambda peer, chat: peer.edit(chat, f"{self.number}! @p1"))

    @rule(who=WHO, which=WHICH)
    def delete(self, who: int, which: int) -> None:
        self.own(who, which, Peer.delete)

    @rule(who=WHO, room=ROOM, which=WHICH, size=st.sampled_from([1, 150]))
    def reply(self, who: int, room: str, which: int, size: int) -> None:
        peer = self.peers[who]
        if (seq := self.old(peer, room, which)) is not None:
            self.number += 1
            peer.reply(room, f"{self.number}{'r' * size}", seq)

    @rule(who=WHO, room=ROOM, which=WHICH, emoji=st.sampled_from("👍🎉"), on=st.booleans())
    def react(self, who: int, room: str, which: int, emoji: str, on: bool) -> None:
        peer = self.peers[who]
        if (seq := self.old(peer, room, which)) is not None:
            peer.react(room, seq, emoji, on)

    @rule(who=WHO, room=ROOM, which=WHICH)
    def ask_for_a_thread(self, who: int, room: str, which: int) -> None:
        peer = self.peers[who]
        if (seq := self.old(peer, room, which)) is not None:
            peer.thread(room, seq)

    def old(self, peer: Peer, room: str, which: int) -> int | None:
        """One of the last chats that a peer knows of a room where it may speak."""
        chats = sorted(peer.pictures[room].chats) if room in peer.free() else []
        return chats[-1 - which % len(chats)] if chats else None

    @rule(who=WHO, which=WHICH)
    def misuse(self, who: int, which: int) -> None:
        self.own(who, which, lambda peer, chat: None if chat.doomed else peer.misuse(chat))

    @rule(who=WHO, which=WHICH)
    def repeat(self, who: int, which: int) -> None:
        peer = self.peers[who]
        said = [item for item in peer.said if not item.refused]
        if said:
            peer.repeat(said[-1 - which % len(said)])

    @rule(who=WHO, room=ROOM)
    def browse(self, who: int, room: str) -> None:
        if room in self.peers[who].free():
            self.peers[who].browse(room)

    @rule(who=WHO, room=ROOM, switch=st.booleans())
    def move(self, who: int, room: str, switch: bool) -> None:
        peer = self.peers[who]
        if room in peer.free() and not peer.is_moving:
            (peer.switch if switch else peer.leave)(room)

    @rule(who=WHO)
    def again(self, who: int) -> None:
        if self.peers[who].wire is not None:
            self.peers[who].again()

    @rule(who=WHO, forget=st.booleans())
    def lose(self, who: int, forget: bool) -> None:
        self.peers[who].hang_up()
        if forget:
            self.peers[who].forget()

    @rule(who=WHO, broken=st.booleans())
    def vanish(self, who: int, broken: bool) -> None:
        """Gone without the server's noticing; `broken`: it will when it sends something.

        If not before, then when the next socket takes the name over.
        """
        peer = self.peers[who]
        if peer.wire is not None and peer.inside:
            reader = cast("Line", peer.wire).reader
            reader.broken = broken
            self.ghosts.append(reader)
            peer.wire.dead = True
            peer.gone()

    @rule(who=WHO, room=st.integers(0, 2000))
    def stall(self, who: int, room: int) -> None:
        if (wire := self.peers[who].wire) is not None:
            cast("Line", wire).reader.room = room

    @rule(who=WHO, room=st.integers(1, 5000))
    def drain(self, who: int, room: int) -> None:
        if (wire := self.peers[who].wire) is not None:
            cast("Line", wire).reader.drain(room)
        self.turn()

    @rule()
    def pass_a_turn(self) -> None:
        self.turn()

    @rule()
    def pass_time(self) -> None:
        self.house.loop.pass_time()
        self.turn()

    @precondition(lambda self: self.keeper is Twofold)
    @rule(what=st.sampled_from(["do", "tell", "both"]), whose=st.sampled_from(["write", "read"]))
    def work(self, what: str, whose: str) -> None:
        keeper = cast("Twofold", self.house.keeper)
        if what != "tell":
            keeper.do(whose)
        if what != "do":
            keeper.tell(whose)
        self.turn()

    @precondition(lambda self: self.keeper is Twofold)
    @rule(failing=st.booleans())
    def fail(self, failing: bool) -> None:
        cast("Twofold", self.house.keeper).failing = failing

    @invariant()
    def memory_is_bounded_whatever_readers_do(self) -> None:
        if not self.house.loop.soon:
            for feed in self.house.hub.feeds.values():
                assert len(feed.log) <= 5 + len(feed.ready)

    # How it ends

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            self.store.close()
            self.folder.cleanup()

    def end(self) -> None:
        for ghost in self.ghosts:
            ghost.drain(1 << 40)
        for peer in self.peers:
            if peer.wire is None:
                self.connect(peer, True)
        self.settle()
        since, late = self.newcomer(), self.newcomer()
        for picture in since.pictures.values():
            picture.epoch = self.witness.epochs[picture.room]
            picture.whole = True
        for peer in (since, late):
            self.connect(peer, False)
        self.settle()
        names = {peer.name for peer in self.peers}
        for peer in self.peers:
            for room in ROOMS:
                assert set(peer.pictures[room].users) == names, (peer, peer.pictures[room].users)
        self.judge()
        while not all(p.whole for peer in self.peers for p in peer.pictures.values()):
            for peer in self.peers:
                for room in ROOMS:
                    peer.browse(room)
            self.settle()
        self.judge()
        for ghost in self.ghosts:
            assert not ghost.is_open

    def judge(self) -> None:
        log = Log()
        if isinstance(self.store, SqliteStore):
            log.read(self.file)
            judge_log(self.peers, log)
        else:
            for room in ROOMS:
                events = map(json.loads, self.store.after(room, 0, 100_000).events)
                log.events[room] = {event["seq"]: event for event in events}
        judge(self.peers, log, self.witness)


class LateStory(Story):
    keeper = Twofold


TestStory = Story.TestCase
TestStory.settings = profile(max_examples=60, stateful_step_count=40, deadline=None)
TestLateStory = LateStory.TestCase
TestLateStory.settings = profile(max_examples=60, stateful_step_count=60, deadline=None)
