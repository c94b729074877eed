"""A careful client: an outbox and a cursor for each room, over as many sockets as it takes.

What it says has an `id` and is sent again, under the same one, until its own copy comes back. It
comes back with the last `seq` it saw. It keeps to the protocol's page and to nothing else, and
checks the server by it with every frame that it hears.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, takewhile

from tests.torture.picture import Picture, UntrueError, Witness, check, short
from tests.torture.wire import Frame, Wire, dial


@dataclass(slots=True)
class Item:
    """Something said: `seq` once it is acknowledged; `refused`: with this error's code."""

    frame: Frame
    chat: Item | None = None
    """What it changes."""
    seq: int = 0
    refused: str = ""
    doomed: bool = False
    """A chat that is being deleted: changing it may be refused."""


class Peer:
    """One client in `rooms`. `door()` is the port to come in by, `moved()` is called whenever it
    has heard or lost something.
    """

    def __init__(
        self,
        name: str,
        rooms: list[str],
        door: Callable[[], int],
        dice: random.Random,
        witness: Witness,
        moved: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.name = name
        self.rooms = rooms
        self.dice = dice
        self.pictures = {room: Picture(room, witness) for room in rooms}
        self.inside: set[str] = set()
        """Rooms whose welcome it has heard on this socket."""
        self.outbox: dict[str, Item] = {}
        self.said: list[Item] = []
        """Everything acknowledged or refused."""
        self.chats: list[Item] = []
        """Its own acknowledged chats."""
        self.codes: list[int] = []
        """How its sockets ended."""
        self.wire: Wire | None = None
        self.narrow = 0
        self.bears_failures = False
        """The store may fail; what it could not do is asked `again`."""
        self.follows = False
        """It must hear of everybody who comes and goes, for rooms are no crowds."""
        self.patience = float("inf")
        """Seconds that an answer may take; then it tries elsewhere."""
        self.lost = asyncio.Event()
        self.lost.set()
        self._door = door
        self._witness = witness
        self._moved = moved
        self._failed = failed
        self._last: deque[str] = deque(maxlen=8)
        """Where it went of late, and what it heard, for who looks for the fault."""
        self.heard: deque[str] = deque(maxlen=3)
        self._session: str | None = None
        self._asked: dict[str, Frame] = {}
        """What was sent with an id on this socket and is not answered yet, in order."""
        self._sent: Counter[str] = Counter()
        """How often each id was sent on this socket."""
        self._ids = count(1)
        self._is_haunted = False
        """It lost a socket before it was told who it is: its ghost may have its name."""
        self._abandoned = 0
        """Joins that had no answer when their socket ended: on another node than ours they may be
        carried out when we are in again, and take our place.
        """
        self._eager = False
        self._heard_at = 0.0

    def __repr__(self) -> str:
        waits = f"{len(self.outbox)} unacknowledged" if self.outbox else "drained"
        state = "away" if self.wire is None else f"in {sorted(self.inside)}"
        return f"{self.name} ({state}, {waits}, {list(self.pictures.values())})"

    # Sockets

    async def stay(self) -> None:
        """Be connected until `depart`: whenever the socket is lost, come back."""
        while True:
            await self.lost.wait()
            if not self.rooms:
                return
            # The pause is the plan's: how long a client is away is a part of what is tried.
            await asyncio.sleep(self.dice.uniform(0, 0.2))
            try:
                wire = await dial(self._door(), self.narrow, self.hear, self._ended)
            except OSError:
                continue  # the server is away
            eager = self.dice.random() < 0.5
            self.connected(wire, self.dice.sample(self.rooms, len(self.rooms)), eager)

    def connected(self, wire: Wire, rooms: list[str], eager: bool) -> None:
        """Join the rooms over this socket. `eager`: speak on before the welcomes have come."""
        self.lost.clear()
        self.wire = wire
        self._heard_at = time.monotonic()
        self._eager = eager
        for room in rooms:
            self._join(room, keep=True)
            if self._session is None:
                break  # the others when the welcome has told who we are
        if eager and self._session is not None:
            self._resend(self.rooms)

    def again(self) -> None:
        """Ask again for what the store could not do."""
        going = {one["room"] for one in self._moves()}
        if going and self._session is None:
            return
        for room in self.rooms:
            if room not in self.inside | going:
                self._join(room, keep=True)
        for item in self.outbox.values():
            if item.frame["room"] in self.free() and item.frame["id"] not in self._asked:
                self._ask(item.frame)

    def gone(self) -> None:
        """The socket has ended."""
        self._is_haunted |= self._session is None
        if self.bears_failures:
            self._abandoned += sum(one["type"] == "join" for one in self._asked.values())
        self.wire = None
        self.inside.clear()
        self._asked.clear()
        self._sent.clear()
        self.lost.set()

    def _ended(self, code: int) -> None:
        self.codes.append(code)
        # 1012: the node is emptied. 1013: took nothing for too long.
        if code == 4409 and self._abandoned:
            self._abandoned -= 1  # a node that stood still reads what was said before we went
        elif code not in {1000, 1001, 1006, 1012, 1013}:
            self._failed(UntrueError(f"{self} was closed with {code}"))
        if self.wire is not None and self.wire.dead:
            self.gone()
        self._moved()

    def is_impatient(self) -> bool:
        """It has waited for an answer, and heard nothing, for too long."""
        return bool(self._asked) and time.monotonic() - self._heard_at > self.patience

    def stall(self) -> None:
        """Read no more, and so miss who comes and goes."""
        if self.wire is not None:
            self.wire.stall()
            for picture in self.pictures.values():
                picture.lose_sight()

    def cut(self) -> None:
        """A reset, as from a network that has gone."""
        if self.wire is not None:
            self.wire.cut()
            self.gone()

    def hang_up(self) -> None:
        """An end without a close frame, as from a client that was killed."""
        if self.wire is not None:
            self.wire.hang_up()
            self.gone()

    def depart(self) -> None:
        """Go, for good."""
        self.rooms = []
        self.hang_up()

    def _ask(self, frame: Frame) -> None:
        assert self.wire is not None
        self._asked[frame["id"]] = frame
        self._sent[frame["id"]] += 1
        if frame["type"] in {"join", "leave"}:
            self._last.append(f"(it said {short(frame)})")
        self.wire.say(frame)

    def new_id(self) -> str:
        return f"{self.name}-{next(self._ids)}"

    def _join(self, room: str, keep: bool) -> None:
        picture = self.pictures[room]
        frame: Frame = {"type": "join", "room": room, "username": self.name, "id": self.new_id()}
        if keep:
            frame["keep"] = True
        if self._session is not None:
            frame["session"] = self._session
        if picture.epoch is not None:
            frame["since"], frame["epoch"] = picture.seq, picture.epoch
        self._ask(frame)

    def _resend(self, rooms: list[str]) -> None:
        for item in self.outbox.values():
            if item.frame["room"] in rooms:
                self._ask(item.frame)

    # What it says

    def free(self) -> list[str]:
        """The rooms in which it may speak: it is inside, and neither coming nor going."""
        if self.wire is None or any("keep" not in one for one in self._moves() if "since" in one):
            return []
        return sorted(self.inside - {one["room"] for one in self._moves()})

    @property
    def is_moving(self) -> bool:
        """It waits for the answer to a join or a leave."""
        return any(self._moves())

    def _moves(self) -> Iterator[Frame]:
        return (one for one in self._asked.values() if one["type"] in {"join", "leave"})

    @property
    def is_settled(self) -> bool:
        """Everything is said and answered, and it is where it belongs."""
        return not self._asked and not self.outbox and self.inside == set(self.rooms)

    def say(self, room: str, text: str) -> None:
        key = self.new_id()
        self._witness.spoken[key] = {text}
        self._post(Item({"type": "chat", "room": room, "text": text, "id": key}))

    def edit(self, chat: Item, text: str) -> None:
        self._witness.spoken[chat.frame["id"]].add(text)
        room = chat.frame["room"]
        frame = {"type": "edit", "room": room, "seq": chat.seq, "text": text, "id": self.new_id()}
        self._post(Item(frame, chat))

    def delete(self, chat: Item) -> None:
        chat.doomed = True
        self._witness.doomed.add((chat.frame["room"], chat.seq))
        self._witness.spoken[chat.frame["id"]].add("")
        room = chat.frame["room"]
        frame = {"type": "delete", "room": room, "seq": chat.seq, "id": self.new_id()}
        self._post(Item(frame, chat))

    def reply(self, room: str, text: str, seq: int) -> None:
        """Answer a message, which may be deleted by now."""
        key = self.new_id()
        self._witness.spoken[key] = {text}
        frame = {"type": "chat", "room": room, "text": text, "id": key, "reply_to": seq}
        self._post(Item(frame))

    def react(self, room: str, seq: int, emoji: str, on: bool) -> None:
        """Put an emoji on a message, or take it away, whatever is there by now."""
        frame = {"type": "react", "room": room, "seq": seq, "emoji": emoji, "on": on}
        self._post(Item({**frame, "id": self.new_id()}))

    def thread(self, room: str, seq: int) -> None:
        known = self.pictures[room].seq
        frame = {"type": "thread", "room": room, "seq": seq, "known": known}
        self._ask({**frame, "id": self.new_id()})

    def _post(self, item: Item) -> None:
        self.outbox[item.frame["id"]] = item
        self._ask(item.frame)

    def repeat(self, item: Item) -> None:
        """Send again what is acknowledged: the answer is the same, and nobody else hears it."""
        if item.frame["id"] not in self._asked and item.frame["room"] in self.free():
            self._ask(item.frame)

    def misuse(self, item: Item) -> None:
        """Another text under an id that was used: refused."""
        # Not one of this socket, whose own answers may still be on their way.
        if item.frame["id"] not in self._sent and item.frame["room"] in self.free():
            self._ask({**item.frame, "text": "another text", "wrong": True})

    def browse(self, room: str) -> None:
        picture = self.pictures[room]
        frame = {"type": "history", "room": room, "limit": self.dice.choice([1, 10, 200])}
        if picture.oldest() <= picture.seq:
            frame["before"] = picture.oldest()
        self._ask({**frame, "id": self.new_id()})

    def ping(self) -> None:
        self._ask({"type": "ping", "id": self.new_id()})

    def leave(self, room: str) -> None:
        """Out of a room; it comes back as soon as it is told that it is out."""
        self._ask({"type": "leave", "room": room, "id": self.new_id()})

    def switch(self, room: str) -> None:
        """Out of all other rooms; it comes back to them as soon as it is told."""
        self._join(room, keep=False)

    def forget(self) -> None:
        """A newcomer with the same name: a page that was loaded anew."""
        self.pictures = {room: Picture(room, self._witness) for room in self.rooms}

    # What it hears

    def hear(self, frame: Frame) -> None:
        self._heard_at = time.monotonic()
        try:
            self._take(frame)
        except Exception as problem:
            last = "\n  ".join([*self._last, "...", *self.heard, "and now", short(frame)])
            problem.add_note(f"{self} heard before that:\n  {last}")
            self._failed(problem)
        if frame["type"] in {"welcome", "left"}:
            self._last.append(short(frame))
        else:
            self.heard.append(short(frame))
        self._moved()

    def _take(self, frame: Frame) -> None:
        kind = frame["type"]
        asked = self._asked.get(frame.get("id", ""))
        if kind in {"chat", "edited", "deleted", "reacted"}:
            self._event(frame)
        elif kind == "error":
            self._error(frame, asked)
        elif kind == "welcome":
            check(asked is not None and asked["type"] == "join", self, "was welcomed:", frame)
            assert asked is not None
            before = self._asked_before(frame["id"])
            self._answered(frame["id"])
            self._welcome(frame, asked, before)
        elif kind == "left" and "id" in frame:
            check(asked is not None and asked["type"] == "leave", self, "never left:", frame)
            before = self._asked_before(frame["id"])
            self._answered(frame["id"])
            self._in_order(frame["room"], before, frame)
            self.inside.discard(frame["room"])
            self._join(frame["room"], keep=True)
        elif kind == "history":
            check(asked is not None and asked["type"] == "history", self, "never asked:", frame)
            self._answered(frame["id"])
            self.pictures[frame["room"]].browsed(frame)
        elif kind == "thread":
            check(asked is not None and asked["type"] == "thread", self, "never asked:", frame)
            assert asked is not None
            self._answered(frame["id"])
            self.pictures[frame["room"]].threaded(frame, asked["known"])
        elif kind == "reactions":
            check(asked is not None and asked["type"] == "react", self, "never asked:", frame)
            self._answered(frame["id"])
            item = self.outbox.pop(frame["id"])
            item.refused = kind  # as good as: nothing of it is kept
            self.said.append(item)
        elif kind == "pong":
            check(asked is not None and asked["type"] == "ping", self, "never asked:", frame)
            self._answered(frame["id"])
        else:
            check(kind in {"joined", "left", "roster"}, self, "heard", frame)
            check(frame["room"] in self.inside, self, "is not there, and heard", frame)
            self.pictures[frame["room"]].presence(frame, self.follows and not self.narrow)

    def _answered(self, id: str) -> None:
        del self._asked[id]

    def _asked_before(self, id: str) -> list[Frame]:
        """What it asked before that, and has no answer to."""
        return list(takewhile(lambda asked: asked["id"] != id, self._asked.values()))

    def _in_order(self, room: str, before: list[Frame], frame: Frame) -> None:
        """What was said in a room before leaving it is answered before the leaving is.

        After that a join may have been asked for anew, which was refused for a Redis that is away.
        """
        for asked in before:
            check(asked.get("room") != room, self, "has no answer to", asked, "but heard", frame)

    def _welcome(self, frame: Frame, asked: Frame, before: list[Frame]) -> None:
        room = frame["room"]
        check(frame["username"] == self.name, self, "got another's welcome", frame)
        check(self._session in {None, frame["session"]}, self, "is someone else now:", frame)
        first, self._session = self._session is None, frame["session"]
        picture = self.pictures[room]
        if room in self.inside:
            picture.again(frame)
        else:
            picture.welcome(frame, "since" in asked)
            self.inside.add(room)
            if not self._eager:
                self._resend([room])
        others = [other for other in self.rooms if other != room]
        if "keep" not in asked:
            for other in others:
                self._in_order(other, before, frame)
            self.inside = {room}
        if first or "keep" not in asked:
            for other in others:
                self._join(other, keep=True)

    def _event(self, frame: Frame) -> None:
        room, key = frame["room"], frame.get("id")
        check(room in self.inside, self, "is not there, and heard", frame)
        mine = frame["username"] == self.name
        asked = self._asked.get(key or "") if mine else None
        if not self.pictures[room].event(frame):
            # Only an answer to what was sent again comes again; it may come after the replay's.
            check(mine and self._sent[str(key)], self, "had this already:", frame)
            self._sent[str(key)] -= 1
        if not mine or key is None:
            return
        item = self.outbox.pop(key, None)
        if item is not None:
            item.seq = frame["seq"]
            self.said.append(item)
            if frame["type"] == "chat":
                self.chats.append(item)
        if asked is not None:
            self._answered(key)
            known = item or self._known(key)
            assert known is not None
            same = {"chat": "chat", "edit": "edited", "delete": "deleted", "react": "reacted"}
            check(frame["type"] == same[known.frame["type"]], self, "asked", asked, "got", frame)
            check(frame["seq"] == known.seq, self, "had", known.seq, "and now", frame)
            check("wrong" not in asked, self, "used an id twice, and heard", frame)
        else:
            check(
                frame["type"] == "chat" and self._known(key),
                self,
                "has one answer too many:",
                frame,
            )

    def _known(self, key: str) -> Item | None:
        return next((one for one in reversed(self.said) if one.frame["id"] == key), None)

    def _error(self, frame: Frame, asked: Frame | None) -> None:
        code = frame["code"]
        if code == "name_taken" and self._session is None:
            self.cut()  # our own ghost, and we were never told how to prove who we are
            return
        failed = code == "storage_unavailable" and self.bears_failures
        if failed and asked is None and self._sent[frame.get("id", "")]:
            return  # its event came before, from a node where it was said earlier
        check(asked is not None, self, "heard an error that answers nothing:", frame)
        self._answered(frame["id"])
        assert asked is not None
        if failed or (code == "name_taken" and self.bears_failures and self._is_haunted):
            return
        if code == "not_joined" and self.bears_failures and asked["room"] not in self.inside:
            return  # said before the join was answered, which failed
        if "wrong" in asked:
            check(code == "id_reused", self, "misused an id and heard", frame)
            return
        item = self.outbox.pop(frame["id"], None)
        if asked["type"] == "thread":
            check(code == "not_found", self, "asked", asked, "and heard", frame)
            return
        doomed = item is not None and item.chat is not None and item.chat.doomed
        if item is not None and (item.frame["type"] == "react" or "reply_to" in item.frame):
            doomed = self.pictures[item.frame["room"]].may_be_gone(item.frame)
        check(code == "not_found" and doomed, self, "asked", asked, "and heard", frame)
        assert item is not None
        item.refused = code
        self.said.append(item)
