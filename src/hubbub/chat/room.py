"""A room: who is in it, in order of joining, and under which names.

Laws: a name is in a room once (`names.key` says which are the same); the roster's order is the
order of joining, and taking a name over keeps its place; past `crowd` members a room is a crowd.
What was said is not here but in the log.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from hubbub.protocol.outgoing import Roster

if TYPE_CHECKING:
    from hubbub.chat.session import Session

SHOWN: Final = 200
"""How many names the roster of a crowd shows."""
CROWD_PACE: Final = 1.0
"""Seconds between two rosters of a crowd."""


class Member:
    """One name in one room, and the session that holds it."""

    __slots__ = ("key", "name", "session")

    def __init__(self, name: str, key: str, session: Session) -> None:
        self.name = name
        self.key = key
        self.session = session


class Room:
    """The members of one room.

    `roster_due`: a change was told since the room last heard its roster, which was at
    `roster_at`, in seconds of the caller's clock.
    """

    __slots__ = ("crowd", "members", "name", "roster_at", "roster_due")

    def __init__(self, name: str, crowd: int) -> None:
        self.name = name
        self.crowd = crowd
        self.members: dict[str, Member] = {}
        self.roster_due = False
        self.roster_at = float("-inf")

    @property
    def is_crowd(self) -> bool:
        """Whether the room has outgrown telling everyone of everyone."""
        return len(self.members) > self.crowd

    def names(self) -> list[str]:
        """Who is here, in order of joining; of a crowd the first `SHOWN`."""
        members = self.members.values()
        if len(members) > self.crowd:
            return [member.name for member in islice(members, SHOWN)]
        return [member.name for member in members]

    def wait_for_roster(self, now: float) -> float:
        """Seconds until a roster may go out: 0 at once, more in a crowd that had one lately."""
        if not self.is_crowd:
            return 0.0
        return max(0.0, self.roster_at + CROWD_PACE - now)

    def roster(self) -> Roster:
        """The roster as it is now."""
        return Roster(self.name, self.names(), len(self.members))

    def roster_told(self, now: float) -> None:
        """The room hears its roster now: nothing is due."""
        self.roster_due = False
        self.roster_at = now
