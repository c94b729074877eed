"""The lobby: all rooms of this node, and what each client frame does to them.

Each method takes a session and what it asked for, changes who is where, and returns the effects
in the order in which they are to be felt. A request that is refused changes nothing: a refused
join leaves one where one was. What is said is decided in `speech`, what moderators do in
`moderation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hubbub.chat import conversation, entry, likeness, limits, names, overview, speech
from hubbub.chat.conversation import Conversation
from hubbub.chat.entry import Entry
from hubbub.chat.grants import Grant
from hubbub.chat.mentions import Mentions
from hubbub.chat.moderation import Moderation, put_out
from hubbub.chat.occupancy import Occupancy, replaced, seat
from hubbub.chat.overview import Overview
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
from hubbub.chat.speech import Speech, refuse
from hubbub.chat.standing import OPEN, Standing
from hubbub.protocol.audit import USERS, Known
from hubbub.protocol.codes import REPLACED
from hubbub.protocol.incoming import (
    AskRooms,
    AskThread,
    Auth,
    Chat,
    Delete,
    Edit,
    Follow,
    History,
    Incoming,
    Join,
    Leave,
    Mod,
    Ping,
    React,
    Read,
    Type,
)
from hubbub.protocol.outgoing import Error, Held, Ok, Pong, Welcome
from hubbub.protocol.presence import Verdict


class Rules(entry.Rules, speech.Rules, conversation.Rules, overview.Rules, limits.Rules, Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def crowd(self) -> int: ...
    @property
    def max_room(self) -> int: ...
    @property
    def auth(self) -> str: ...


class Proofs(entry.Proofs, Protocol):
    """How people prove who they are; `hubbub.access.identity.Proofs` is one such."""

    @property
    def is_password(self) -> Callable[[str], bool] | None:
        """Whether this is the moderators' password; None: there is none."""
        ...


