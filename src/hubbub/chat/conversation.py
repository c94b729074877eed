"""What belongs to a conversation beyond saying something: threads, and emoji put on messages.

Laws: who may not speak in a room may neither put an emoji on anything there nor seem to write; an
emoji is one of Unicode's list, written in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import nsmallest
from typing import Final, Protocol

import msgspec

from hubbub.chat import names
from hubbub.chat.occupancy import Occupancy
from hubbub.chat.room import Room
from hubbub.chat.session import (
    AskCounts,
    AskHeads,
    AskThread,
    Effect,
    Heed,
    Post,
    Session,
    Survey,
    Tell,
    Whisper,
)
from hubbub.chat.speech import Speech, place_of, refuse
from hubbub.chat.standing import BARE, Standing
from hubbub.protocol import incoming
from hubbub.protocol.draft import Reaction
from hubbub.protocol.incoming import AskRooms, Follow, React, Talking, Type
from hubbub.protocol.outgoing import Fresh, Listed, News, Ok, Rooms, Typing

TYPING: Final = 3.0
"""Seconds between two times that a member is said to be writing."""


class _Said(msgspec.Struct):
    seq: int
    ts: int
    mentions: list[str] = []


read_said = msgspec.json.Decoder(_Said).decode
"""What news have of a message, from its JSON."""


class Rules(Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def max_reactions(self) -> int: ...
    @property
    def max_followed(self) -> int: ...
    @property
    def max_room(self) -> int: ...


class Conversation:
    """Decides on the frames of a conversation."""

    def __init__(
        self,
        rules: Rules,
        rooms: Mapping[str, Room],
        standing: Standing,
        speech: Speech,
        unix: Callable[[float], int],
    ) -> None:
        self._unix = unix
        self._standing = standing
        self._rooms = rooms
        self._most = rules.max_reactions
        self._most_followed = rules.max_followed
        self._longest = rules.max_room
        self._speech = speech

    def handle(self, session: Session, frame: Talking, now: float) -> list[Effect]:
        """What comes of one frame; `now` is in seconds, as in `Lobby.handle`."""
        place = place_of(session, frame)
        if isinstance(place, Tell):
            return [place]
        match frame:
            case incoming.AskThread(seq=seq, before=before, limit=limit, id=id):
                return [AskThread(session, place, seq, before, limit, id)]
            case Type():
                return self._type(session, place, frame, now)
            case React():
                return [self._react(session, place, frame, now)]

    def survey(self, session: Session, frame: AskRooms) -> Survey:
        """The rooms with someone in them that this session may come into."""
        counts = {name: len(room.members) for name, room in self._rooms.items()}
        return Survey(session, self._list(session, frame, counts))

    def survey_all(self, session: Session, frame: AskRooms, here: Occupancy) -> AskCounts:
        """The same of all nodes; `here` is what this one knows of the rooms that it has."""

        def counted(counts: dict[str, int]) -> list[Effect]:
            there = {name: count for name, count in (counts | here.counts()).items() if count}
            told = self._list(session, frame, there)

            def stood(heads: list[tuple[int, bytes | None]]) -> list[Effect]:
                for room, (seq, last) in zip(told.rooms, heads, strict=True):
                    put_head(room, seq, last)
                return [Tell(session, told)]

            return [AskHeads(session, [room.room for room in told.rooms], frame.id, stood)]

        return AskCounts(session, frame.id, counted)

    def follow(self, session: Session, frame: Follow, now: float) -> list[Effect]:
        """Let a session hear news of rooms; of those that it may not be in it hears nothing."""
        if len(frame.rooms) > self._most_followed:
            message = f"at most {self._most_followed} rooms can be followed"
            return [refuse(session, "invalid", message, frame.id)]
        try:
            places = [names.clean(name, "room", self._longest) for name in frame.rooms]
        except names.BadNameError as problem:
            return [refuse(session, problem.code, str(problem), frame.id)]
        unix = self._unix(now)
        rooms = [place for place in dict.fromkeys(places) if self.hears(session, place, unix)]

        def stood(heads: list[tuple[int, bytes | None]]) -> list[Effect]:
            stand = zip(rooms, heads, strict=True)
            news = News([Fresh(room, *_newest(last)) for room, (_, last) in stand], frame.id)
            return [Heed(session, news)]

        return [AskHeads(session, rooms, frame.id, stood)]

    def hears(self, session: Session, place: str, unix: int) -> bool:
        """Whether a session may hear of a room, at a time of day (Unix ms)."""
        if session.grant is not None and not session.grant.reads(place):
            return False
        ban = self._standing.banned(session.identity, session.address, place, unix)
        return ban is None or session.moderates(place)

    def _list(self, session: Session, frame: AskRooms, counts: Mapping[str, int]) -> Rooms:
        grant, about = session.grant, self._standing.about
        seen = [
            name for name in counts if name > frame.after and (grant is None or grant.reads(name))
        ]
        first = nsmallest(frame.limit, seen)
        rooms = [Listed(name, counts[name], topic=about.get(name, BARE).topic) for name in first]
        return Rooms(rooms, len(seen) > len(first), frame.id)

    def _type(self, session: Session, place: str, frame: Type, now: float) -> list[Effect]:
        refusal = self._speech.refuse_voice(session, place, frame.id, now)
        if refusal is not None:
            return [refusal]
        answer: list[Effect] = [Tell(session, Ok(frame.id))] if frame.id is not None else []
        member = session.rooms[place]
        if self._rooms[place].is_crowd or now < member.typed + TYPING:
            return answer
        member.typed = now
        return [Whisper(place, member, Typing(place, member.name)), *answer]

    def _react(self, session: Session, place: str, frame: React, now: float) -> Effect:
        refusal = self._speech.refuse_voice(session, place, frame.id, now)
        if refusal is not None:
            return refusal
        from hubbub.chat.emoji import canonical  # only here: few react, and all would load it

        found = canonical(frame.emoji)
        if found is None:
            message = "invalid message: `emoji` is not one emoji of Unicode's list"
            return refuse(session, "invalid", message, frame.id)
        name = session.rooms[place].name
        reaction = Reaction(found, frame.on, self._most)
        author, seq = session.identity, frame.seq
        return Post(place, author, name, "", frame.id, seq, reaction=reaction, session=session)


def put_head(room: Listed, seq: int, last: bytes | None) -> None:
    """Put into a room's line where its log stands, whose last message this is, as JSON."""
    room.seq = seq
    if last is not None:
        room.ts = read_said(last).ts


def _newest(last: bytes | None) -> tuple[int, int | None]:
    """The `seq` and the time of a message; of none 0 and None."""
    if last is None:
        return 0, None
    said = read_said(last)
    return said.seq, said.ts
