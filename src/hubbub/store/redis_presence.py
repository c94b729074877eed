"""Who is in which room, in Redis: what this node tells of its own, and hears of the others'.

Laws: of each open room every change comes once and in order, whoever made it, as with events (see
`redis`); what is not known to have reached Redis is owed, and `settle` pays it. A node that was
taken for dead goes on under another name.

All is called on the one thread that writes, but `is_news` and `counts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, Final, Protocol

import msgspec

from hubbub.protocol.presence import (
    Change,
    Changes,
    Leased,
    Move,
    Occupant,
    Snapshot,
    Verdict,
    Went,
)
from hubbub.store import redis_client
from hubbub.store.base import StoreError
from hubbub.store.redis_asking import all_good

SOME: Final = 200
"""Rooms that are spoken of in one round trip."""
_NODES: Final = "hubbub:{ nodes}:"
"""What the nodes' keys begin with: no room's name begins with a space."""
LEASES: Final = f"{_NODES}leases"
"""The nodes, and when the lease of each ends, in ms of Redis' clock."""

_pack = msgspec.msgpack.Encoder().encode
_changes: Callable[[bytes], list[Change]] = msgspec.msgpack.Decoder(list[Change]).decode
_occupant: Callable[[bytes], Occupant] = msgspec.msgpack.Decoder(Occupant).decode

Call = tuple[str, Sequence[str], tuple[bytes | str | int, ...]]
"""A function, its keys and its arguments."""


class Asking(Protocol):
    """How Redis is asked; `hubbub.store.redis.RedisStore` is one such."""

    def call(self, calls: Sequence[Call]) -> list[Any]:
        """Call functions in one round trip: see `RedisStore.call`."""
        ...

    def tell(self, *commands: tuple[str | int, ...]) -> list[Any]:
        """Give commands in one round trip. Raises `StoreError`."""
        ...


class _Place:
    """How far this node has come in an open room."""

    __slots__ = ("stamp", "version")

    def __init__(self, stamp: str, version: int) -> None:
        self.stamp = stamp
        self.version = version


