"""What a token lets its bearer do: which rooms to hear, to speak in, and to keep order in.

Laws: what is not granted is not allowed; of several patterns that fit a room the longest one
speaks, and a room's own name before any pattern.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Right = Literal["r", "rw"]


class Grant(Struct, frozen=True, gc=False):
    """A user, as a token proves it.

    `sub` is the username and what identity is made of; `name` a display name. `rooms` maps names,
    and beginnings of names that end in `*`, to `r` (hear) or `rw` (speak, too); None: every room,
    `rw`. `mod` is true for a moderator of every room, else the rooms (or patterns) of one.
    `ends` is when the token does, in Unix seconds; None: never.
    """

    sub: str
    name: str | None = None
    rooms: dict[str, Right] | None = None
    mod: bool | tuple[str, ...] = False
    ends: float | None = None

    def reads(self, room: str) -> bool:
        """Whether its bearer may be in this room."""
        return self.rooms is None or _best(room, self.rooms) is not None

    def writes(self, room: str) -> bool:
        """Whether its bearer may speak in this room."""
        if self.rooms is None:
            return True
        best = _best(room, self.rooms)
        return best is not None and self.rooms[best] == "rw"

    def moderates(self, room: str) -> bool:
        """Whether its bearer keeps order in this room."""
        if isinstance(self.mod, bool):
            return self.mod
        return _best(room, self.mod) is not None


def _best(room: str, patterns: dict[str, Right] | tuple[str, ...]) -> str | None:
    """The pattern that speaks for a room, if any does."""
    if room in patterns:
        return room
    fitting = [one for one in patterns if one.endswith("*") and room.startswith(one[:-1])]
    return max(fitting, key=len, default=None)
