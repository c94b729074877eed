"""Who is in the rooms of many nodes: this node's view of it, and how it follows what is told.

Redis has the one account of a room; `Room` is this node's view, with those on other nodes as
members without sessions. What is decided here is what comes of a change of that account: who hears
`joined` or `left`, who of this node has lost their name, and whether the account is wrong about
this node, which then has to be settled.

Laws: the view changes by what is told alone, in its order, so that it is the same on all nodes;
who has a session here is never quietly out of the view. After all was lost, those of other nodes
stay until they were told again or `give_up` is called, so that nobody hears of it.
"""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from hubbub.chat.room import Member, Room
from hubbub.chat.session import Ask, Dismiss, Effect, Exit, Session, Tell
from hubbub.protocol.codes import REPLACED
from hubbub.protocol.outgoing import Error, Joined, Left
from hubbub.protocol.presence import (
    Came,
    Change,
    Changed,
    Changes,
    Claim,
    Occupant,
    Seat,
    Snapshot,
    Went,
)


class Seen(Struct):
    """What comes of news: what the room hears, and what becomes of people on this node.

    `owes`: what is told of this node is wrong, and it has to be settled. `lost`: some may be gone,
    and `give_up` has to be called after a while.
    """

    told: list[Joined | Left]
    effects: list[Effect]
    owes: bool = False
    lost: bool = False


class Occupancy:
    """The views of `rooms`. `marked`: members may have display names or be guests."""

    def __init__(self, rooms: dict[str, Room], crowd: int, marked: bool) -> None:
        self._rooms = rooms
        self._crowd = crowd
        self._marked = marked
        self._asked: Counter[tuple[str, str, str]] = Counter()
        """Claims without an answer yet, by room, key and identity."""
        self._given_up: Counter[tuple[str, str, str]] = Counter()
        """What those would give up for it, likewise."""
        self._lost: dict[str, set[Member]] = {}

    # What this node asks for

    def claim(self, place: str, member: Member, instead: str) -> Claim:
        """What to ask for, for who is about to be a member; see `Claim`."""
        who, room = occupant(member, place), self._rooms.get(place)
        there = room.members.get(who.key) if room is not None and who.user else None
        if there is not None and there.identity == member.identity:
            who.seats = (seat(there.sessions + member.sessions, place),)
        return Claim(who, instead)

    def ask(self, ask: Ask) -> Ask:
        """Remember that a name is asked for: until there is an answer it is not let go of."""
        self._asked[_name(ask)] += 1
        if ask.claim.instead:
            self._given_up[_old_name(ask)] += 1
        return ask

    def answered(self, ask: Ask) -> Member | None:
        """There is an answer; gives the member, if it is in the view."""
        _uncount(self._asked, _name(ask))
        if ask.claim.instead:
            _uncount(self._given_up, _old_name(ask))
        who = ask.claim.who
        member = self._rooms[ask.room].members.get(who.key)
        return member if member is not None and member.identity.hex() == who.identity else None

    def mark(self, ask: Ask) -> int:
        """The mark of the name that is asked for, if it is theirs already."""
        room, who = self._rooms.get(ask.room), ask.claim.who
        holders = room.holders((who.key, who.look)) if room is not None else []
        return next((one.mark for one in holders if _is(one, who)), 0)

    def is_needed(self, place: str, member: Member) -> bool:
        """Whether this node has to go on holding a member's name."""
        room = self._rooms.get(place)
        there = room.members.get(member.key) if room is not None else None
        if there is not None and there.identity == member.identity and there.sessions:
            return True
        return bool(member.sessions) or (place, member.key, member.identity.hex()) in self._asked

    def members(self, place: str) -> list[Occupant]:
        """Who is truly in a room on this node."""
        room = self._rooms.get(place)
        return [
            occupant(member, place)
            for member in (room.members.values() if room is not None else ())
            if member.sessions
        ]

    def counts(self) -> dict[str, int]:
        """How many are in each room of this node."""
        return {name: len(room.members) for name, room in self._rooms.items()}

    def forget(self, place: str) -> None:
        """Nobody of this node is in a room any more."""
        self._rooms.pop(place, None)
        self._lost.pop(place, None)

    def exit(self, session: Session, place: str, answer: str | None, replaced: bool) -> Exit:
        """A session is out of a room; who remains hears of it when the others do."""
        member = session.leaves(place)
        member.sessions = tuple(one for one in member.sessions if one is not session)
        return Exit(session, self._rooms[place], member, False, True, replaced, answer)

    # What it is told

    def hear(self, news: Changes | Snapshot) -> Seen:
        """Bring a room's view to where its account is."""
        room = self._rooms.get(news.room)
        if room is None:
            room = self._rooms[news.room] = Room(news.room, self._crowd, self._marked)
        last = next(reversed(room.members.values())).order if room.members else 0
        look = _Look(self, room, news.us, last)
        if isinstance(news, Changes):
            for change in news.changes:
                look.change(change)
        else:
            look.everyone(news)
        if look.is_unsorted:
            room.sort()
        return look.seen

    def give_up(self, place: str) -> list[Left]:
        """Who was not told again since all was lost is gone."""
        room, lost = self._rooms.get(place), self._lost.pop(place, set())
        told: list[Left] = []
        for member in lost if room is not None else ():
            if room is not None and room.members.get(member.key) is member:
                told += _leave(room, member)
        return told

    def found(self, room: Room, member: Member) -> None:
        """Someone was told again."""
        if room.name in self._lost:
            self._lost[room.name].discard(member)

    def lose(self, room: Room, member: Member) -> None:
        """Someone may be gone."""
        self._lost.setdefault(room.name, set()).add(member)

    def is_lost(self, room: Room, member: Member) -> bool:
        """Whether someone may be gone, and may be told again."""
        return member in self._lost.get(room.name, ())

    def is_asked(self, room: Room, who: Occupant) -> bool:
        """Whether this node has just asked for it."""
        return (room.name, who.key, who.identity) in self._asked

    def is_given_up(self, room: Room, member: Member) -> bool:
        """Whether this node has asked for another name in place of this."""
        return (room.name, member.key, member.identity.hex()) in self._given_up


