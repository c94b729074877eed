"""A room's keys in Redis made into the lines of `hubbub.store.archive`.

Laws: it is only read, by plain commands, so that a replica will do; of a room those events are
written that it had when its turn came, each as it is when it is read; a room that became another
one meanwhile, or let go of what was still to be read, is told as a hole. Of all that is in Redis no
more is in memory than a piece of a room, and the ids that were used in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from hubbub.store import redis_client
from hubbub.store.archive import Export, Marker, Room, line
from hubbub.store.exporting import HoleError, Kept, Remembered, written
from hubbub.store.redis_client import Client
from hubbub.store.redis_draft import identity

PIECE: Final = 500
"""Events that are read at once, and ids."""


class RedisSnapshot:
    """What a Redis has of one room, or of all. `rooms` and `events` are as of the beginning."""

    def __init__(self, client: Client, name: str | None) -> None:
        self._client = client
        names = sorted(_logs(client)) if name is None else [name]
        found = [(one, room(client, one)) for one in names]
        self._names = [one for one, at in found if at is not None]
        self.rooms = len(self._names)
        self.events = sum(at.seq - at.floor for _, at in found if at is not None)

    def chunks(self, advance: Callable[[int], None]) -> Iterator[bytes]:
        """Whole lines, some together; `advance` is told how many events each time."""
        yield line(Export(rooms=self.rooms))
        for name in self._names:
            at = room(self._client, name)
            if at is None:
                raise HoleError(f"the room {name!r} is gone")
            ids, markers = _ids(self._client, at), _markers(self._client, at)
            yield from written(at, events(self._client, at), ids, markers, advance)
            now = room(self._client, name)
            if now is None or now.epoch != at.epoch:
                raise HoleError(f"the room {name!r} is another one now")


def room(client: Client, name: str) -> Room | None:
    """Where a log stands; None if nothing was said in it."""
    head, *_ = redis_client.keys(name)
    there: Any = client.hmget(head, ["epoch", "seq", "floor", "ts"])
    epoch, seq, floor, ts = there
    if not epoch or not int(seq or 0):
        return None
    at = Room(name, epoch.decode(), int(floor or 0), 0, int(seq))
    if at.floor:  # the event there is gone; what is left is not older
        oldest = next(iter(_span(client, at, at.floor + 1, at.floor + 1)), None)
        at.ts = _ts(oldest.payload) if oldest is not None else int(ts)
    return at


def events(client: Client, at: Room) -> Iterator[Kept]:
    """What is kept of a log, up to where it stood."""
    for first in range(at.floor + 1, at.seq + 1, PIECE):
        yield from _span(client, at, first, min(at.seq, first + PIECE - 1))


def _span(client: Client, at: Room, first: int, last: int) -> Iterator[Kept]:
    """Those events that are there. What was changed has left the stream, and not before it was
    put into the hash beside it: so the hash is asked second.
    """
    _, log, now, *_ = redis_client.keys(at.room)
    entries: Any = client.xrange(log, first, last)
    found = {
        int(name.partition(b"-")[0]): Kept(0, fields[b"a"], fields[b"p"])
        for name, fields in entries
    }
    missing = [seq for seq in range(first, last + 1) if seq not in found]
    if missing:
        changed: Any = client.hmget(now, [str(seq) for seq in missing])
        for seq, packed in zip(missing, changed, strict=True):
            if packed is not None:
                payload, author, *_ = msgspec.msgpack.decode(packed, type=list[Any])
                found[seq] = Kept(0, author.encode(), payload.encode())
    for seq, kept in sorted(found.items()):
        yield Kept(seq, identity(kept.author), kept.payload)


def _ids(client: Client, at: Room) -> Iterable[Remembered]:
    """The ids that were used in a log, by `seq`."""
    _, _, _, ids, old, _ = redis_client.keys(at.room)
    found: dict[bytes, bytes] = {}
    for key in (old, ids):  # what is in both holds as it is in the newer one
        found.update(client.hscan_iter(key, count=PIECE))
    marks = (_remembered(name, value) for name, value in found.items())
    return sorted(mark for mark in marks if mark.seq <= at.seq)


def _markers(client: Client, at: Room) -> Iterable[Marker]:
    """How far users have read, by identity; what was marked in another epoch is left out."""
    found = dict(client.hscan_iter(redis_client.marker_keys(at.room)[-1], count=PIECE))
    marks = [(bytes.fromhex(user.decode()), *value.split(b" ", 1)) for user, value in found.items()]
    epoch = at.epoch.encode()
    return [Marker(user, min(int(seq), at.seq)) for user, seq, of in sorted(marks) if of == epoch]


def _remembered(name: bytes, value: bytes) -> Remembered:
    """An id and its use, as the functions write them: `key_of`, and seq:ts:sign."""
    length = name[0]
    seq, ts, sign = value.split(b":", 2)
    has_digest = re.fullmatch(rb"[ce][0-9a-f]{16}", sign) is not None
    digest = bytes.fromhex(sign[1:].decode()) if has_digest else None
    author = identity(name[1 : length + 1])
    return Remembered(int(seq), author, name[length + 1 :], int(ts), digest)


def _logs(client: Client) -> Iterator[str]:
    """The names of all logs."""
    before, after = redis_client.keys("*")[0].split("*")
    for key in client.scan_iter(f"{before}*{after}", count=PIECE):
        yield redis_client.name_of(key.decode()[len(before) : -len(after)])


def _ts(payload: bytes) -> int:
    return int(msgspec.json.decode(payload)["ts"])
