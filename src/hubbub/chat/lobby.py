"""The lobby: all rooms of this node, and what each client frame does to them.

Each method takes a session and what it asked for, changes who is where, and returns the effects
in the order in which they are to be felt. A request that is refused changes nothing: a refused
join leaves one where one was. What is said is decided in `speech`, what moderators do in
`moderation`, who comes and goes in `passage`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hubbub.chat import conversation, entry, limits, overview, passage, speech
from hubbub.chat.conversation import Conversation
from hubbub.chat.grants import Grant
from hubbub.chat.mentions import Mentions
from hubbub.chat.moderation import Moderation
from hubbub.chat.occupancy import Occupancy
from hubbub.chat.overview import Overview
from hubbub.chat.passage import Passage
from hubbub.chat.room import Room
from hubbub.chat.session import Effect, Hold, Session, Tell
from hubbub.chat.speech import Speech, refuse
from hubbub.chat.standing import OPEN, Standing
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


class Rules(
    entry.Rules,
    passage.Rules,
    speech.Rules,
    conversation.Rules,
    overview.Rules,
    limits.Rules,
    Protocol,
):
    """The settings that decide; `hubbub.settings.Settings` is one such."""


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
        self.offset = 0.0
        way = entry.Entry(rules, proofs, self.standing)
        self._passage = Passage(rules, self.rooms, self.standing, way, self.unix)
        self.join, self.leave = self._passage.join, self._passage.leave
        self.drop, self.answered = self._passage.drop, self._passage.answered
        self._exit = self._passage.exit
        self.share = self._passage.share
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
        self.overhear = self._speech.overhear
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

    @property
    def occupancy(self) -> Occupancy | None:
        """Where there are many nodes, what this one knows of who is in the rooms on all."""
        return self._passage.occupancy

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
