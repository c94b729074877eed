"""What belongs to a conversation beyond saying something: threads, and emoji put on messages.

Laws: who may not speak in a room may neither put an emoji on anything there nor seem to write; an
emoji is one of Unicode's list, written in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from hubbub.chat.room import Room
from hubbub.chat.session import AskThread, Effect, Post, Session, Tell, Whisper
from hubbub.chat.speech import Speech, place_of, refuse
from hubbub.protocol import incoming
from hubbub.protocol.draft import Reaction
from hubbub.protocol.incoming import React, Talking, Type
from hubbub.protocol.outgoing import Ok, Typing

TYPING: Final = 3.0
"""Seconds between two times that a member is said to be writing."""


class Rules(Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def max_reactions(self) -> int: ...


class Conversation:
    """Decides on the frames of a conversation."""

    def __init__(self, rules: Rules, rooms: Mapping[str, Room], speech: Speech) -> None:
        self._rooms = rooms
        self._most = rules.max_reactions
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
