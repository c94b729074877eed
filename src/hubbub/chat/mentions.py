"""Who is meant by `@name` in a text.

Laws: a name is meant where it is the same as what is written (`likeness.keys`), the longest one
that is; `@room` means all, and only a moderator can say it, so nobody's name is ever taken for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from hubbub.chat import likeness
from hubbub.chat.room import Room
from hubbub.chat.session import Session
from hubbub.chat.standing import Standing

EVERYONE: Final = "@room"
"""What stands among the mentions where all are meant."""
LOOKED_AT: Final = 20
"""How many `@` of one text are looked at, so that none costs much."""
REACH: Final = 64
"""How many characters after an `@` may be a name."""


class Mentions:
    """Finds mentions. `rooms` are the lobby's, and `standing` knows the users who are elsewhere."""

    def __init__(self, rooms: Mapping[str, Room], standing: Standing) -> None:
        self._rooms = rooms
        self._standing = standing

    def find(self, text: str, session: Session, place: str) -> list[str] | None:
        """The names that a text mentions, each once, as they are spelt in the room."""
        found: dict[str, None] = {}
        at = text.find("@")
        for _ in range(LOOKED_AT):
            if at < 0:
                break
            if not at or not _within_word(text[at - 1]):
                name = self._at(text[at + 1 : at + 1 + REACH + 1], session, place)
                if name is not None:
                    found[name] = None
            at = text.find("@", at + 1)
        return list(found) or None

    def _at(self, rest: str, session: Session, place: str) -> str | None:
        """Whose name a text begins with; `rest` has one character more than a name may have."""
        if rest[:1].isspace():
            return None
        room = self._rooms[place]
        for end in range(min(len(rest), REACH), 0, -1):
            if rest[end - 1].isspace() or (end < len(rest) and _within_word(rest[end])):
                continue
            written = rest[:end]
            if f"@{written.lower()}" == EVERYONE and session.moderates(place):
                return EVERYONE
            keys = likeness.keys(written)
            here = room.holders(keys)
            exactly = [member.name for member in here if member.name == written]
            names = exactly or [member.name for member in here]
            names += [name for key in keys if (name := self._standing.called.get(key)) is not None]
            if names and names[0] != EVERYONE:
                return names[0]
        return None


def _within_word(char: str) -> bool:
    return char.isalnum() or unicodedata.combining(char) > 0
