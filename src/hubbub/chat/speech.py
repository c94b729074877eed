"""What may be said: messages, changes to them, and looking back.

Laws: who may not speak in a room is told so and nothing is posted; every frame counts for its
sender's pace, also one that is refused for something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil
from operator import itemgetter
from typing import Final, Protocol

import msgspec

from hubbub.chat import likeness, names
from hubbub.chat.limits import Paces
from hubbub.chat.mentions import Mentions
from hubbub.chat.session import (
    AskAuthor,
    Browse,
    Dismiss,
    Effect,
    Post,
    Record,
    Session,
    Tell,
)
from hubbub.chat.standing import OPEN, Standing
from hubbub.protocol.audit import AUDIT, Audit
from hubbub.protocol.codes import UNRULY, ErrorCode
from hubbub.protocol.draft import Authored
from hubbub.protocol.incoming import Chat, Delete, Edit, History, Moderating, Read, Talking
from hubbub.protocol.outgoing import Error

NOT_JOINED: Final = "join a room before chatting"
SPOKE: Final = 10_000
"""Speakers in slow mode that are remembered; past that, those who may speak again are forgotten."""


class _Spoken(msgspec.Struct):
    username: str
    ts: int
    id: str | None = None


_read_spoken = msgspec.json.Decoder(_Spoken).decode


class Rules(Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def max_text(self) -> int: ...


class Speech:
    """Decides on what is said. `unix(now)` is the time of day, in Unix milliseconds."""

    def __init__(
        self,
        rules: Rules,
        paces: Paces,
        standing: Standing,
        mentions: Mentions,
        unix: Callable[[float], int],
    ) -> None:
        self._mentions = mentions
        self._max_text = rules.max_text
        self._talk = paces.talk
        self._refused = paces.refused
        self._standing = standing
        self._unix = unix
        self._spoke: dict[tuple[str, bytes | str], tuple[float, str | None]] = {}
        """When each last spoke in a room with slow mode, and under which id, which may be sent
        again: by identity, and by the name's key what was overheard. Not kept at the member: who
        goes and comes again is not to be faster."""

    def chat(self, session: Session, frame: Chat, now: float) -> Effect | None:
        """A message to one of the session's rooms; None for a blank one that had no id."""
        if self._talk.step and (hurry := self.count(session, frame.id, now)) is not None:
            return hurry
        place, member = session.place, session.member
        if member is None or (frame.room is not None and frame.room != place):
            found = place_of(session, frame)
            if isinstance(found, Tell):
                return found
            place, member = found, session.rooms[found]
        text = frame.text.strip()
        if not text:
            if frame.id is None:
                return None
            return refuse(session, "empty", "a blank message is not published", frame.id)
        # The common case first, in one line: this is the path of every message.
        if len(text) > self._max_text or session.grant is not None or not self._standing.is_lax:
            refusal = self._refuse_words(session, place, text, frame.id, now)
            if refusal is None and self._standing.modes:
                refusal = self._slow_down(session, place, frame.id, now)
            if refusal is not None:
                return refusal
        return Post(
            place,
            session.identity,
            member.name,
            text,
            frame.id,
            0,
            member.title,
            member.guest,
            reply_to=frame.reply_to or 0,
            mentions=self._mentions.find(text, session, place) if "@" in text else None,
            session=session,
        )

    def change(self, session: Session, frame: Edit | Delete, now: float) -> Effect:
        """Another text for one's own message, or none; a moderator may delete anyone's."""
        if self._talk.step and (hurry := self.count(session, frame.id, now)) is not None:
            return hurry
        place = place_of(session, frame)
        if isinstance(place, Tell):
            return place
        member = session.rooms[place]
        text = ""
        if isinstance(frame, Edit):
            text = frame.text.strip()
            if not text:
                message = "a blank text is no edit; delete the message instead"
                return refuse(session, "empty", message, frame.id)
            refusal = self._refuse_words(session, place, text, frame.id, now)
            if refusal is not None:
                return refusal
        author, seq = session.identity, frame.seq
        post = Post(place, author, member.name, text, frame.id, seq, session=session)
        post.mentions = self._mentions.find(text, session, place)
        if text or not session.moderates(place):
            return post

        def known(found: Authored | None) -> list[Effect]:
            if place not in session.rooms:
                return []  # gone meanwhile
            if found is None or found.identity == author:
                return [post]
            post.moderator = True
            if found.deleted:
                return [post]  # which is refused
            audit = Audit(
                0, 0, "delete", place, member.name, found.username, found.identity.hex(), target=seq
            )
            record = Record(
                AUDIT, author, member.name, "", None, 0, event=audit, session=session, answer=False
            )
            record.follows = True
            return [post, record]

        return AskAuthor(session, place, seq, frame.id, known)

    def history(self, session: Session, frame: History) -> Browse | Tell:
        """Older messages of one of the session's rooms."""
        place = place_of(session, frame)
        if isinstance(place, Tell):
            return place
        return Browse(session, place, frame.before, frame.limit, frame.id)

    def too_fast(self, session: Session, wait: float, id: str | None, now: float) -> Effect:
        """The answer to a frame that came too soon; who does not listen is sent away."""
        refused = self._refused.take(session.refused, now)
        if refused < 0:
            return Dismiss(session, UNRULY, "far too many messages; come back more slowly")
        session.refused = refused
        wait = told(wait)
        message = f"too many messages; wait {wait:g} s"
        return Tell(session, Error(message, "rate_limited", id, wait))

    def count(self, session: Session, id: str | None, now: float) -> Effect | None:
        """Count a message, or a change to one; the refusal if it came too soon."""
        talk = self._talk.take(session.talk, now)
        if talk < 0:
            return self.too_fast(session, -talk, id, now)
        session.talk = talk
        return None

    def _refuse_words(
        self, session: Session, place: str, text: str, id: str | None, now: float
    ) -> Tell | None:
        """Why these words may not be said here by this member, if they may not."""
        if len(text) > self._max_text:
            message = f"the text has {len(text)} characters; at most {self._max_text} are let in"
            return refuse(session, "too_long", message, id)
        return self.refuse_voice(session, place, id, now)

    def refuse_voice(self, session: Session, place: str, id: str | None, now: float) -> Tell | None:
        """Why this member may not make itself heard here, if it may not."""
        if session.grant is not None and not session.grant.writes(place):
            return refuse(session, "forbidden", "your token lets you read here, not write", id)
        if self._standing.is_lax or session.moderates(place):
            return None
        mute = self._standing.muted(session.identity, place, self._unix(now))
        if mute is not None:
            message = f"you are muted: {mute.reason}" if mute.reason else "you are muted"
            error = Error(message, "muted", id, until=mute.until, reason=mute.reason)
            return Tell(session, error)
        mode = self._standing.modes.get(place, OPEN)
        if mode.read_only:
            return refuse(session, "read_only", "only moderators speak here at the moment", id)
        return None

    def _slow_down(self, session: Session, place: str, id: str | None, now: float) -> Tell | None:
        mode = self._standing.modes.get(place, OPEN)
        who, never = (place, session.identity), (-mode.slow, None)
        overheard = self._spoke.get((place, session.rooms[place].key), never)
        spoke, last = max(self._spoke.get(who, never), overheard, key=itemgetter(0))
        if id is not None and id == last:
            return None
        wait = spoke + mode.slow - now
        if wait > 0 and not session.moderates(place):
            wait = told(wait)
            message = f"slow mode: everyone may speak once in {mode.slow:g} s; wait {wait:g} s"
            return Tell(session, Error(message, "rate_limited", id, wait))
        self._note(who, now, id, now)
        return None

    def overhear(self, place: str, chats: Iterable[bytes], now: float, since: int = 0) -> None:
        """This was said in a room, on another node or before it was opened here.

        It counts for slow mode, which holds `since` then (Unix ms), for whoever has the name now: a
        message says no more of its author.
        """
        if not self._standing.modes.get(place, OPEN).slow:
            return
        for said in map(_read_spoken, chats):
            if said.ts >= since:
                ago = max(0.0, (self._unix(now) - said.ts) / 1000)
                self._note((place, likeness.keys(said.username)[0]), now - ago, said.id, now)

    def _note(self, who: tuple[str, bytes | str], spoke: float, id: str | None, now: float) -> None:
        if len(self._spoke) >= SPOKE:
            modes = self._standing.modes
            self._spoke = {
                (room, one): (at, sent)
                for (room, one), (at, sent) in self._spoke.items()
                if at + modes.get(room, OPEN).slow > now
            }
        self._spoke[who] = (spoke, id)


def told(wait: float) -> float:
    """Seconds to wait as they are told: rounded up, so that who waits as told is let through."""
    return ceil(wait * 100 + 0.5) / 100


def place_of(
    session: Session, frame: Chat | Edit | Delete | History | Read | Talking | Moderating
) -> str | Tell:
    """Which of the session's rooms a frame is for, or why none is."""
    rooms, wanted = session.rooms, getattr(frame, "room", None)
    if wanted is not None:
        place = wanted if wanted in rooms else names.tidy(wanted)
        if place in rooms:
            return place
    elif len(rooms) == 1:
        return next(iter(rooms))
    elif rooms:
        return refuse(session, "room_required", "say which room: you are in several", frame.id)
    return refuse(session, "not_joined", NOT_JOINED, frame.id)


def refuse(session: Session, code: ErrorCode, message: str, id: str | None) -> Tell:
    """An error for this session alone."""
    return Tell(session, Error(message, code, id))
