"""A room: who is in it, in order of joining, and under which names.

Laws: a name is in a room once (`likeness.keys` says which are the same); the roster's order is the
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
    """One name in one room, and the session that holds it.

    `key` and `look` are the first and the last of the name's `likeness.keys`, mostly one.
    """

    __slots__ = ("key", "look", "name", "session")

    def __init__(self, name: str, keys: tuple[str, ...], session: Session) -> None:
        self.name = name
        self.key = keys[0]
        self.look = keys[-1]
        self.session = session


class Room:
    """The members of one room.

    `members` has them by their key, in order of joining; `looks` by their look, those few whose
    look is another. `roster_due`: something changed since the room last heard its roster, which
    was at `roster_at`, in seconds of the caller's clock.
    """

    __slots__ = ("crowd", "looks", "members", "name", "roster_at", "roster_due")

    def __init__(self, name: str, crowd: int) -> None:
        self.name = name
        self.crowd = crowd
        self.members: dict[str, Member] = {}
        self.looks: dict[str, Member] = {}
        self.roster_due = False
        self.roster_at = float("-inf")

    def holders(self, keys: tuple[str, ...]) -> list[Member]:
        """The members whose name is the same as one with these keys: two, where it has two."""
        found = [self.members[key] for key in keys if key in self.members]
        if self.looks:
            found += [self.looks[key] for key in keys if key in self.looks]
        return found if len(found) < 2 else list(dict.fromkeys(found))

    def add(self, member: Member) -> None:
        """Put a member at the end of the roster; nobody else has one of its keys."""
        self.members[member.key] = member
        if member.look != member.key:
            self.looks[member.look] = member

    def remove(self, member: Member) -> None:
        """Take a member out."""
        del self.members[member.key]
        if member.look != member.key:
            del self.looks[member.look]

    def replace(self, old: Member, new: Member) -> None:
        """Put `new` in the place of `old`; nobody else has one of its keys."""
        if old.look != old.key:
            del self.looks[old.look]
        if new.look != new.key:
            self.looks[new.look] = new
        if new.key == old.key:
            self.members[new.key] = new
        else:  # alike, but spelt otherwise: rare, so it may cost going through all
            order = [new if one is old else one for one in self.members.values()]
            self.members = {one.key: one for one in order}

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