class RedisPresence:
    """Rooms' occupants. `lease` is in seconds. What is heard is given to `hear`, in order.

    `catch_up` reads what was said in rooms: nobody's `left` is to overtake their last words.
    """

    def __init__(
        self,
        redis: Asking,
        lease: float,
        hear: Callable[[Changes | Snapshot], None],
        catch_up: Callable[[Sequence[str]], None],
    ) -> None:
        self._redis = redis
        self._lease = lease
        self._hear = hear
        self._catch_up = catch_up
        self.node = token_hex(8)
        """What this node is called, as long as it is not taken for dead."""
        self._before: list[str] = []
        self._us = frozenset([self.node])
        self._renewed = float("-inf")
        self._is_new = True
        self._anew = False
        self._places: dict[str, _Place] = {}
        self._listed: set[str] = set()
        """Rooms that Redis knows this node may have people in."""
        self._buried: set[str] = set()

    # What this node says

    def move(
        self, moves: Mapping[str, Sequence[Move]], behind: Sequence[str] = ()
    ) -> dict[str, list[Verdict] | StoreError]:
        """Make claims and releases, by room: one round trip for all rooms.

        What was said in the rooms `behind` is read before. Gives what came of each, in the order of
        each room's; where that is an error, it may have been done or not, and the room has to be
        settled.
        """
        try:
            if behind:
                self._catch_up(behind)
            self._vouch(moves)
        except StoreError as problem:
            return dict.fromkeys(moves, problem)
        answers = self._ask(
            [
                ("move", room, (self.node, *self._standing(room), token_hex(8), asked))
                for room, asked in moves.items()
            ]
        )
        found: dict[str, list[Verdict] | StoreError] = {}
        told: list[tuple[str, list[Any]]] = []
        for room, answer in zip(moves, answers, strict=True):
            if isinstance(answer, StoreError):
                found[room] = answer
                continue
            told.append((room, answer[0]))
            found[room] = [verdict.decode() for verdict in answer[1]]
        self._heard(told)
        return found

    def settle(self, members: Mapping[str, Sequence[Occupant]]) -> dict[str, StoreError | None]:
        """Say of rooms who truly is in them on this node."""
        found: dict[str, StoreError | None] = {}
        rooms = list(members)
        for at in range(0, len(rooms), SOME):
            some = rooms[at : at + SOME]
            try:
                self._vouch(some)
            except StoreError as problem:
                return found | dict.fromkeys(rooms[at:], problem)
            asked = [
                (
                    "settle",
                    room,
                    (
                        *(self.node, *self._standing(room), token_hex(8)),
                        *(self._before, members[room]),
                    ),
                )
                for room in some
            ]
            told: list[tuple[str, list[Any]]] = []
            for room, answer in zip(some, self._ask(asked), strict=True):
                if isinstance(answer, StoreError):
                    found[room] = answer
                else:
                    told.append((room, answer))
                    found[room] = None
            self._heard(told, is_settled=True)
        return found

    def _vouch(self, rooms: Mapping[str, object] | Sequence[str]) -> None:
        """Before anything is held under this node's name, it lives, and the rooms can be found."""
        if time.monotonic() - self._renewed > self._lease / 2:
            self._renew(False)
        new = [room for room in rooms if room not in self._listed]
        if new:
            self._redis.tell(*[("HSET", self._rooms_of(self.node), room, "") for room in new])
            self._listed.update(new)

    def lease(self, counts: Mapping[str, int], may_bury: bool) -> Leased:
        """Renew this node's lease, and say how many are in rooms where that has changed.

        Raises `StoreError`. Forgets rooms that are not open any more.
        """
        dead, nodes = self._renew(may_bury)
        own = self._rooms_of(self.node)
        said: list[tuple[str | int, ...]] = [
            ("HSET", own, room, count) for room, count in counts.items() if room in self._places
        ]
        self._listed.update(room for room in counts if room in self._places)
        gone = [room for room in self._listed if room not in self._places]
        said += [("HDEL", own, room) for room in gone]
        for at in range(0, len(said), SOME):
            self._redis.tell(*said[at : at + SOME])
        self._listed.difference_update(gone)
        anew, self._anew = self._anew, False
        wanted = [one for one, age in dead if self._is_due(one, age)]
        return Leased(anew, wanted, nodes)

    def _renew(self, may_bury: bool) -> tuple[list[tuple[str, int]], int]:
        """Gives the nodes that are taken for dead, with since when (ms), and how many live."""
        while True:
            (answer,) = self._call(
                [
                    (
                        "lease",
                        (LEASES, f"{_NODES}dead"),
                        (self.node, int(self._lease * 1000), int(may_bury), int(self._is_new)),
                    )
                ]
            )
            if isinstance(answer, StoreError):
                raise answer
            ended, flat, nodes = answer
            if not ended:
                break
            # Others may have put its people out, or still be at it: under another name it is safe.
            self._before.append(self.node)
            self.node = token_hex(8)
            self._us |= {self.node}
            self._listed.clear()
            self._is_new = self._anew = True
        self._is_new = False
        self._renewed = time.monotonic()
        names = [one.decode() for one in flat[::2]]
        return list(zip(names, flat[1::2], strict=True)), nodes

    def _is_due(self, node: str, age: int) -> bool:
        return node not in self._buried or age > self._again()

    def _again(self) -> float:
        """After so many ms the dead are buried once more: a last word of theirs may have been on
        its way. Then they are forgotten."""
        return 2000 * self._lease + 10_000

    def bury(self, node: str, room_by_room: int = SOME) -> None:
        """Take all that a dead node held out of the rooms. Raises `StoreError`."""
        key = self._rooms_of(node)
        (rooms, since) = self._redis.tell(("HKEYS", key), ("ZSCORE", f"{_NODES}dead", node))
        for at in range(0, len(rooms), room_by_room):
            some = [room.decode() for room in rooms[at : at + room_by_room]]
            all_good(
                self._call([("bury", redis_client.presence_keys(room), (node,)) for room in some])
            )
        is_last = node in self._buried
        self._buried.add(node)
        if is_last or since is None:
            self._redis.tell(("ZREM", f"{_NODES}dead", node), ("DEL", key))
            self._buried.discard(node)

    def retire(self) -> None:
        """Give the lease back: nobody is here any more. Raises `StoreError`."""
        self._redis.tell(("ZREM", LEASES, self.node), ("DEL", self._rooms_of(self.node)))

    # What it hears

    def open(self, room: str) -> None:
        """Hear of a room from now on, and at once who is in it. Raises `StoreError`."""
        self._places[room] = _Place("", 0)
        try:
            self._vouch([room])
            self._look([room])
        except StoreError:
            self.rest(room)
            raise

    def rest(self, room: str) -> None:
        """Hear no more of a room."""
        self._places.pop(room, None)

    def is_news(self, room: str, stamp: str, version: int) -> bool:
        """Whether an open room is not there yet; answers at once, to any."""
        place = self._places.get(room)
        return place is not None and (version > place.version or stamp != place.stamp)

    def told(self, room: str, stamp: str, version: int, batch: bytes) -> None:
        """A room is said to have come to this version, by this batch. Raises `StoreError`."""
        place = self._places.get(room)
        if place is None or not self.is_news(room, stamp, version):
            return
        if stamp == place.stamp and version == place.version + 1:
            place.version = version
            self._hear(Changes(room, self._us, _changes(batch)))
        else:
            self._look([room])

    def follow_these(self, names: Sequence[str]) -> None:
        """Look at these rooms, as far as they are open. Raises `StoreError`."""
        rooms = [name for name in names if name in self._places]
        for at in range(0, len(rooms), SOME):
            self._look(rooms[at : at + SOME])

    def counts(self) -> dict[str, int]:
        """How many are in the rooms that other nodes have; answers to any thread.

        Raises `StoreError`.
        """
        (nodes,) = self._redis.tell(("ZRANGE", LEASES, 0, -1))
        others = [one.decode() for one in nodes if one.decode() not in self._us]
        found: dict[str, int] = {}
        if others:
            for flat in self._redis.tell(*[("HGETALL", self._rooms_of(one)) for one in others]):
                for room, count in flat.items():
                    if count:
                        found[room.decode()] = max(found.get(room.decode(), 0), int(count))
        return found

    def _look(self, rooms: Sequence[str]) -> None:
        answers = self._call(
            [
                ("here", redis_client.presence_keys(room), (*self._standing(room), token_hex(8)))
                for room in rooms
            ]
        )
        told = [(room, one) for room, one in zip(rooms, answers, strict=True) if _is_good(one)]
        self._heard(told)
        all_good(answers)

    def _standing(self, room: str) -> tuple[str, int]:
        place = self._places.get(room)
        return (place.stamp, place.version) if place is not None else ("", -1)

    def _heard(self, told: Sequence[tuple[str, list[Any]]], is_settled: bool = False) -> None:
        heard: list[Changes | Snapshot] = []
        leaving: dict[str, None] = {}
        for room, (stamp, version, is_everyone, pieces) in told:
            place = self._places.get(room)
            if place is None:
                continue
            if is_everyone:
                is_other = place.stamp not in {"", stamp.decode()}
                occupants = [_occupant(one) for one in pieces]
                heard.append(Snapshot(room, self._us, occupants, is_other, is_settled))
                if place.stamp:
                    leaving[room] = None
            for batch in () if is_everyone else reversed(pieces):
                changes = _changes(batch)
                heard.append(Changes(room, self._us, changes))
                if any(isinstance(change, Went) for change in changes):
                    leaving[room] = None
            place.stamp, place.version = stamp.decode(), version
        if leaving:
            try:
                self._catch_up(list(leaving))
            except StoreError:
                pass  # it will be read later, as all that could not be
        for one in heard:
            self._hear(one)

    def _rooms_of(self, node: str) -> str:
        return f"{_NODES}rooms:{node}"

    def _ask(self, asked: Sequence[tuple[str, str, object]]) -> list[Any]:
        """Functions that take all they need packed."""
        try:
            return self._call(
                [
                    (function, redis_client.presence_keys(room), (_pack(ask),))
                    for function, room, ask in asked
                ]
            )
        except StoreError as problem:
            return [problem] * len(asked)

    def _call(self, calls: Sequence[Call]) -> list[Any]:
        return self._redis.call(calls)


def _is_good(answer: object) -> bool:
    return not isinstance(answer, StoreError)