class Lobby:
    """Rooms by name. A room exists while someone is in it.

    `offset` is the Unix time minus the clock that callers' `now` is of, in seconds.
    """

    def __init__(self, rules: Rules, proofs: Proofs) -> None:
        self.rooms: dict[str, Room] = {}
        self.standing = Standing()
        self.occupancy: Occupancy | None = None
        """Where there are many nodes, what this one knows of who is in the rooms on all."""
        self.offset = 0.0
        self._crowd = rules.crowd
        self._max_room = rules.max_room
        self._auth = rules.auth
        self._entry = Entry(rules, proofs, self.standing)
        self._paces = paces = limits.Paces(rules)
        mentions = Mentions(self.rooms, self.standing)
        self._speech = Speech(rules, paces, self.standing, mentions, self.unix)
        self._converse = Conversation(rules, self.rooms, self._speech).handle
        identify = proofs.identify_user
        self._overview = Overview(rules, self.rooms, self.standing, identify, self.unix)
        self.hears = self._overview.hears
        self._moderation = Moderation(
            self.rooms, self.standing, proofs.is_password, self.unix, self._exit
        )
        self.enforce = self._moderation.enforce
        self.has_password = proofs.is_password is not None
        """Whether one can become a moderator by a password."""
        self.weighs = paces.octets.step > 0
        """Whether bytes are counted at all."""
        self.chat = self._speech.chat
        self.too_fast = self._speech.too_fast

    def unix(self, now: float) -> int:
        """The time of day at `now`, in Unix milliseconds."""
        return int((now + self.offset) * 1000)

    def handle(self, session: Session, frame: Incoming, now: float) -> list[Effect]:
        """What comes of one frame; `now` is in seconds on a clock that does not go back."""
        match frame:
            case Chat():
                effect = self.chat(session, frame, now)
                return [] if effect is None else [effect]
            case Edit() | Delete():
                return [self._speech.change(session, frame, now)]
            case React():
                hurry = self._speech.count(session, frame.id, now)
                return [hurry] if hurry is not None else self._converse(session, frame, now)
            case Join() | Leave():
                moves = self._paces.moves.take(session.moves, now)
                if moves < 0:
                    return [self.too_fast(session, -moves, frame.id, now)]
                session.moves = moves
                if isinstance(frame, Leave):
                    return self.leave(session, frame)
                return self.join(session, frame, now)
            case _:
                hurry = self.hurry(session, frame.id, now)
                if hurry is not None:
                    return [hurry]
        match frame:
            case Ping():
                return [Tell(session, Pong(frame.id))]
            case History():
                return [self._speech.history(session, frame)]
            case AskRooms():
                return [self._overview.survey(session, frame, self.occupancy, now)]
            case Follow():
                return [self._overview.follow(session, frame, now)]
            case Read():
                return [self._overview.read(session, frame, now)]
            case AskThread() | Type():
                return self._converse(session, frame, now)
            case Auth():
                return [refuse(session, "forbidden", "this server takes no tokens", frame.id)]
            case Mod():
                effects = self._moderation.handle(session, frame, now)
                return [*effects, *self._hold(session)] if session.is_mod else effects
            case _:
                return self._moderation.handle(session, frame, now)

    def hurries(self, session: Session, now: float) -> bool:
        """Whether a `join` or `leave` at this moment would come too soon."""
        return self._paces.moves.take(session.moves, now) < 0

    def hurry(self, session: Session, id: str | None, now: float) -> Effect | None:
        """Count a frame that neither says something nor moves; the refusal if it came too soon."""
        rest = self._paces.rest.take(session.rest, now)
        if rest < 0:
            return self.too_fast(session, -rest, id, now)
        session.rest = rest
        return None

    def weigh(self, session: Session, size: int, now: float) -> float:
        """Count bytes; gives how many seconds they came too soon."""
        octets = self._paces.octets.take(session.octets, now, size)
        if octets < 0:
            return -octets
        session.octets = octets
        return 0.0

    def share(self) -> Occupancy:
        """Be one of many nodes, from the beginning on."""
        self.occupancy = Occupancy(self.rooms, self._crowd, self._auth != "off")
        return self.occupancy

    # Coming and going

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
        banned = self.standing.banned(identity, session.address, place, self.unix(now))
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
            effects.append(self._exit(session, place))
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
        return [self._exit(session, one) for one in list(session.rooms) if one != place]

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
        banned = self.standing.banned(identity, session.address, place, self.unix(now))
        if not is_open:
            return [Free(place, member)]
        if banned is not None and not session.moderates(place):
            ban = put_out("banned", banned, None, frame.id)
            return [Tell(session, ban), Free(place, member)]
        session.secret, session.identity = ask.secret, identity
        effects = self._leave_others(session, frame, place)
        if place in session.rooms:
            effects.append(self._exit(session, place))
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
            effects.append(self._exit(session, place))
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
        return [self._exit(session, place, frame.id) for place in leaving]

    def drop(self, session: Session) -> list[Effect]:
        """Out of everything, because the socket is gone. Doing it again changes nothing."""
        return [self._exit(session, place) for place in list(session.rooms)]

    def _exit(self, session: Session, place: str, answer: str | None = None) -> Exit:
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

    def inform(self, session: Session, welcome: Welcome, now: float) -> None:
        """Put into a welcome what may and may not be done in its room."""
        place = welcome.room
        welcome.mod, welcome.mod_all = session.moderates(place), session.moderates_all
        welcome.writes = session.grant is None or session.grant.writes(place)
        about = self.standing.about.get(place)
        if about is not None:
            welcome.topic, welcome.description = about.topic, about.description
            welcome.pins = list(about.pins) or None
        if self.standing.is_lax:
            return
        mode = self.standing.modes.get(place, OPEN)
        welcome.slow, welcome.read_only = mode.slow, mode.read_only
        mute = self.standing.muted(session.identity, place, self.unix(now))
        if mute is not None and not welcome.mod:
            welcome.muted = Held(mute.until, mute.reason)

    # What is done to people

    def authorize(self, session: Session, grant: Grant, id: str | None) -> list[Effect]:
        """A new token's grants hold from now on: rooms that it does not grant are left."""
        if session.grant is None and session.rooms:
            message = "leave your rooms first: a guest cannot become a user in one"
            return [refuse(session, "forbidden", message, id)]
        if session.grant is not None and session.grant.sub != grant.sub:
            message = f"the token is of {grant.sub}, and you are {session.grant.sub}"
            return [refuse(session, "forbidden", message, id)]
        session.grant = grant
        effects: list[Effect] = []
        for room in map(self.rooms.__getitem__, session.rooms):
            member = session.rooms[room.name]
            if member.title != grant.name:
                member.title, room.roster_due = grant.name, True
        effects += self._hold(session)
        for place in [place for place in session.rooms if not grant.reads(place)]:
            message = f"your new token does not let you into {place}"
            effects.append(Tell(session, Error(message, "forbidden", room=place)))
            effects.append(self._exit(session, place))
        return [*effects, Tell(session, Ok(id))]

    def _hold(self, session: Session) -> list[Hold]:
        """The other nodes are told how the session is in its rooms now."""
        if self.occupancy is None:
            return []
        return [Hold(place, member) for place, member in session.rooms.items()]
