"""Who is banned or muted and how rooms are kept, as the audit log's records come to it.

Laws: `apply` is the one way in, in the log's order, so that whoever has read the same records
stands at the same place; what has ended counts no more, whether or not it was looked at. Times are
Unix milliseconds, and the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hubbub.protocol.audit import Audit


class Mode(Struct, frozen=True, gc=False):
    """How a room is kept: seconds between two messages of one member, and whether all may speak."""

    slow: float = 0.0
    read_only: bool = False


OPEN = Mode()


class About(Struct, frozen=True, gc=False):
    """What a room is about, and the `seq`s of its pinned messages, ascending."""

    topic: str = ""
    description: str = ""
    pins: tuple[int, ...] = ()


BARE = About()


class Standing:
    """What holds now. `modes` has the rooms that are not open to all."""

    def __init__(self) -> None:
        self.is_lax = True
        """Nothing at all holds: nobody's standing need be looked at."""
        self.modes: dict[str, Mode] = {}
        self.about: dict[str, About] = {}
        """The rooms that are about something, or have messages pinned."""
        self.users: set[str] = set()
        """Keys of the names that belong to users with a token."""
        self.called: dict[str, str] = {}
        """The same → the name as that user has it."""
        self._held: dict[int, Audit] = {}
        """The bans and mutes that were not lifted, by number."""
        self._by_who: dict[str, list[int]] = {}
        """Whom they hold for: an identity in hex, or an address."""

    def know(self, name: str, keys: tuple[str, ...]) -> None:
        """A user has this name, whose `likeness.keys` these are."""
        self.users.update(keys)
        for key in keys:
            self.called.setdefault(key, name)

    def apply(self, record: Audit) -> None:
        """One more record of the audit log."""
        match record.action:
            case "ban" | "mute":
                self._held[record.seq] = record
                for who in (record.who, *record.addresses):
                    self._by_who.setdefault(who, []).append(record.seq)
            case "pardon":
                if record.number is not None:
                    self._lift(record.number)
            case "slow":
                mode = self.modes.get(record.room, OPEN)
                self._set(record.room, Mode(record.seconds or 0.0, mode.read_only))
            case "read_only":
                mode = self.modes.get(record.room, OPEN)
                self._set(record.room, Mode(mode.slow, bool(record.on)))
            case "topic":
                pins = self.about.get(record.room, BARE).pins
                self._tell(record.room, About(record.topic or "", record.description or "", pins))
            case "pin" if record.target is not None:
                was = self.about.get(record.room, BARE)
                others = {pin for pin in was.pins if pin != record.target}
                pins = tuple(sorted(others | {record.target} if record.on else others))
                self._tell(record.room, About(was.topic, was.description, pins))
            case "kick" | "pin" | "purge" | "delete":
                pass  # done, and over
        self._judge()

    def _judge(self) -> None:
        self.is_lax = not self._held and not self.modes

    def banned(self, identity: bytes, address: str, room: str, now: int) -> Audit | None:
        """The ban that keeps someone out of a room, the one that lasts longest."""
        return self._longest(("ban", room, now), identity.hex(), address)

    def muted(self, identity: bytes, room: str, now: int) -> Audit | None:
        """The mute that keeps someone from speaking in a room, the one that lasts longest."""
        return self._longest(("mute", room, now), identity.hex())

    def held_in(self, room: str, now: int) -> list[Audit]:
        """The bans and mutes that hold in a room, oldest first."""
        self._forget_ended(now)
        return [one for one in self._held.values() if one.everywhere or one.room == room]

    def _longest(self, what: tuple[str, str, int], *whom: str) -> Audit | None:
        if not self._by_who:
            return None
        fitting = [held for who in whom for held in self._of(who, what)]
        return max(fitting, key=lambda one: one.until or float("inf"), default=None)

    def _of(self, who: str, what: tuple[str, str, int]) -> Iterator[Audit]:
        action, room, now = what
        for number in self._by_who.get(who, ()):
            held = self._held[number]
            holds = held.until is None or held.until > now
            if holds and held.action == action and (held.everywhere or held.room == room):
                yield held

    def _forget_ended(self, now: int) -> None:
        ended = [one.seq for one in self._held.values() if one.until and one.until <= now]
        for number in ended:
            self._lift(number)
        self._judge()

    def _lift(self, number: int) -> None:
        held = self._held.pop(number, None)
        if held is None:
            return
        for who in {held.who, *held.addresses}:
            left = [one for one in self._by_who[who] if one != number]
            if left:
                self._by_who[who] = left
            else:
                del self._by_who[who]

    def _tell(self, room: str, about: About) -> None:
        if about == BARE:
            self.about.pop(room, None)
        else:
            self.about[room] = about

    def _set(self, room: str, mode: Mode) -> None:
        if mode == OPEN:
            self.modes.pop(room, None)
        else:
            self.modes[room] = mode
