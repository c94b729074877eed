"""Presence across nodes: what this one tells of its people, and how the rooms hear of the others'.

Who comes in asks for the name first, and is let in when Redis has answered; who leaves is told to
all when Redis knows it. What is asked and told in one turn goes in one round trip, and while that
is at work the next gathers.

Laws: a room hears `joined` and `left` of what the account in Redis says, in its order; what may not
have reached Redis is owed, and paid by settling the room when Redis answers again; nobody is taken
for dead by a node that has not itself seen Redis answer for as long as a lease, an answer and
`SLACK`, so that after a pause of Redis everybody is back before anybody is missed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from hubbub.chat.occupancy import Occupancy, occupant, seat
from hubbub.chat.room import Member
from hubbub.chat.session import Ask, Enter, Free, Hold, Session, Whisper
from hubbub.delivery.follow import Following
from hubbub.delivery.keeper import RETRY, Done
from hubbub.protocol.outgoing import Joined, Left, Typing, encode
from hubbub.protocol.presence import (
    Amend,
    Changes,
    Leased,
    Move,
    Release,
    Snapshot,
    Verdict,
)
from hubbub.store.base import StoreError
from hubbub.websocket.frames import text_frame

if TYPE_CHECKING:
    from hubbub.delivery.hub import Hub

SLACK: Final = 1.0
"""Seconds that a node may need, beside those that an answer of Redis may take, to notice that it
answers again, if it hung."""
OFTEN: Final = 0.5
"""Seconds between two renewals of the lease, at most."""
Moving = list[tuple[Move, Ask | None]]


class Presence:
    """Between a hub and the account of who is in its rooms.

    `lease` is in seconds, and so is `answer`: how long one of Redis may take.
    """

    def __init__(
        self, hub: Hub, occupancy: Occupancy, keeper: Following, lease: float, answer: float
    ) -> None:
        self.nodes = 1
        """How many nodes there are."""
        self._hub = hub
        self._occupancy = occupancy
        self._keeper = keeper
        self._account = keeper.presence
        self._lease = lease
        self._patience = lease + answer + SLACK
        """Seconds after which everybody has been told again who will be."""
        self._loop = asyncio.get_running_loop()
        self._moves: dict[str, Moving] = {}
        self._owed: set[str] = set()
        """Rooms that have to be settled."""
        self._busy = False
        self._woken = False
        self._pauses = False
        """Something just failed: what is owed is not tried again yet."""
        self._stopped = False
        self._answers = False
        """Redis did, when it was asked last."""
        self._since = 0.0
        """Since when it has without a pause, on the loop's clock."""
        self._answered_at = float("-inf")
        self._counts: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._burying: set[str] = set()
        self._rest: asyncio.Future[None] | None = None

    # What this node says

    def feel(self, effect: Ask | Free | Hold) -> None:
        """Something that was decided is to be told."""
        match effect:
            case Ask():
                self._say(effect.room, effect.claim, effect)
            case Free():
                self.free(effect.room, effect.member)
            case Hold():
                if self._occupancy.is_needed(effect.room, effect.member):
                    self._amend(effect.room, effect.member)

    def free(self, place: str, member: Member, gone: Session | None = None) -> None:
        """Let go of a name, if nobody on this node has it any more.

        `gone` is who has just left; else say how who stays is there.
        """
        stay = member.sessions
        if not self._occupancy.is_needed(place, member):
            self._say(place, Release(member.key, member.identity.hex()), None)
        elif stay and (gone is None or seat((*stay, gone), place) != seat(stay, place)):
            self._amend(place, member)

    def _amend(self, place: str, member: Member) -> None:
        self._say(place, Amend(occupant(member, place)), None)

    def _say(self, place: str, move: Move, ask: Ask | None) -> None:
        self._moves.setdefault(place, []).append((move, ask))
        self._wake()

    def _wake(self) -> None:
        if not (self._busy or self._woken):
            self._woken = True
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        self._woken = False
        if self._owed and self._answers and not self._pauses:
            owed, self._owed = self._owed, set()
            self._busy = True
            members = {place: self._occupancy.members(place) for place in owed}
            self._keeper.do(partial(self._account.settle, members), partial(self._settled, owed))
        elif self._moves:
            moves, self._moves = self._moves, {}
            self._busy = True
            gave_up = self._look_who_is_there(moves)
            asked = {place: [move for move, _ in some] for place, some in moves.items()}
            behind = [place for place, some in moves.items() if self._is_behind(place, some)]
            move = partial(self._account.move, asked, behind)
            self._keeper.do(move, partial(self._moved, moves))
            for ask in gave_up:
                self._answer(ask, None)
        elif self._rest is not None:
            self._rest.set_result(None)
            self._rest = None

    def _look_who_is_there(self, moves: dict[str, Moving]) -> list[Ask]:
        """Say in claims whose the names are now, as far as is known here.

        Takes out and gives the claims of those who gave up and may be in on another node, from
        which they would be put out. They are not read from while they wait, so it is asked.
        """
        gave_up: list[Ask] = []
        for place, some in moves.items():
            staying: Moving = []
            for move, ask in some:
                if ask is not None:
                    ask.claim.over = self._occupancy.mark(ask)
                    if ask.claim.over and not ask.session.socket.is_there:
                        gave_up.append(ask)
                        continue
                staying.append((move, ask))
            moves[place] = staying
        return gave_up

    def _is_behind(self, place: str, moves: Moving) -> bool:
        """Whether someone comes back who saw more on another node than this one has heard of."""
        feed = self._hub.feeds.get(place)
        head = feed.log.seq if feed is not None else 0
        return any(ask is not None and (ask.frame.since or 0) > head for _, ask in moves)

    def _settled(self, owed: set[str], answer: dict[str, StoreError | None] | StoreError) -> None:
        failed = (
            owed
            if isinstance(answer, StoreError)
            else {place for place, problem in answer.items() if problem is not None}
        )
        self._owe(failed)
        self._go_on()

    def _owe(self, failed: set[str]) -> None:
        """These rooms have to be settled, but not at once: nobody is to wait for that."""
        self._owed |= failed
        if failed and not self._pauses:
            self._pauses = True
            self._loop.call_later(RETRY, self._resume)

    def _resume(self) -> None:
        self._pauses = False
        self._wake()

    def _moved(
        self, moves: dict[str, Moving], answer: dict[str, list[Verdict] | StoreError] | StoreError
    ) -> None:
        for place, some in moves.items():
            verdicts = answer if isinstance(answer, StoreError) else answer[place]
            if isinstance(verdicts, StoreError):
                self._owe({place})
                for _, ask in some:
                    if ask is not None:
                        self._answer(ask, None, verdicts)
            else:
                for (_, ask), verdict in zip(some, verdicts, strict=True):
                    if ask is not None and verdict == "moved":
                        self._say(place, ask.claim, ask)  # if they are still there, they mean it
                    elif ask is not None:
                        self._answer(ask, verdict)
        self._go_on()

    def _go_on(self) -> None:
        self._busy = False
        self._wake()

    def _answer(self, ask: Ask, verdict: Verdict | None, problem: StoreError | None = None) -> None:
        hub, reader = self._hub, ask.session.socket
        effects = hub.lobby.answered(ask, verdict, reader.is_open, time.monotonic())
        if problem is not None:
            hub.refuse(reader, problem, ask.id)
        for effect in effects:
            if isinstance(effect, Enter):
                hub.doors.expect(reader, effect)
            hub.put(effect)
        hub.doors.expect_no_more(ask.room)
        reader.answered()

    # What it hears

    def hear(self, news: Changes | Snapshot) -> None:
        """News of who is in a room."""
        place = news.room
        if not self._hub.doors.is_open(place):
            return
        seen = self._occupancy.hear(news)
        self._tell(place, seen.told)
        for effect in seen.effects:
            self._hub.put(effect)
        if seen.owes:
            self._owed.add(place)
            self._wake()
        if seen.lost:
            self._loop.call_later(self._patience, self._give_up, place)

    def _give_up(self, place: str) -> None:
        self._tell(place, self._occupancy.give_up(place))

    def _tell(self, place: str, told: list[Joined | Left] | list[Left]) -> None:
        feed = self._hub.feeds.get(place)
        if feed is not None:
            for frame in told:
                feed.log.tell(text_frame(encode(frame)))
            self._hub.fanout.dirty[feed] = None
            self._hub.fanout.wake()

    # What is said in passing

    def whisper(self, whisper: Whisper) -> None:
        """Let the other nodes hear it, too, if they can."""
        if isinstance(whisper.frame, Typing):
            self._keeper.whisper(whisper.room, whisper.member.key)

    def typing(self, place: str, key: str) -> None:
        """A member of a room is writing, on another node; called on the loop."""
        room = self._hub.lobby.rooms.get(place)
        member = room.members.get(key) if room is not None else None
        if member is not None:
            self._hub.whisper(Whisper(place, member, Typing(place, member.name)))
            self._hub.fanout.wake()

    # That it lives

    def start(self) -> None:
        """Renew the lease from now on."""
        counts = self._occupancy.counts()
        changed = {
            place: count for place, count in counts.items() if self._counts.get(place) != count
        }
        self._counts = counts
        healthy = self._loop.time() - self._since >= self._patience
        lease = partial(self._account.lease, changed, self._answers and healthy)
        self._keeper.do(lease, self._leased)

    def _leased(self, leased: Leased | StoreError) -> None:
        now = self._loop.time()
        if isinstance(leased, StoreError):
            self._answers = False
            self._counts = {}
        else:
            if not self._answers or leased.anew:
                # What was said meanwhile may have reached it or not; or others have put us out.
                self._owed.update(self._occupancy.counts())
                self._counts = {}
            if not self._answers or leased.anew or now - self._answered_at > self._lease / 2:
                self._since = now
            self._answers = True
            self._answered_at = now
            self.nodes = leased.nodes
            for node in leased.dead:
                self._bury(node)
            self._wake()
        if not self._stopped:
            self._timer = self._loop.call_later(min(OFTEN, self._lease / 4), self.start)

    def _bury(self, node: str) -> None:
        if node not in self._burying:
            self._burying.add(node)
            self._hub.log.warning("a node is gone, and its people with it", node=node)
            self._keeper.do(partial(self._account.bury, node), partial(self._buried, node))

    def _buried(self, node: str, _: StoreError | None) -> None:
        self._burying.discard(node)  # if it failed, it is among the dead the next time, too

    async def stop(self) -> None:
        """Nobody is here any more: wait until that is known, and give the lease back."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._busy or self._woken or self._moves:
            self._rest = self._loop.create_future()
            await self._rest
        if not self._owed:
            self._keeper.do(self._account.retire, _ignore)

    # How many are where

    def count(self, done: Done[dict[str, int]]) -> None:
        """How many are in the rooms that other nodes have?"""
        self._keeper.find(self._account.counts, done)

    async def counts(self) -> dict[str, int]:
        """How many are in each room of all nodes; while Redis is away, of this one's."""
        answer: asyncio.Future[dict[str, int] | StoreError] = self._loop.create_future()
        self.count(_setter(answer))
        found = await answer
        others = {} if isinstance(found, StoreError) else found
        return {
            place: count for place, count in (others | self._occupancy.counts()).items() if count
        }


def _setter(
    answer: asyncio.Future[dict[str, int] | StoreError],
) -> Callable[[dict[str, int] | StoreError], None]:
    def told(found: dict[str, int] | StoreError) -> None:
        if not answer.done():  # who asked may have gone
            answer.set_result(found)

    return told


def _ignore(_: object) -> None:
    """Nobody waits for this answer."""
