"""Keeping order: what moderators ask for, and what comes of it.

An act is two events in one batch: a record in the audit log, and one in the room where people
should know, which follows the record, so that neither is there without the other. It holds once
that is kept: the record, when it comes back from the store, is applied to the `Standing` and
carried out on those who are here (`enforce`), on this node as on any other.

Laws: only who moderates a room acts there, and no moderator is acted upon; nothing is carried out
that is not in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct, json

from hubbub.chat import likeness, names
from hubbub.chat.limits import Pace
from hubbub.chat.room import Room
from hubbub.chat.session import (
    AskAuthor,
    AskWritings,
    Dismiss,
    Effect,
    Exit,
    Post,
    Record,
    Session,
    Tell,
)
from hubbub.chat.speech import place_of, refuse, told
from hubbub.chat.standing import BARE, Standing
from hubbub.protocol.audit import AUDIT, Audit
from hubbub.protocol.codes import BANNED, ErrorCode
from hubbub.protocol.draft import Authored
from hubbub.protocol.incoming import (
    Aimed,
    AskSanctions,
    Ban,
    Kick,
    Mod,
    Moderating,
    Mute,
    Pardon,
    Pin,
    Purge,
    ReadOnly,
    SetTopic,
    Slow,
)
from hubbub.protocol.outgoing import Action, Error, Moderated, Ok, Sanction, Sanctions

PINS: Final = 50
"""Messages that may be pinned in a room."""
PURGE: Final = 1000
"""The most messages that one purge deletes."""
GUESSES: Final = Pace(1 / 10, 5)
"""How often the moderators' password may be tried from one address."""
ADDRESSES: Final = 10_000
"""Addresses whose guesses are remembered; past that, those that may guess again are forgotten."""


class Person(Struct, frozen=True, gc=False):
    """Whom an act is for."""

    identity: bytes
    name: str
    addresses: tuple[str, ...] = ()


