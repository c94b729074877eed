"""A room: who is in it, in order of joining, and under which names.

Laws: a name is in a room once (`names.key` says which are the same); the roster's order is the
order of joining, and taking a name over keeps its place; past `crowd` members a room is a crowd.
What was said is not here but in the log.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from hubbub.protocol.outgoing import Roster

if TYPE_CHECKING:
    from hubbub.chat.session import Session

SHOWN: Final = 200
"""How many names the roster of a crowd shows."""
CROWD_PACE: Final = 1.0
"""Seconds between two rosters of a crowd."""


class Member:
    """One name in one room, and who holds it.

    `sessions` has one for each socket: a user with a token may have several. `title` is a user's
    display name; `guest` says that there is no user behind the name, where there are users.
    """

    __slots__ = ("guest", "key", "name", "sessions", "title")

    def __init__(
        self, name: str, key: str, session: Session, title: str | None = None, guest: bool = False
    ) -> None:
        self.name = name
        self.key = key
        self.sessions: tuple[Session, ...] = (session,)
        self.title = title
        self.guest = guest

    @property
    def identity(self) -> bytes:
        """Who it is: all its sessions prove the same."""
        return self.sessions[0].identity


class Present(Struct, gc=False):
    """Who is in a room: names in order of joining (of a crowd the first), and how many in all.

    `names` has the display names of those who have one, `guests` the names of guests; None: none.
    """

    users: list[str]
    count: int
    names: dict[str, str] | None
    guests: list[str] | None


class Room:
    """The members of one room.

    `marked`: members may have display names or be guests. `roster_due`: something changed since the
    room last heard its roster, which was at `roster_at`, in seconds of the caller's clock.
    """

    __slots__ = ("crowd", "marked", "members", "name", "roster_at", "roster_due")

    def __init__(self, name: str, crowd: int, marked: bool) -> None:
        self.name = name
        self.marked = marked
        self.crowd = crowd
        self.members: dict[str, Member] = {}
        self.roster_due = False
        self.roster_at = float("-inf")

    @property
    def is_crowd(self) -> bool:
        """Whether the room has outgrown telling everyone of everyone."""
        return len(self.members) > self.crowd

    def present(self) -> Present:
        """Who is here; of a crowd the first `SHOWN`."""
        count = len(self.members)
        shown = self.members.values()
        members = list(islice(shown, SHOWN) if count > self.crowd else shown)
        users = [member.name for member in members]
        if not self.marked:
            return Present(users, count, None, None)
        names = {member.name: member.title for member in members if member.title is not None}
        guests = [member.name for member in members if member.guest]
        return Present(users, count, names or None, guests or None)

    def wait_for_roster(self, now: float) -> float:
        """Seconds until a roster may go out: 0 at once, more in a crowd that had one lately."""
        if not self.is_crowd:
            return 0.0
        return max(0.0, self.roster_at + CROWD_PACE - now)

    def roster(self) -> Roster:
        """The roster as it is now."""
        here = self.present()
        return Roster(self.name, here.users, here.count, here.names, here.guests)

    def roster_told(self, now: float) -> None:
        """The room hears its roster now: nothing is due."""
        self.roster_due = False
        self.roster_at = now
