"""Coming and going: who is let into a room, who makes way for them, and who is out of which.

Where there are many nodes, one asks to come in (`Ask`), and is in when all have agreed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hubbub.chat import likeness, names
from hubbub.chat.entry import Entry
from hubbub.chat.moderation import put_out
from hubbub.chat.occupancy import Occupancy, replaced, seat
from hubbub.chat.room import Member, Room
from hubbub.chat.session import (
    Again,
    Ask,
    Dismiss,
    Effect,
    Enter,
    Exit,
    Free,
    Hold,
    Record,
    Session,
    Tell,
)
from hubbub.chat.speech import refuse
from hubbub.chat.standing import Standing
from hubbub.protocol.audit import USERS, Known
from hubbub.protocol.codes import REPLACED
from hubbub.protocol.incoming import Join, Leave
from hubbub.protocol.outgoing import Error
from hubbub.protocol.presence import Verdict


class Rules(Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def crowd(self) -> int: ...
    @property
    def max_room(self) -> int: ...
    @property
    def auth(self) -> str: ...


class Passage:
    """Lets sessions into `rooms`, which exist while someone is in them, and out of them.

    `unix` gives the time of day (Unix ms).
    """

    def __init__(
        self,
        rules: Rules,
        rooms: dict[str, Room],
        standing: Standing,
        entry: Entry,
        unix: Callable[[float], int],
    ) -> None:
        self.rooms = rooms
        self.standing = standing
        self.occupancy: Occupancy | None = None
        """Where there are many nodes, what this one knows of who is in the rooms on all."""
        self._entry = entry
        self._unix = unix
        self._crowd = rules.crowd
        self._max_room = rules.max_room
        self._auth = rules.auth

    def share(self) -> Occupancy:
        """Be one of many nodes, from the beginning on."""
        self.occupancy = Occupancy(self.rooms, self._crowd, self._auth != "off")
        return self.occupancy

    def join(self, session: Session, frame: Join, now: float) -> list[Effect]:
        """Into a room under a name, out of the others unless `keep`."""
        try:
            place = names.clean(frame.room, "room", self._max_room)
            name = self._entry.name(session, frame)
        except names.BadNameError as problem:
            return [refuse(session, problem.code, str(problem), frame.id)]
        keys = likeness.keys(name)
        room = self.rooms.get(place)
        here = session.rooms.get(place)
        others: list[Member] = []
        if room is not None and self.occupancy is None:
            others = [holder for holder in room.holders(keys) if holder is not here]

        secret, identity = self._entry.proof(session, frame)
        refusal = self._entry.refuse_way(
            session, frame, place, secret, self._rooms_beside(room)
        ) or self._entry.refuse_name(session, place, name, keys, others, identity)
        if refusal is not None:
            return [Tell(session, Error(refusal[1], refusal[0], frame.id))]
        banned = self.standing.banned(identity, session.address, place, self._unix(now))
        if banned is not None and not session.moderates(place):
            return [Tell(session, put_out("banned", banned, None, frame.id))]

        if here is not None and room is not None and here.name == name:
            again = Again(session, room, here, room.present(), frame.id)
            return [*self._leave_others(session, frame, place), again]
        if self.occupancy is not None:
            title = session.grant.name if session.grant is not None else None
            who = Member(name, keys, identity, (session,), title, self._is_guest(session))
            claim = self.occupancy.claim(place, who, here.key if here is not None else "")
            return [self.occupancy.ask(Ask(session, place, claim, frame, secret))]

        session.secret, session.identity = secret, identity
        effects = self._leave_others(session, frame, place)
        if here is not None:
            effects.append(self.exit(session, place))
            room = self.rooms.get(place)  # the exit of its last member ends a room
        if session.grant is not None:
            effects += self._make_known(session, name, keys)
        mine: Member | None = None
        for other in others:
            if other.identity == identity:
                mine = other
            else:
                effects += self._put_guest_out(other, place)
                room = self.rooms.get(place)
        if room is None:
            room = self.rooms[place] = Room(place, self._crowd, self._auth != "off")
        effects += self._admit(session, room, name, keys, mine)
        effects.append(
            Enter(
                session,
                room,
                session.rooms[place],
                room.present(),
                mine is None or mine.name != name,
                mine is not None or room.is_crowd,
                frame.since,
                frame.epoch,
                frame.id,
            )
        )
        return effects

    def _rooms_beside(self, room: Room | None) -> int | None:
        """How many rooms there are, if `room` would be one more."""
        if self.occupancy is not None:  # then it is looked at, and among them, before anyone is in
            return len(self.rooms) - (room is not None)
        return None if room is not None else len(self.rooms)

    def _is_guest(self, session: Session) -> bool:
        return session.grant is None and self._auth == "optional"

    def _leave_others(self, session: Session, frame: Join, place: str) -> list[Effect]:
        """Out of all rooms but `place`, unless they are to be kept."""
        if frame.keep:
            return []
        return [self.exit(session, one) for one in list(session.rooms) if one != place]

    def answered(
        self, ask: Ask, verdict: Verdict | None, is_open: bool, now: float
    ) -> list[Effect]:
        """What was asked for is answered (None: nobody knows how): then `session` is in, or not.

        `is_open`: it is still there.
        """
        assert self.occupancy is not None
        session, place, frame = ask.session, ask.room, ask.frame
        name, identity = ask.claim.who.name, bytes.fromhex(ask.claim.who.identity)
        member, room = self.occupancy.answered(ask), self.rooms[place]
        if verdict not in {"in", "mine"} or member is None:
            if verdict == "user":
                message = f"a user whose name looks the same is in {place}"
            else:
                message = f"the name {name} is taken in {place}"
            told = Tell(session, Error(message, "name_taken", frame.id))
            return [] if verdict is None else [told]
        banned = self.standing.banned(identity, session.address, place, self._unix(now))
        if not is_open:
            return [Free(place, member)]
        if banned is not None and not session.moderates(place):
            ban = put_out("banned", banned, None, frame.id)
            return [Tell(session, ban), Free(place, member)]
        session.secret, session.identity = ask.secret, identity
        effects = self._leave_others(session, frame, place)
        if place in session.rooms:
            effects.append(self.exit(session, place))
        if session.grant is not None:
            effects += self._make_known(session, name, (member.key, member.look))
            member.sessions += (session,)
            if ask.claim.who.seats != (seat(member.sessions, place),):
                effects.append(Hold(place, member))
        else:
            for old in member.sessions:
                effects += replaced(self.occupancy, old, place)
            member.sessions = (session,)
        session.enters(place, member)
        enter = Enter(session, room, member, None, False, None, frame.since, frame.epoch, frame.id)
        return [*effects, enter]

    def _make_known(self, session: Session, name: str, keys: tuple[str, ...]) -> list[Effect]:
        """The name of a user is theirs from the first time on, and can be mentioned anywhere."""
        if self.standing.users.issuperset(keys):
            return []
        self.standing.know(name, keys)
        return [
            Record(
                USERS,
                session.identity,
                "",
                name,
                None,
                0,
                event=Known(0, 0, name),
                session=session,
                answer=False,
            )
        ]

    def _put_guest_out(self, guest: Member, place: str) -> list[Effect]:
        """A guest holds the name of a user who comes in: the user gets it."""
        effects: list[Effect] = []
        for session in guest.sessions:
            message = f"the name {guest.name} belongs to a user who came in; take another"
            effects.append(Tell(session, Error(message, "name_taken", room=place)))
            effects.append(self.exit(session, place))
        return effects

    def _admit(
        self,
        session: Session,
        room: Room,
        name: str,
        keys: tuple[str, ...],
        mine: Member | None,
    ) -> list[Effect]:
        """Make the session a member; `mine` is who has the name there, by the same proof."""
        grant = session.grant
        if grant is not None and mine is not None:
            mine.sessions += (session,)
            session.enters(room.name, mine)
            return []
        title = grant.name if grant is not None else None
        member = Member(*(name, keys, session.identity, (session,), title, self._is_guest(session)))
        effects: list[Effect] = []
        if mine is not None:
            effects = self._replace(mine, room, member)
        else:
            room.add(member)
        session.enters(room.name, member)
        return effects

    def _replace(self, ghost: Member, room: Room, member: Member) -> list[Effect]:
        """Put `member` in the ghost's place of the roster, and send the ghost's socket away."""
        (old,) = ghost.sessions
        old.leaves(room.name)
        room.replace(ghost, member)
        effects: list[Effect] = [Exit(old, room, ghost, False, True, True, None)]
        effects += self.drop(old)
        effects.append(Dismiss(old, REPLACED, "your session is open on a newer connection"))
        return effects

    def leave(self, session: Session, frame: Leave) -> list[Effect]:
        """Out of one room, or of all."""
        if frame.room is None:
            leaving = list(session.rooms)
        else:
            place = names.tidy(frame.room)
            leaving = [place] if place in session.rooms else []
        if not leaving:
            if frame.id is None and frame.room is None:
                return []
            return [refuse(session, "not_joined", "you are not in that room", frame.id)]
        return [self.exit(session, place, frame.id) for place in leaving]

    def drop(self, session: Session) -> list[Effect]:
        """Out of everything, because the socket is gone. Doing it again changes nothing."""
        return [self.exit(session, place) for place in list(session.rooms)]

    def exit(self, session: Session, place: str, answer: str | None = None) -> Exit:
        """Out of one room, in which it is."""
        if self.occupancy is not None:
            return self.occupancy.exit(session, place, answer, False)
        member = session.leaves(place)
        room = self.rooms[place]
        if len(member.sessions) > 1:
            member.sessions = tuple(one for one in member.sessions if one is not session)
            return Exit(session, room, member, False, True, False, answer)
        room.remove(member)
        if not room.members:
            del self.rooms[place]
        return Exit(session, room, member, True, room.is_crowd, False, answer)
