"""A room: who is in it, in order of joining, and under which names.

Laws: a name is in a room once (`likeness.keys` says which are the same); the roster's order is the
order of joining, and taking a name over keeps its place; past `crowd` members a room is a crowd.
What was said is not here but in the log.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from hubbub.protocol.outgoing import Roster
from hubbub.protocol.presence import Seat

if TYPE_CHECKING:
    from hubbub.chat.session import Session

SHOWN: Final = 200
"""How many names the roster of a crowd shows."""
CROWD_PACE: Final = 1.0
"""Seconds between two rosters of a crowd."""
_NEVER: Final = float("-inf")
"""When what has not been yet was."""


class Member:
    """One name in one room, and who holds it.

    `key` and `look` are the first and the last of the name's `likeness.keys`, mostly one.
    `sessions` has one for each socket: a user with a token may have several; where there are many
    nodes, it has those on this one. `identity` is what they all prove. `title` is a user's display
    name; `guest` says that there is no user behind the name, where there are users. `order` is the
    place in a roster of many nodes, `mark` the one of `Occupant`, and `elsewhere` says how they are
    in the room on other nodes.
    """

    __slots__ = (
        "_sessions",
        "elsewhere",
        "guest",
        "identity",
        "key",
        "look",
        "mark",
        "name",
        "order",
        "title",
        "typed",
    )

    def __init__(
        self,
        name: str,
        keys: tuple[str, ...],
        identity: bytes,
        sessions: tuple[Session, ...] = (),
        title: str | None = None,
        guest: bool = False,
    ) -> None:
        self.name = name
        # Most names are their own key: one string for both.
        self.key = name if keys[0] == name else keys[0]
        self.look = self.key if keys[-1] == self.key else keys[-1]
        self.identity = identity
        self.sessions = sessions
        self.title = title
        self.guest = guest
        self.typed = _NEVER
        """When the others were told last that it is writing."""
        self.order = 0
        self.mark = 0
        self.elsewhere: tuple[Seat, ...] = ()

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Who holds the name on this node."""
        held = self._sessions
        return held if isinstance(held, tuple) else (held,)

    @sessions.setter
    def sessions(self, sessions: tuple[Session, ...]) -> None:
        # Mostly there is one, and a tuple around it would take as much as half of all this.
        self._sessions: Session | tuple[Session, ...]
        self._sessions = sessions[0] if len(sessions) == 1 else sessions


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

    `members` has them by their key, in order of joining; `looks` by their look, those few whose
    look is another. `marked`: members may have display names or be guests. `roster_due`: something,
    be it the order alone, changed since the room last heard its roster, which was at `roster_at`,
    in seconds of the caller's clock. `untold` has those of whom the room has not heard by `joined`:
    they are about to be told so themselves; whether a roster had them since.
    """

    __slots__ = (
        "crowd",
        "looks",
        "marked",
        "members",
        "name",
        "roster_at",
        "roster_due",
        "untold",
    )

    def __init__(self, name: str, crowd: int, marked: bool) -> None:
        self.name = name
        self.marked = marked
        self.crowd = crowd
        self.members: dict[str, Member] = {}
        self.looks: dict[str, Member] = {}
        self.roster_due = False
        self.roster_at = _NEVER
        self.untold: dict[Member, bool] | None = None

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

    def sort(self) -> None:
        """Put all in their order, where someone was put in between or moved."""
        order = sorted(self.members.values(), key=lambda one: (one.order, one.key))
        members = {one.key: one for one in order}
        # Who went and came again elsewhere may have moved here without a word: their own node, for
        # one, never missed them. So the order alone is a reason for a roster.
        self.roster_due |= list(members) != list(self.members)
        self.members = members

    def introduce(self, member: Member) -> bool:
        """A member is to be heard of now: whether by `joined`, which the room lacks so far."""
        if not self.untold or self.members.get(member.key) is not member:
            return False
        if self.untold.pop(member, None) is None:
            return False
        self.roster_due = True
        return not self.is_crowd

    def hold_back(self, member: Member) -> None:
        """Of a member the room hears by `introduce`, later."""
        if self.untold is None:
            self.untold = {}
        self.untold[member] = False

    def forget(self, member: Member) -> bool:
        """Take a member out: whether the room has heard of it, be it by a roster alone."""
        self.remove(member)
        return self.untold is None or self.untold.pop(member, True)

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
        """The roster as it is now, for all in the room."""
        if self.untold:
            self.untold = dict.fromkeys(self.untold, True)
        here = self.present()
        return Roster(self.name, here.users, here.count, here.names, here.guests)

    def roster_told(self, now: float) -> None:
        """The room hears its roster now: nothing is due."""
        self.roster_due = False
        self.roster_at = now
