"""The lobby: all rooms of this node, and what each client frame does to them.

Each method takes a session and what it asked for, changes who is where, and returns the effects
in the order in which they are to be felt. A request that is refused changes nothing: a refused
join leaves one where one was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from hubbub.chat import names
from hubbub.chat.limits import Pace
from hubbub.chat.room import Member, Room
from hubbub.chat.session import Again, Browse, Dismiss, Effect, Enter, Exit, Post, Session, Tell
from hubbub.protocol.codes import REPLACED, ErrorCode
from hubbub.protocol.incoming import Chat, Delete, Edit, History, Incoming, Join, Leave
from hubbub.protocol.outgoing import Error, Pong

NOT_JOINED: Final = "join a room before chatting"


class Rules(Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def crowd(self) -> int: ...
    @property
    def max_text(self) -> int: ...
    @property
    def max_name(self) -> int: ...
    @property
    def max_room(self) -> int: ...
    @property
    def max_rooms_per_connection(self) -> int: ...
    @property
    def rate(self) -> float: ...


class Lobby:
    """Rooms by name. A room exists while someone is in it.

    `new_secret()` draws a session's secret (at least 128 random bits), and `identify(secret)`
    gives the identity that it proves.
    """

    def __init__(
        self,
        rules: Rules,
        new_secret: Callable[[], str],
        identify: Callable[[str], bytes],
    ) -> None:
        self.rooms: dict[str, Room] = {}
        self._crowd = rules.crowd
        self._max_text = rules.max_text
        self._max_name = rules.max_name
        self._max_room = rules.max_room
        self._max_rooms = rules.max_rooms_per_connection
        self._pace = Pace(rules.rate)
        self._new_secret = new_secret
        self._identify = identify

    def handle(self, session: Session, frame: Incoming, now: float) -> list[Effect]:
        """What comes of one frame; `now` is in seconds on a clock that does not go back."""
        if isinstance(frame, Join):
            return self.join(session, frame)
        if isinstance(frame, Leave):
            return self.leave(session, frame)
        effect: Effect | None
        if isinstance(frame, Chat):
            effect = self.chat(session, frame, now)
        elif isinstance(frame, Edit | Delete):
            effect = self.change(session, frame, now)
        elif isinstance(frame, History):
            effect = self.history(session, frame)
        else:
            effect = Tell(session, Pong(frame.id))
        return [effect] if effect is not None else []

    def chat(self, session: Session, frame: Chat, now: float) -> Post | Tell | None:
        """A message to one of the session's rooms; None for a blank one that had no id."""
        rooms = session.rooms
        place = frame.room
        if place is None and len(rooms) == 1:
            place = next(iter(rooms))
        elif place is None or place not in rooms:
            found = _place(session, frame)
            if isinstance(found, Tell):
                return found
            place = found
        text = frame.text.strip()
        if not text:
            if frame.id is None:
                return None
            return _refuse(session, "empty", "a blank message is not published", frame.id)
        refusal = self._refuse_words(session, text, frame.id, now)
        if refusal is not None:
            return refusal
        return Post(place, session.identity, rooms[place].name, text, frame.id, 0, session)

    def change(self, session: Session, frame: Edit | Delete, now: float) -> Post | Tell:
        """Another text for one's own message, or none."""
        place = _place(session, frame)
        if isinstance(place, Tell):
            return place
        text = frame.text.strip() if isinstance(frame, Edit) else ""
        if not text and isinstance(frame, Edit):
            message = "a blank text is no edit; delete the message instead"
            return _refuse(session, "empty", message, frame.id)
        refusal = self._refuse_words(session, text, frame.id, now)
        if refusal is not None:
            return refusal
        name = session.rooms[place].name
        return Post(place, session.identity, name, text, frame.id, frame.seq, session)

    def history(self, session: Session, frame: History) -> Browse | Tell:
        """Older messages of one of the session's rooms."""
        place = _place(session, frame)
        if isinstance(place, Tell):
            return place
        return Browse(session, place, frame.before, frame.limit, frame.id)

    def _refuse_words(self, session: Session, text: str, id: str | None, now: float) -> Tell | None:
        """Whether a text is too long or comes too soon after others; counts it if not."""
        if len(text) > self._max_text:
            message = f"the text has {len(text)} characters; at most {self._max_text} are let in"
            return _refuse(session, "too_long", message, id)
        if self._pace.step:
            pace = self._pace.take(session.pace, now)
            if pace < 0:
                wait = max(0.001, round(-pace, 3))
                message = f"too many messages; wait {wait:g} s"
                return Tell(session, Error(message, "rate_limited", id, wait))
            session.pace = pace
        return None

    def join(self, session: Session, frame: Join) -> list[Effect]:
        """Into a room under a name, out of the others unless `keep`."""
        try:
            place = names.clean(frame.room, "room", self._max_room)
            name = names.clean(frame.username, "username", self._max_name)
        except names.BadNameError as problem:
            return [_refuse(session, problem.code, str(problem), frame.id)]
        key = names.key(name)
        room = self.rooms.get(place)
        others = [other for other in session.rooms if other != place]
        here = session.rooms.get(place)

        secret, identity = session.secret, session.identity
        if frame.session is not None and frame.session != secret:
            if session.rooms:
                message = "a socket that is in a room keeps the session it has"
                return [_refuse(session, "forbidden", message, frame.id)]
            secret, identity = frame.session, self._identify(frame.session)
        if frame.keep and here is None and len(others) >= self._max_rooms:
            message = f"a socket may be in {self._max_rooms} rooms; leave one first"
            return [_refuse(session, "forbidden", message, frame.id)]
        holder = room.members.get(key) if room is not None else None
        ghost = holder if holder is not None and holder is not here else None
        if ghost is not None and (frame.session is None or ghost.session.identity != identity):
            message = f"the name {name} is taken in {place}"
            return [_refuse(session, "name_taken", message, frame.id)]

        if not secret:
            secret = self._new_secret()
            identity = self._identify(secret)
        session.secret, session.identity = secret, identity
        effects: list[Effect] = []
        if not frame.keep:
            effects += [self._exit(session, other) for other in others]
        if here is not None and room is not None:
            if here.name == name:
                users = room.names()
                effects.append(Again(room, here, users, len(room.members), frame.id))
                return effects
            effects.append(self._exit(session, place))
            room = self.rooms.get(place)  # the exit of its last member ends a room
        if room is None:
            room = self.rooms[place] = Room(place, self._crowd)
        member = Member(name, key, session)
        if ghost is not None:
            effects += self._replace(ghost, room, member)
        else:
            room.members[key] = member
        session.rooms[place] = member
        effects.append(
            Enter(
                room,
                member,
                room.names(),
                len(room.members),
                ghost is not None or room.is_crowd,
                ghost is not None,
                frame.since,
                frame.epoch,
                frame.id,
            )
        )
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
            return [_refuse(session, "not_joined", "you are not in that room", frame.id)]
        return [self._exit(session, place, frame.id) for place in leaving]

    def drop(self, session: Session) -> list[Effect]:
        """Out of everything, because the socket is gone. Doing it again changes nothing."""
        return [self._exit(session, place) for place in list(session.rooms)]

    def _exit(self, session: Session, place: str, answer: str | None = None) -> Exit:
        member = session.rooms.pop(place)
        room = self.rooms[place]
        del room.members[member.key]
        if not room.members:
            del self.rooms[place]
        return Exit(room, member, room.is_crowd, False, answer)

    def _replace(self, ghost: Member, room: Room, member: Member) -> list[Effect]:
        """Put `member` in the ghost's place of the roster, and send the ghost's socket away."""
        old = ghost.session
        del old.rooms[room.name]
        room.members[member.key] = member
        effects: list[Effect] = [Exit(room, ghost, True, True, None)]
        effects += self.drop(old)
        effects.append(Dismiss(old, REPLACED, "your session is open on a newer connection"))
        return effects


def _place(session: Session, frame: Chat | Edit | Delete | History) -> str | Tell:
    """Which of the session's rooms a frame is for, or why none is."""
    rooms = session.rooms
    if frame.room is not None:
        place = frame.room if frame.room in rooms else names.tidy(frame.room)
        if place in rooms:
            return place
    elif len(rooms) == 1:
        return next(iter(rooms))
    elif rooms:
        return _refuse(session, "room_required", "say which room: you are in several", frame.id)
    return _refuse(session, "not_joined", NOT_JOINED, frame.id)


def _refuse(session: Session, code: ErrorCode, message: str, id: str | None) -> Tell:
    return Tell(session, Error(message, code, id))