class Moderation:
    """Decides on moderators' frames.

    `rooms` are the lobby's; `is_password` compares in constant time, and is None where there is no
    password; `unix(now)` is the time of day in Unix milliseconds; `exit` takes a session out of a
    room.
    """

    def __init__(
        self,
        rooms: Mapping[str, Room],
        standing: Standing,
        is_password: Callable[[str], bool] | None,
        unix: Callable[[float], int],
        exit: Callable[[Session, str], Exit],
    ) -> None:
        self._rooms = rooms
        self._standing = standing
        self._is_password = is_password
        self._unix = unix
        self._exit = exit
        self._guesses: dict[str, float] = {}

    def handle(self, session: Session, frame: Moderating, now: float) -> list[Effect]:
        """What comes of a moderator's frame; `now` is in seconds, as in `Lobby.handle`."""
        if isinstance(frame, Mod):
            return [self._log_in(session, frame, now)]
        place = place_of(session, frame)
        if isinstance(place, Tell):
            return [place]
        if not session.moderates(place):
            return [refuse(session, "forbidden", "only a moderator may do that", frame.id)]
        match frame:
            case Kick() | Mute() | Ban() | Purge():
                return self._aim(session, place, frame, now)
            case Pardon():
                return self._pardon(session, place, frame, now)
            case AskSanctions():
                held = self._standing.held_in(place, self._unix(now))
                return [Tell(session, Sanctions(place, list(map(_shown, held)), frame.id))]
            case Slow():
                return self._act(session, place, frame, "slow", seconds=frame.seconds)
            case ReadOnly():
                return self._act(session, place, frame, "read_only", on=frame.on)
            case SetTopic():
                return self._set_topic(session, place, frame)
            case Pin():
                return self._pin(session, place, frame)

    def _set_topic(self, session: Session, place: str, frame: SetTopic) -> list[Effect]:
        description = frame.description
        if description is None:
            description = self._standing.about.get(place, BARE).description
        topic, description = frame.topic.strip(), description.strip()
        return self._act(session, place, frame, "topic", topic=topic, description=description)

    def _pin(self, session: Session, place: str, frame: Pin) -> list[Effect]:
        def pin() -> list[Effect]:
            return self._act(session, place, frame, "pin", target=frame.seq, on=frame.on)

        pins = self._standing.about.get(place, BARE).pins
        if (frame.seq in pins) == frame.on:
            return [Tell(session, Ok(frame.id))]  # it is so already
        if not frame.on:
            return pin()
        if len(pins) >= PINS:
            message = f"a room has at most {PINS} pinned messages; take one off first"
            return [refuse(session, "forbidden", message, frame.id)]

        def known(found: Authored | None) -> list[Effect]:
            if place not in session.rooms:
                return []  # gone meanwhile
            if found is None or found.deleted:
                message = f"there is no message with seq {frame.seq}"
                return [refuse(session, "not_found", message, frame.id)]
            return pin()

        return [AskAuthor(session, place, frame.seq, frame.id, known)]

    def _log_in(self, session: Session, frame: Mod, now: float) -> Tell:
        if self._is_password is None:
            return refuse(session, "forbidden", "this server has no moderators' password", frame.id)
        tat = GUESSES.take(self._guesses.get(session.address, 0.0), now)
        if tat < 0:
            message = "too many guesses at the password; wait"
            return Tell(session, Error(message, "rate_limited", frame.id, told(-tat)))
        if self._is_password(frame.password):
            session.is_mod = True
            return Tell(session, Ok(frame.id))
        if len(self._guesses) >= ADDRESSES:
            self._guesses = {who: until for who, until in self._guesses.items() if until > now}
        self._guesses[session.address] = tat
        return refuse(session, "forbidden", "that is not the password", frame.id)

    def _aim(self, session: Session, place: str, frame: Aimed, now: float) -> list[Effect]:
        """Find out who is meant, and go on from there."""
        if isinstance(frame, Mute | Ban) and frame.everywhere and not session.moderates_all:
            message = "only who moderates every room may do that everywhere"
            return [refuse(session, "forbidden", message, frame.id)]
        if frame.username is not None:
            name = names.tidy(frame.username)
            keys = likeness.keys(name) if len(name) <= names.LONGEST else ()
            meant = self._rooms[place].holders(keys)
            if not meant:
                message = f"nobody here is called {name}"
                return [refuse(session, "not_found", message, frame.id)]
            exactly = [member for member in meant if member.name == name]
            member = (exactly or meant)[0]
            return self._do(session, place, frame, Person(member.identity, member.name), now)
        if frame.seq is None:
            message = "say whom: by username, or by the seq of a message"
            return [refuse(session, "invalid", f"invalid message: {message}", frame.id)]
        seq = frame.seq

        def known(found: Authored | None) -> list[Effect]:
            if place not in session.rooms:
                return []  # gone meanwhile
            if found is None:
                message = f"there is no message with seq {seq}"
                return [refuse(session, "not_found", message, frame.id)]
            return self._do(session, place, frame, self._find(place, found), now)

        return [AskAuthor(session, place, seq, frame.id, known)]

    def _find(self, place: str, author: Authored) -> Person:
        """An author as they are here now, if they are."""
        for member in self._rooms[place].members.values():
            if member.identity == author.identity:
                return Person(member.identity, member.name)
        return Person(author.identity, author.username)

    def _do(
        self, session: Session, place: str, frame: Aimed, person: Person, now: float
    ) -> list[Effect]:
        here = [one for one in self._sessions(place) if one.identity == person.identity]
        members = self._rooms[place].members.values()  # those on other nodes, too
        elsewhere = [
            seat
            for member in members
            if member.identity == person.identity
            for seat in member.elsewhere
        ]
        if (
            person.identity == session.identity
            or any(one.moderates(place) for one in here)
            or any(seat.moderates for seat in elsewhere)
        ):
            message = "moderators cannot do that to moderators"
            return [refuse(session, "forbidden", message, frame.id)]
        if isinstance(frame, Ban) and frame.address:
            addresses = {one.address for one in here if one.address}
            addresses.update(address for seat in elsewhere for address in seat.addresses)
            if not addresses:
                message = f"{person.name} is not here, so their address is not known"
                return [refuse(session, "not_found", message, frame.id)]
            person = Person(person.identity, person.name, tuple(sorted(addresses)))
        if isinstance(frame, Purge):
            return self._purge(session, place, frame, person)
        if isinstance(frame, Kick):
            if not any(member.identity == person.identity for member in members):
                return [refuse(session, "not_found", f"{person.name} is not here", frame.id)]
            return self._act(session, place, frame, "kick", person, reason=frame.reason)
        until = None
        if frame.seconds is not None:
            until = self._unix(now) + int(frame.seconds * 1000)
        action: Action = "ban" if isinstance(frame, Ban) else "mute"
        return self._act(
            session,
            place,
            frame,
            action,
            person,
            until=until,
            reason=frame.reason,
            everywhere=frame.everywhere,
        )

    def _purge(self, session: Session, place: str, frame: Purge, person: Person) -> list[Effect]:
        def known(found: list[int]) -> list[Effect]:
            if place not in session.rooms:
                return []
            if not found:
                message = f"there are no messages of {person.name}"
                return [refuse(session, "not_found", message, frame.id)]
            effects = self._act(
                session, place, frame, "purge", person, reason=frame.reason, count=len(found)
            )
            by, name = session.identity, session.rooms[place].name
            for seq in sorted(found):
                post = Post(place, by, name, "", None, seq, moderator=True, session=session)
                post.follows = True
                effects.append(post)
            return effects

        return [AskWritings(session, place, person.identity, PURGE, frame.id, known)]

    def _pardon(self, session: Session, place: str, frame: Pardon, now: float) -> list[Effect]:
        held = self._standing.held_in(place, self._unix(now))
        for one in held:
            if one.seq != frame.number:
                continue
            if one.everywhere and not session.moderates_all:
                message = "only who moderates every room may lift that"
                return [refuse(session, "forbidden", message, frame.id)]
            person = Person(bytes.fromhex(one.who), one.username)
            return self._act(session, place, frame, "pardon", person, number=one.seq)
        message = f"no ban or mute {frame.number} holds here"
        return [refuse(session, "not_found", message, frame.id)]

    def _act(
        self,
        session: Session,
        place: str,
        frame: Moderating,
        action: Action,
        person: Person | None = None,
        **more: object,
    ) -> list[Effect]:
        """The record of an act, and what the room hears of it."""
        by = session.rooms[place].name
        audit = Audit(0, 0, action, place, by)
        event = Moderated(place, 0, action, by, 0)
        if person is not None:
            audit.username = event.username = person.name
            audit.who, audit.addresses = person.identity.hex(), person.addresses
        for name, value in more.items():
            setattr(audit, name, value)
            if name in Moderated.__struct_fields__:
                setattr(event, name, value)
        author, text = session.identity, json.encode(frame).decode()
        return [
            Record(
                AUDIT,
                author,
                by,
                text,
                frame.id,
                0,
                event=audit,
                session=session,
                answer=True,
                count=audit.count,
            ),
            Post(place, author, by, "", None, 0, event=event, follows=True, session=session),
        ]

    def enforce(self, record: Audit) -> list[Effect]:
        """An act of a moderator is in the audit log: apply it, and carry it out on who is here."""
        self._standing.apply(record)
        if record.action not in {"kick", "ban"}:
            return []
        who = bytes.fromhex(record.who)
        effects: list[Effect] = []
        for place in list(self._rooms) if record.everywhere else [record.room]:
            room = self._rooms.get(place)
            sessions = [
                session
                for member in (room.members.values() if room is not None else ())
                for session in member.sessions
                if session.identity == who or session.address in record.addresses
            ]
            for session in sessions:
                if session.moderates(place):
                    continue
                code: ErrorCode = "kicked" if record.action == "kick" else "banned"
                effects.append(Tell(session, put_out(code, record, place, None)))
                effects.append(self._exit(session, place))
                if code == "banned" and not session.rooms:
                    effects.append(Dismiss(session, BANNED, "you are banned"))
        return effects

    def _sessions(self, place: str) -> Iterator[Session]:
        """All sessions in a room."""
        for member in self._rooms[place].members.values():
            yield from member.sessions


def _shown(held: Audit) -> Sanction:
    """A ban or mute as moderators see it: who and why, not from which address."""
    return Sanction(
        held.seq,
        held.action,
        held.username,
        held.by,
        held.ts,
        held.until,
        held.reason,
        held.everywhere,
        bool(held.addresses),
    )


def put_out(code: ErrorCode, record: Audit, room: str | None, id: str | None) -> Error:
    """What someone is told who is put out of a room, or not let in."""
    done = "you were put out of" if code == "kicked" else "you are banned from"
    where = "this server" if record.everywhere else record.room
    why = f": {record.reason}" if record.reason else ""
    return Error(
        f"{done} {where}{why}",
        code,
        id,
        until=record.until,
        room=room,
        reason=record.reason,
        everywhere=record.everywhere,
    )