class _Look:
    """One piece of news, as it changes a room's view."""

    def __init__(self, occupancy: Occupancy, room: Room, us: frozenset[str], last: int) -> None:
        self._occupancy = occupancy
        self._room = room
        self._us = us
        self._last = last
        self.seen = Seen([], [])
        self.is_unsorted = False

    def change(self, change: Change) -> None:
        room = self._room
        match change:
            case Came(who):
                self._place(who)
            case Changed(key, who):
                member = room.members.get(key)
                if member is not None and _is(member, who) and key != who.key:
                    self._respell(member, who)
                self._place(who)
            case Went(key):
                member = room.members.get(key)
                if member is None:
                    return
                if member.sessions and not self._occupancy.is_given_up(room, member):
                    self.seen.owes = True  # taken for dead, or for nobody: it says that it is not
                else:
                    self._remove(member)

    def everyone(self, news: Snapshot) -> None:
        room = self._room
        there = {id(self._place(who)) for who in sorted(news.occupants, key=lambda one: one.order)}
        for member in [one for one in room.members.values() if id(one) not in there]:
            if member.sessions and not news.is_settled:
                self.seen.owes = True
            elif news.is_other and not member.sessions:
                self.seen.lost = True
                self._occupancy.lose(room, member)
            elif self._occupancy.is_lost(room, member):
                pass  # there is still time to be told again
            else:
                self._put_out(member)
                self._remove(member)

    def _place(self, who: Occupant) -> Member:
        """See that someone is in the view as told."""
        room = self._room
        member = room.members.get(who.key)
        if member is None or not _is(member, who) or member.look != who.look:
            for other in room.holders((who.key, who.look)):
                self._put_out(other)
                self._remove(other)
            member = self._add(who)
        elif (member.name, member.title) != (who.name, who.title or None):
            member.name, member.title = who.name, who.title or None
            room.roster_due = True
        if member.order != who.order:
            self.is_unsorted = True
        member.order, member.mark = who.order, who.mark
        member.elsewhere = tuple(
            one for one in who.seats if one.node in who.nodes and one.node not in self._us
        )
        self._occupancy.found(room, member)
        # Who comes in on this node is told of after their welcome. Who asked for it here, and came
        # in elsewhere instead, gets none.
        is_ours = not self._us.isdisjoint(who.nodes)
        if not (is_ours and self._occupancy.is_asked(room, who)) and room.introduce(member):
            joined = Joined(room.name, member.name, member.title, member.guest)
            self.seen.told.append(joined)
        self._compare(member, who, is_ours)
        return member

    def _add(self, who: Occupant) -> Member:
        room = self._room
        member = Member(
            *(who.name, (who.key, who.look), bytes.fromhex(who.identity), ()),
            *(who.title or None, who.guest),
        )
        member.order = who.order
        self.is_unsorted |= who.order <= self._last
        self._last = max(self._last, who.order)
        room.add(member)
        room.hold_back(member)
        return member

    def _compare(self, member: Member, who: Occupant, is_ours: bool) -> None:
        """Is it true what is told of this node?"""
        if member.sessions and not is_ours:
            if who.user:
                self.seen.owes = True
            else:
                self._replace(member)
        elif is_ours and not member.sessions and not self._occupancy.is_asked(self._room, who):
            self.seen.owes = True

    def _respell(self, member: Member, who: Occupant) -> None:
        """A name was taken over under another spelling, and keeps its place."""
        room = self._room
        for other in room.holders((who.key, who.look)):
            if other is not member:
                self._put_out(other)
                self._remove(other)
        room.remove(member)
        member.name, member.key, member.look = who.name, who.key, who.look
        room.add(member)
        room.roster_due = self.is_unsorted = True

    def _remove(self, member: Member) -> None:
        self.seen.told += _leave(self._room, member)

    def _put_out(self, member: Member) -> None:
        """Someone else has the name now."""
        place = self._room.name
        message = f"the name {member.name} is taken in {place} by someone else; take another"
        for session in member.sessions:
            if session.rooms.get(place) is member:
                told = Error(message, "name_taken", room=place)
                self.seen.effects.append(Tell(session, told))
                self.seen.effects.append(self._occupancy.exit(session, place, None, False))

    def _replace(self, member: Member) -> None:
        """A session was opened on another node: it is there now, with all its rooms."""
        for session in member.sessions:
            self.seen.effects += replaced(self._occupancy, session, self._room.name)


