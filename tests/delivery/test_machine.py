"""Many clients, random frames, slow readers, drops: what everyone hears is what was said.

The model is a dict: for each room its members in order and the texts in order.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hubbub.protocol.incoming import Chat, Follow, Join, Leave
from tests.delivery.rig import House, Reader

ROOMS = st.sampled_from(["red", "green", "blue"])
NAMES = st.sampled_from(["ann", "bob", "cy", "dan"])
WHO = st.integers(0, 5)


class Client:
    """A reader, and what a careful client would believe from what it has heard."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.rooms: dict[str, dict[str, Any]] = {}
        """Room → what it believes: `seq`, `epoch`, `users`."""
        self.texts: dict[str, dict[int, str]] = {}
        self.known: dict[str, int] = {}
        """Room → the newest message that it has heard of, inside or by news."""
        self.followed: set[str] = set()

    def learn(self, room: str, seq: int) -> None:
        self.known[room] = max(seq, self.known.get(room, 0))

    def listen(self) -> None:
        for frame in self.reader.heard():
            self.hear(frame)

    def hear(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "error":
            return
        if kind == "news":
            if "id" in frame:
                self.followed = {one["room"] for one in frame["rooms"]}
            for one in frame["rooms"]:
                assert "id" in frame or one["room"] not in self.rooms
                self.learn(one["room"], one["seq"])
            return
        room = frame["room"]
        if kind == "welcome":
            seen = [event["seq"] for event in frame.get("history", [])]
            assert seen == list(range(frame["seq"] - len(seen) + 1, frame["seq"] + 1))
            if frame["id"] == "switch":
                self.rooms.clear()
            self.rooms[room] = {"seq": frame["seq"], "users": frame["users"]}
            self.learn(room, frame["seq"])
            return
        if kind == "left" and "id" in frame:
            del self.rooms[room]
            return
        here = self.rooms[room]  # a KeyError is a frame of a room that one is not in
        if kind == "chat":
            assert frame["seq"] == here["seq"] + 1
            here["seq"] = frame["seq"]
            self.learn(room, frame["seq"])
            self.texts.setdefault(room, {})[frame["seq"]] = frame["text"]
        elif kind == "gap":
            assert frame["first"] == here["seq"] + 1 <= frame["last"]
            here["seq"] = frame["last"]
            self.learn(room, frame["last"])
        elif kind == "roster":
            here["users"] = frame["users"]
            assert frame["count"] == len(frame["users"])


class Chatting(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.house = House(tail_events=20, tail_bytes=4000, history=5)
        self.clients = [Client(self.house.reader()) for _ in range(6)]
        self.members: dict[str, list[tuple[str, int]]] = {}
        self.said: dict[str, list[str]] = {}
        self.number = 0

    def settle(self) -> None:
        self.house.loop.run()
        for client in self.clients:
            client.listen()

    def rooms_of(self, who: int) -> list[str]:
        return [room for room, here in self.members.items() if any(w == who for _, w in here)]

    def out(self, who: int, rooms: list[str]) -> None:
        for room in rooms:
            self.members[room] = [one for one in self.members[room] if one[1] != who]
            if not self.members[room]:
                del self.members[room]

    @rule(who=WHO, room=ROOMS, name=NAMES, keep=st.booleans(), turn=st.booleans())
    def join(self, who: int, room: str, name: str, keep: bool, turn: bool) -> None:
        client = self.clients[who]
        if client.reader.is_full:
            return  # a connection holds a join back until its reader has caught up
        taken = any(n == name and w != who for n, w in self.members.get(room, []))
        if not taken:
            if not keep:
                leaving = [other for other in self.rooms_of(who) if other != room]
                self.out(who, leaving)
            if (name, who) not in self.members.get(room, []):
                if room in self.rooms_of(who):
                    self.out(who, [room])
                self.members.setdefault(room, []).append((name, who))
        client.reader.put(Join(room, name, keep=keep, id="keep" if keep else "switch"))
        if turn:
            self.settle()

    @rule(who=WHO, room=ROOMS, turn=st.booleans(), words=st.integers(1, 200))
    def chat(self, who: int, room: str, turn: bool, words: int) -> None:
        client = self.clients[who]
        self.number += 1
        text = f"{self.number} " + "x" * words
        if room in self.rooms_of(who):
            self.said.setdefault(room, []).append(text)
        client.reader.put(Chat(text, room))
        if turn:
            self.settle()

    @rule(who=WHO, room=ROOMS)
    def leave(self, who: int, room: str) -> None:
        client = self.clients[who]
        if client.reader.is_full:
            return
        if room in self.rooms_of(who):
            self.out(who, [room])
        client.reader.put(Leave(room, "bye"))
        self.settle()

    @rule(who=WHO, rooms=st.lists(ROOMS, max_size=3), turn=st.booleans())
    def follow(self, who: int, rooms: list[str], turn: bool) -> None:
        self.clients[who].reader.put(Follow(rooms, "news"))
        if turn:
            self.settle()

    @rule()
    def pass_time(self) -> None:
        self.house.loop.pass_time()
        self.settle()

    @rule(who=WHO)
    def drop(self, who: int) -> None:
        client = self.clients[who]
        self.settle()
        self.out(who, self.rooms_of(who))
        client.reader.broken = True
        client.reader.lose("reset")
        self.clients[who] = Client(self.house.reader())

    @rule(who=WHO, room=st.integers(0, 300))
    def stall(self, who: int, room: int) -> None:
        self.clients[who].reader.room = room

    @rule(who=WHO, room=st.integers(1, 5000))
    def drain(self, who: int, room: int) -> None:
        self.clients[who].reader.drain(room)
        self.settle()

    @invariant()
    def rooms_are_as_the_model_has_them(self) -> None:
        real = {
            name: [member.name for member in room.members.values()]
            for name, room in self.house.lobby.rooms.items()
        }
        assert real == {name: [n for n, _ in here] for name, here in self.members.items()}

    @invariant()
    def memory_is_bounded_whatever_readers_do(self) -> None:
        for feed in self.house.hub.feeds.values():
            if not self.house.loop.soon:
                assert len(feed.log) <= 20
        for client in self.clients:
            assert client.reader.most_waiting < 65536

    @precondition(lambda self: self.said)
    @rule()
    def everyone_reads_on(self) -> None:
        for client in self.clients:
            client.reader.drain(1 << 40)
        self.settle()
        for name, here in self.members.items():
            for member, who in here:
                client = self.clients[who]
                believed = client.rooms[name]
                assert believed["users"] == [n for n, _ in here], (member, name)
                assert believed["seq"] == self.house.store.open(name, 0).seq
        for _ in range(2):  # those who did not read are told in the turn after
            self.pass_time()
        for client in self.clients:
            for name in client.followed:
                ((seq, _),) = self.house.store.heads([name])
                assert client.known.get(name, 0) == seq, "there was news of this"

    def teardown(self) -> None:
        self.everyone_reads_on()
        for client in self.clients:
            for room, texts in client.texts.items():
                for text in texts.values():
                    assert text in self.said[room], "said to another room, or never"


TestChatting = Chatting.TestCase
TestChatting.settings = profile(max_examples=120, stateful_step_count=40, deadline=None)
