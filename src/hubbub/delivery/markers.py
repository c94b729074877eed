"""How far users have read: kept, and told to their other sockets.

Nothing of it is on the way of a message. What is marked while the store works is kept in one go
after that.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hubbub.chat import likeness
from hubbub.chat.session import MarkRead
from hubbub.delivery.keeper import RETRY
from hubbub.protocol.outgoing import Error, encode
from hubbub.protocol.overview import Marker
from hubbub.store.base import StoreError, unavailable

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.hub import Hub


class Markers:
    """Keeps what is read, and knows the sockets that hear of it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._users: dict[str, dict[Connection, None]] = {}
        """By username, the sockets that look at rooms from outside."""
        self._known: dict[Connection, str] = {}
        self._waiting: list[MarkRead] = []
        self._busy = False

    def know(self, reader: Connection) -> None:
        """A socket is told of what its user reads, from now on, in rooms that it is not in, too."""
        grant = reader.session.grant
        if grant is not None and reader.is_open and reader not in self._known:
            self._known[reader] = user = grant.sub
            self._users.setdefault(user, {})[reader] = None

    def forget(self, reader: Connection) -> None:
        """A socket is gone."""
        user = self._known.pop(reader, None)
        if user is not None:
            del self._users[user][reader]
            if not self._users[user]:
                del self._users[user]

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
        readers = dict(self._users.get(user, {}))
        inside = self._hub.lobby.rooms.get(room)
        for member in inside.holders(likeness.keys(user)) if inside is not None else ():
            for session in member.sessions:
                if session.grant is not None and session.grant.sub == user:
                    readers[session.socket] = None
        frame = encode(Marker(room, seq))
        for reader in readers:
            if reader is not but and not reader.is_full:
                self._hub.fanout.tell(reader, frame)
