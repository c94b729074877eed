"""Who may come into a room, as whom, and under which name.

Laws: a user with a token is called what that says, and nobody else is; a guest's name is one that
nobody else holds there, no user has, and is not reserved.
"""

from __future__ import annotations

from typing import Protocol

from hubbub.chat import likeness, names
from hubbub.chat.room import Member
from hubbub.chat.session import Session
from hubbub.chat.standing import Standing
from hubbub.protocol.codes import ErrorCode
from hubbub.protocol.incoming import Join


class Rules(Protocol):
    """The settings that decide; `hubbub.settings.Settings` is one such."""

    @property
    def max_name(self) -> int: ...
    @property
    def max_rooms(self) -> int: ...
    @property
    def max_rooms_per_connection(self) -> int: ...
    @property
    def reserved_names(self) -> tuple[str, ...]: ...


class Proofs(Protocol):
    """How people prove who they are."""

    def new_secret(self) -> str:
        """A session's secret: at least 128 random bits."""
        ...

    def identify(self, secret: str) -> bytes:
        """The identity that a session's secret proves."""
        ...

    def identify_user(self, sub: str) -> bytes:
        """The identity of a user with a token."""
        ...


class Entry:
    """Says who someone is, and why they may not come in. Changes nothing."""

    def __init__(self, rules: Rules, proofs: Proofs, standing: Standing) -> None:
        self._max_name = rules.max_name
        self._max_rooms = rules.max_rooms
        self._max_rooms_each = rules.max_rooms_per_connection
        self._reserved = likeness.reserve(rules.reserved_names)
        self._proofs = proofs
        self._standing = standing

    def name(self, session: Session, frame: Join) -> str:
        """The name that a join is for. Raises `BadNameError`."""
        grant = session.grant
        if grant is not None:
            if frame.username is not None and names.tidy(frame.username) != grant.sub:
                raise names.BadNameError(
                    "forbidden", f"your token says that you are {grant.sub}; leave username out"
                )
            return grant.sub
        if frame.username is None:
            message = "invalid message: Object missing required field `username`"
            raise names.BadNameError("invalid", message)
        return names.clean(frame.username, "username", self._max_name)

    def proof(self, session: Session, frame: Join) -> tuple[str, bytes]:
        """The secret and identity with which someone comes."""
        if session.grant is not None:
            return "", self._proofs.identify_user(session.grant.sub)
        secret = frame.session or session.secret or self._proofs.new_secret()
        same = secret == session.secret
        return secret, session.identity if same else self._proofs.identify(secret)

    def refuse_way(
        self, session: Session, frame: Join, place: str, secret: str, rooms: int | None
    ) -> tuple[ErrorCode, str] | None:
        """Why this socket may not come into this room, whoever it is.

        `rooms`: how many there are, if this would be one more.
        """
        if session.grant is not None and not session.grant.reads(place):
            return "forbidden", f"your token does not let you into {place}"
        if session.rooms and secret != session.secret:
            return "forbidden", "a socket that is in a room keeps the session it has"
        if frame.keep and place not in session.rooms and len(session.rooms) >= self._max_rooms_each:
            most = self._max_rooms_each
            return "forbidden", f"a socket may be in {most} rooms; leave one first"
        if self._max_rooms and rooms is not None and rooms >= self._max_rooms:
            return "forbidden", f"this server has {self._max_rooms} rooms, and no room for more"
        return None

    def refuse_name(
        self,
        session: Session,
        place: str,
        name: str,
        keys: tuple[str, ...],
        others: list[Member],
        identity: bytes,
    ) -> tuple[ErrorCode, str] | None:
        """Why one may not have this name there."""
        strangers = [other for other in others if other.identity != identity]
        if session.grant is not None:
            if not all(stranger.guest for stranger in strangers):
                return "name_taken", f"a user whose name looks the same is in {place}"
            return None
        if not self._reserved.isdisjoint(keys):
            return "name_taken", f"the name {name} is reserved; choose another"
        if not self._standing.users.isdisjoint(keys):
            return "name_taken", f"the name {name} belongs to a user; sign in, or take another"
        if strangers or len(others) > 1:
            return "name_taken", f"the name {name} is taken in {place}"
        return None
