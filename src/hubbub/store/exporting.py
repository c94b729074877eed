"""A room's rows made into the lines of `hubbub.store.archive`, one after another.

Laws: all of it is read in one transaction, so it is the store at one moment, whatever a server
writes meanwhile; what is in memory does not grow with the rooms or their events.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple, Protocol

from msgspec import Raw

from hubbub.store.archive import Event, Export, Marker, Room, Used, line

CHUNK = 500
"""Lines that are handed over together."""


class Kept(NamedTuple):
    """An event as it is kept."""

    seq: int
    author: bytes
    payload: bytes


class Remembered(NamedTuple):
    """An id as it is remembered."""

    seq: int
    author: bytes
    id: bytes
    ts: int
    digest: bytes | None


class HoleError(Exception):
    """A room has no event with some `seq` between others; `str()` says which."""


class Source(Protocol):
    """What a log's rows are read through: ascending by `seq`, both."""

    def room(self, log: int, room: Room) -> Room:
        """The room's line; `room` is what its row and its newest event say."""
        ...

    def events(self, log: int, room: Room) -> Iterable[Kept]:
        """What is kept of it."""
        ...

    def ids(self, log: int) -> Iterable[Remembered]:
        """The ids that were used in it."""
        ...

    def markers(self, log: int, room: Room) -> Iterable[Marker]:
        """How far users have read in it, by identity."""
        ...


class Sound:
    """A file with nothing wrong; SQLite sorts the ids, on disk where they are many."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def room(self, log: int, room: Room) -> Room:
        """See `Source`."""
        return room

    def events(self, log: int, room: Room) -> Iterable[Kept]:
        """See `Source`."""
        wanted = "SELECT seq, author, payload FROM event WHERE log = ? ORDER BY seq"
        return map(Kept._make, self._db.execute(wanted, (log,)))

    def ids(self, log: int) -> Iterable[Remembered]:
        """See `Source`."""
        wanted = "SELECT seq, author, id, ts, digest FROM sent WHERE log = ? ORDER BY 1, 2, 3"
        return map(Remembered._make, self._db.execute(wanted, (log,)))

    def markers(self, log: int, room: Room) -> Iterable[Marker]:
        """See `Source`."""
        return markers(self._db, log, room)


def markers(db: sqlite3.Connection, log: int, room: Room) -> Iterable[Marker]:
    """How far users have read in a log, and nobody past its end."""
    wanted = "SELECT user, min(seq, ?) AS upto FROM marker WHERE log = ? AND upto > 0 ORDER BY user"
    return (Marker(*found) for found in db.execute(wanted, (room.seq, log)))


class Exported(Protocol):
    """What is written: how many rooms and events there are, and whole lines."""

    rooms: int
    events: int

    def chunks(self, advance: Callable[[int], None]) -> Iterator[bytes]:
        """Whole lines, some together; `advance` is told how many events each time."""
        ...


class Snapshot:
    """The store behind `db` at one moment: one room of it, or all.

    `rooms` is how many rooms there are in it, and `events` how many events; a room that is not
    there is none.
    """

    def __init__(self, db: sqlite3.Connection, room: str | None, source: Source) -> None:
        self._db = db
        self._source = source
        self._where = "WHERE name = ?" if room is not None else ""
        self._names = () if room is None else (room,)
        db.execute("BEGIN")
        self.rooms = self.events = 0
        for _, found in self._logs():
            self.rooms += 1
            self.events += found.seq - found.floor

    def chunks(self, advance: Callable[[int], None]) -> Iterator[bytes]:
        """Whole lines, some together; `advance` is told how many events each time."""
        yield line(Export(rooms=self.rooms))
        for log, found in self._logs():
            room = self._source.room(log, found)
            events, ids = self._source.events(log, room), self._source.ids(log)
            yield from written(room, events, ids, self._source.markers(log, room), advance)

    def _logs(self) -> Iterator[tuple[int, Room]]:
        logs = self._db.execute(
            "SELECT id, name, epoch, floor, ts, (SELECT max(seq) FROM event WHERE log = log.id)"  # noqa: S608
            f" FROM log {self._where} ORDER BY name",
            self._names,
        )
        for log, name, epoch, floor, ts, head in logs:
            yield log, Room(name.decode(), epoch.decode(), floor, ts, head or floor)


def written(
    room: Room,
    events: Iterable[Kept],
    ids: Iterable[Remembered],
    markers: Iterable[Marker],
    advance: Callable[[int], None],
) -> Iterator[bytes]:
    """The lines of a room, some together; events and ids are ascending by `seq`.

    Raises `HoleError`.
    """
    gathered = [line(room)]
    for one in chain(_lines(room, events, ids), map(line, markers)):
        gathered.append(one)
        if len(gathered) == CHUNK:
            yield b"".join(gathered)
            gathered.clear()
            advance(CHUNK)
    yield b"".join(gathered)
    advance(len(gathered))


def _lines(room: Room, events: Iterable[Kept], ids: Iterable[Remembered]) -> Iterator[bytes]:
    """The lines of a room after its first; an id stands with its event where that is kept."""
    remembered = iter(ids)
    mark = next(remembered, None)
    seq = room.floor
    for event in events:
        seq += 1
        if event.seq != seq:
            raise HoleError(f"the room {room.room!r} has no event {seq}")
        while mark is not None and mark.seq < seq:
            yield _used(mark)
            mark = next(remembered, None)
        if mark is not None and (mark.seq, mark.author) == (seq, event.author):
            yield line(Event(event.author, Raw(event.payload), mark.id.decode(), mark.digest))
            mark = next(remembered, None)
        else:
            yield line(Event(event.author, Raw(event.payload)))
    while mark is not None:
        yield _used(mark)
        mark = next(remembered, None)


def _used(mark: Remembered) -> bytes:
    return line(Used(mark.id.decode(), mark.author, mark.seq, mark.ts, mark.digest))