def replaced(occupancy: Occupancy, session: Session, place: str) -> list[Effect]:
    """What becomes of a socket whose session is open on a newer one, in `place` at least."""
    effects: list[Effect] = [occupancy.exit(session, place, None, True)]
    effects += [occupancy.exit(session, other, None, False) for other in list(session.rooms)]
    effects.append(Dismiss(session, REPLACED, "your session is open on a newer connection"))
    return effects


def seat(sessions: tuple[Session, ...], place: str) -> Seat:
    """How someone with these sessions is in a room on this node."""
    addresses = {session.address for session in sessions if session.address}
    return Seat("", tuple(sorted(addresses)), any(session.moderates(place) for session in sessions))


def occupant(member: Member, place: str) -> Occupant:
    """A member of a room as other nodes are told of it."""
    return Occupant(
        member.key,
        member.look,
        member.name,
        member.identity.hex(),
        member.title or "",
        member.guest,
        any(session.grant is not None for session in member.sessions),
        member.order,
        seats=(seat(member.sessions, place),),
    )


def _leave(room: Room, member: Member) -> list[Left]:
    room.roster_due = True
    was_heard_of = room.forget(member)
    return [Left(room.name, member.name)] if was_heard_of and not room.is_crowd else []


def _is(member: Member, who: Occupant) -> bool:
    return member.identity.hex() == who.identity


def _name(ask: Ask) -> tuple[str, str, str]:
    return ask.room, ask.claim.who.key, ask.claim.who.identity


def _old_name(ask: Ask) -> tuple[str, str, str]:
    return ask.room, ask.claim.instead, ask.claim.who.identity


def _uncount(counter: Counter[tuple[str, str, str]], name: tuple[str, str, str]) -> None:
    counter[name] -= 1
    if counter[name] <= 0:
        del counter[name]
