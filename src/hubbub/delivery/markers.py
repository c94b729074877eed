"""How far users have read: kept, and told to their other sockets.

Nothing of it is on the way of a message. What is marked while the store works is kept in one go
after that.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from hubbub.chat import likeness
from hubbub.chat.session import MarkRead
from hubbub.delivery.keeper import RETRY
from hubbub.protocol.outgoing import Error, encode
from hubbub.protocol.overview import Marker
from hubbub.store.base import StoreError, unavailable

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.hub import Hub


class Others(Protocol):
    """The other nodes; `hubbub.delivery.follow.Following` is how they are heard."""

    def attend(self, user: str) -> None:
        """Hear what a user reads there."""
        ...

    def ignore(self, user: str) -> None:
        """Hear no more of a user."""
        ...


class Markers:
    """Keeps what is read, and knows the sockets that hear of it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._users: dict[str, dict[Connection, bool]] = {}
        """By username, the sockets, and whether they look at rooms from outside."""
        self._known: dict[Connection, str] = {}
        self.others: Others | None = None
        """The other nodes, if there may be any."""
        self._waiting: list[MarkRead] = []
        self._busy = False

    def know(self, reader: Connection) -> None:
        """A socket is told of what its user reads, from now on, in rooms that it is not in, too."""
        self._note(reader, True)

    def attend(self, reader: Connection) -> None:
        """A socket is in a room: what its user reads on other nodes is heard from now on."""
        if self.others is not None:
            self._note(reader, False)

    def _note(self, reader: Connection, looks: bool) -> None:
        grant = reader.session.grant
        if grant is None or not reader.is_open:
            return
        user = self._known.setdefault(reader, grant.sub)
        readers = self._users.get(user)
        if readers is None:
            readers = self._users[user] = {}
            if self.others is not None:
                self.others.attend(user)
        readers[reader] = looks or readers.get(reader, False)

    def forget(self, reader: Connection) -> None:
        """A socket is gone."""
        user = self._known.pop(reader, None)
        if user is not None:
            del self._users[user][reader]
            if not self._users[user]:
                del self._users[user]
                if self.others is not None:
                    self.others.ignore(user)

    def keep(self, effect: MarkRead) -> None:
        """Keep what one has read; the reader waits until it is."""
        self._waiting.append(effect)
        if not self._busy:
            self._busy = True
            self._hub.soon(self._send)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        marks = [effect.mark for effect in waiting]
        self._hub.keeper.mark(marks, partial(self._kept, waiting))

    def _kept(self, effects: list[MarkRead], answer: list[int | None] | StoreError) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            self._hub.soon(self._send)
        stands = [answer] * len(effects) if isinstance(answer, StoreError) else answer
        for effect, stand in zip(effects, stands, strict=True):
            self._answer(effect, stand)

    def _answer(self, effect: MarkRead, stand: int | StoreError | None) -> None:
        mark, reader = effect.mark, effect.session.socket
        tell = self._hub.fanout.tell
        if isinstance(stand, StoreError):
            tell(reader, Error(unavailable(stand), "storage_unavailable", effect.id, RETRY))
        elif stand is None:
            message = f"{mark.log} has not come to seq {mark.seq}"
            tell(reader, Error(message, "not_found", effect.id))
        else:
            if effect.id is not None:
                tell(reader, Marker(mark.log, stand, effect.id))
            self.tell(mark.log, mark.name, stand, reader)
        self._hub.soon(reader.answered)

    def tell(self, room: str, user: str, seq: int, but: Connection | None = None) -> None:
        """Tell a user's sockets here, but for one, how far they have read."""
        readers = {one: None for one, looks in self._users.get(user, {}).items() if looks}
        inside = self._hub.lobby.rooms.get(room)
        for member in inside.holders(likeness.keys(user)) if inside is not None else ():
            for session in member.sessions:
                if session.grant is not None and session.grant.sub == user:
                    readers[session.socket] = None
        frame = encode(Marker(room, seq))
        for reader in readers:
            if reader is not but and not reader.is_full:
                self._hub.fanout.tell(reader, frame)
