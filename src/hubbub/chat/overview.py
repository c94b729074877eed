"""Rooms from outside: which there are, what is new in them, and how far one has read.

Laws: of a room that one may not be in one hears nothing; how far a user has read is told to nobody
else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import nsmallest
from typing import Final, Protocol

import msgspec

from hubbub.chat import names
from hubbub.chat.mentions import EVERYONE
from hubbub.chat.occupancy import Occupancy
from hubbub.chat.room import Room
from hubbub.chat.session import (
    AskCounts,
    AskHeads,
    AskMarked,
    AskUnread,
    Effect,
    Heed,
    MarkRead,
    Session,
    Survey,
    Tell,
)
from hubbub.chat.speech import place_of, refuse
from hubbub.chat.standing import BARE, Standing
from hubbub.protocol.incoming import AskRooms, Follow, Read
from hubbub.protocol.markers import Mark, Unread
from hubbub.protocol.overview import Fresh, Listed, News, Rooms

COUNTED: Final = 100
"""Messages of a room that are counted as not read, at most."""


class _Said(msgspec.Struct):
    seq: int
    ts: int
    mentions: list[str] = []


read_said = msgspec.json.Decoder(_Said).decode
"""What news have of a message, from its JSON."""


class Rules(Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def max_followed(self) -> int: ...
    @property
    def max_room(self) -> int: ...


class Overview:
    """Decides on what is asked of rooms that one need not be in.

    `identify` gives the identity of a user by name, and `unix` the time of day (Unix ms).
    """

    def __init__(
        self,
        rules: Rules,
        rooms: Mapping[str, Room],
        standing: Standing,
        identify: Callable[[str], bytes],
        unix: Callable[[float], int],
    ) -> None:
        self._rooms = rooms
        self._standing = standing
        self._most_followed = rules.max_followed
        self._longest = rules.max_room
        self._identify = identify
        self._unix = unix

    def hears(self, session: Session, place: str, unix: int) -> bool:
        """Whether a session may hear of a room, at a time of day (Unix ms)."""
        if session.grant is not None and not session.grant.reads(place):
            return False
        identity = session.identity
        if not identity and session.grant is not None:  # a user, who has joined nothing yet
            identity = self._identify(session.grant.sub)
        ban = self._standing.banned(identity, session.address, place, unix)
        return ban is None or session.moderates(place)

    def _named(
        self, session: Session, wanted: Sequence[str], id: str | None, now: float, verb: str
    ) -> list[str] | Tell:
        """Those of these rooms that a session may hear of, each once."""
        if len(wanted) > self._most_followed:
            message = f"at most {self._most_followed} rooms can be {verb}"
            return refuse(session, "invalid", message, id)
        try:
            places = [names.clean(name, "room", self._longest) for name in wanted]
        except names.BadNameError as problem:
            return refuse(session, problem.code, str(problem), id)
        unix = self._unix(now)
        return [place for place in dict.fromkeys(places) if self.hears(session, place, unix)]

    # Which rooms there are

    def survey(
        self, session: Session, frame: AskRooms, here: Occupancy | None, now: float
    ) -> Effect:
        """The rooms with someone in them that this session may come into, or those it named.

        `here` is what this node knows of who is in its rooms, if there are others.
        """
        if frame.mine:
            return self._survey_mine(session, frame, here, now)
        wanted: list[str] | None = None
        if frame.rooms is not None:
            named = self._named(session, frame.rooms, frame.id, now, "named")
            if isinstance(named, Tell):
                return named
            wanted = named
        return self._survey(session, frame, wanted, here)

    def _survey(
        self,
        session: Session,
        frame: AskRooms,
        wanted: list[str] | None,
        here: Occupancy | None,
    ) -> Effect:
        if here is not None:
            return self._survey_all(session, frame, wanted, here)
        counts = {name: len(room.members) for name, room in self._rooms.items()}
        told = self._list(session, frame, counts, wanted)
        if session.grant is None and wanted is None:
            return Survey(session, told)
        return self._look(session, told, frame.mine)

    def _survey_mine(
        self, session: Session, frame: AskRooms, here: Occupancy | None, now: float
    ) -> Effect:
        if session.grant is None:
            message = "only users with a token have their reading kept"
            return refuse(session, "forbidden", message, frame.id)
        unix = self._unix(now)

        def found(places: list[str]) -> list[Effect]:
            wanted = [place for place in places if self.hears(session, place, unix)]
            return [self._survey(session, frame, wanted, here)]

        return AskMarked(session, self._identify(session.grant.sub), frame.id, found)

    def _survey_all(
        self, session: Session, frame: AskRooms, wanted: list[str] | None, here: Occupancy
    ) -> AskCounts:
        def counted(counts: dict[str, int]) -> list[Effect]:
            there = {name: count for name, count in (counts | here.counts()).items() if count}
            return [self._look(session, self._list(session, frame, there, wanted), frame.mine)]

        return AskCounts(session, frame.id, counted)

    def _list(
        self,
        session: Session,
        frame: AskRooms,
        counts: Mapping[str, int],
        wanted: list[str] | None,
    ) -> Rooms:
        grant, about = session.grant, self._standing.about
        if wanted is None:
            wanted = [name for name in counts if grant is None or grant.reads(name)]
        seen = [name for name in wanted if name > frame.after]
        rooms = [
            Listed(name, counts.get(name, 0), topic=about.get(name, BARE).topic)
            for name in nsmallest(frame.limit, seen)
        ]
        return Rooms(rooms, len(seen) > len(rooms), frame.id)

    def _look(self, session: Session, told: Rooms, is_read: bool) -> AskHeads:
        """Find out where the logs of these rooms stand, and what a user has not read of them.

        `is_read`: those where they have read nothing, in the logs that are there now, are left out.
        """
        places = [room.room for room in told.rooms]
        grant = session.grant

        def stood(heads: list[tuple[int, bytes | None]]) -> list[Effect]:
            for room, (seq, last) in zip(told.rooms, heads, strict=True):
                put_head(room, seq, last)
            if grant is None:
                return [Tell(session, told)]
            user = self._identify(grant.sub)
            return [AskUnread(session, user, places, COUNTED, told.id, counted)]

        def counted(found: list[Unread | None]) -> list[Effect]:
            assert grant is not None
            for room, unread in zip(told.rooms, found, strict=True):
                if unread is not None:
                    room.read, room.unread = unread.read, unread.count
                    room.mentions = sum(_calls(chat, grant.sub) for chat in unread.calling)
            if is_read:
                told.rooms = [room for room in told.rooms if room.read is not None]
            return [Tell(session, told)]

        return AskHeads(session, places, told.id, stood)

    # What is new in them

    def follow(self, session: Session, frame: Follow, now: float) -> Effect:
        """Let a session hear news of rooms; of those that it may not be in it hears nothing."""
        rooms = self._named(session, frame.rooms, frame.id, now, "followed")
        if isinstance(rooms, Tell):
            return rooms

        def stood(heads: list[tuple[int, bytes | None]]) -> list[Effect]:
            stand = zip(rooms, heads, strict=True)
            news = News([Fresh(room, *_newest(last)) for room, (_, last) in stand], frame.id)
            return [Heed(session, news)]

        return AskHeads(session, rooms, frame.id, stood)

    # How far one has read

    def read(self, session: Session, frame: Read, now: float) -> Effect:
        """Keep how far a user has read in a room."""
        if session.grant is None:
            message = "only users with a token have their reading kept"
            return refuse(session, "forbidden", message, frame.id)
        if frame.room is None:
            place = place_of(session, frame)
            if isinstance(place, Tell):
                return place
        else:
            named = self._named(session, [frame.room], frame.id, now, "named")
            if isinstance(named, Tell):
                return named
            if not named:
                message = f"you may not be in {names.tidy(frame.room)}"
                return refuse(session, "forbidden", message, frame.id)
            (place,) = named
        name = session.grant.sub
        return MarkRead(session, Mark(place, self._identify(name), frame.seq, name), frame.id)


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


def _calls(chat: bytes, name: str) -> bool:
    """Whether a message, as JSON, mentions a user."""
    return not {name, EVERYONE}.isdisjoint(read_said(chat).mentions)
