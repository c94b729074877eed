"""The lines of an export taken into a Redis.

Laws: as of `importing`; and no node is using it meanwhile. A room is made under other names, and
all rooms get their own at once, when every line was right; in a Redis Cluster one after the other,
and if one cannot, those that did lose them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from secrets import token_hex
from typing import Any, Final

import msgspec
from redis import Redis
from redis.exceptions import WatchError

from hubbub.protocol.outgoing import Deleted, Edited, Reacted, Said
from hubbub.store import events, redis_client
from hubbub.store.archive import Marker, Room, Row, Used
from hubbub.store.base import StoreError
from hubbub.store.importing import Import, RefusedError, has_room, reused
from hubbub.store.redis_asking import RedisAsking
from hubbub.store.redis_cluster import Cluster
from hubbub.store.redis_library import NAME
from hubbub.store.redis_presence import LEASES
from hubbub.store.redis_wire import Asked, Command

LEFT: Final = 86_400
"""Seconds that what a killed import made stays; `EMPTY` of redis_functions.lua."""

_pack = msgspec.msgpack.Encoder().encode


class RedisImport(Import):
    """Takes the lines into the Redis behind `client`. Raises `RedisError` and `StoreError`, too."""

    def __init__(self, client: redis_client.Client) -> None:
        super().__init__()
        self._client = client
        self._redis = RedisAsking(client)
        self._batch = token_hex(4)
        """The mark of all events; it is in the names under which the rooms are made, too."""
        self._names: list[str] = []
        self._room = Room("", "", 0, 0, 0)
        self._ts = 0
        """Of the last event."""
        self._rows: list[tuple[int, tuple[Any, ...]]] = []
        """Events and ids with the numbers of their lines."""
        self._markers: dict[str, str] = {}
        self._readers: dict[bytes, list[str]] = {}
        """Which rooms each user has read."""

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._refuse_company()
        self._redis.load()
        try:
            yield
            if isinstance(self._client, Cluster):
                self._adopt_in_turn()
            else:
                self._adopt(self._client)
        except BaseException:
            with suppress(StoreError):  # else they are gone after a day
                for name in self._names:
                    self._redis.tell(("UNLINK", *self._made(name)))
            raise

    def _refuse_company(self) -> None:
        place = redis_client.pool(self._client, redis_client.home(self._client, LEASES))
        ((seconds, micros),) = Asked(place, [("TIME",)]).answers()  # by which the leases end
        now = int(seconds) * 1000 + int(micros) // 1000
        if self._redis.tell(("ZCOUNT", LEASES, now, "+inf"))[0]:
            raise RefusedError("there are servers running on this Redis", "stop them first")

    def _take(self, found: Room | Used | Marker | Row | None, number: int) -> None:
        match found:
            case Room():
                self._write()
                self._begin(found)
            case Used():
                sign = f"c{found.digest.hex()}" if found.digest is not None else "*"
                self._rows.append((number, (*_head(found.seq, "", found, sign), "used")))
            case Marker(user, seq):
                self._markers[user.hex()] = f"{seq} {self._room.epoch}"
            case Row():
                self.events += 1
                self._ts = found.ts
                self._rows.append((number, _row(found)))

    def _begin(self, room: Room) -> None:
        self._refuse_used(room.room)
        self.rooms += 1
        self._room, self._ts = room, room.ts
        self._names.append(room.room)
        head = self._made(room.room)[0]
        stand = ("epoch", room.epoch, "seq", room.seq, "floor", room.floor, "mark", self._batch)
        self._redis.tell(("HSET", head, *stand), ("EXPIRE", head, LEFT))

    def _write(self) -> None:
        if not self._names:
            return
        made = self._made(self._room.room)
        rows = [row for _, row in self._rows]
        stand = (self._batch, self._room.floor, self._ts)
        commands: list[Command] = []
        if self._markers:
            commands.append(("HSET", made[-1], *chain.from_iterable(self._markers.items())))
            for user in self._markers:
                self._readers.setdefault(bytes.fromhex(user), []).append(self._room.room)
            self._markers = {}
        commands.append(("FCALL", f"{NAME}_restore", len(made), *made, *stand, _pack(rows)))
        again = self._redis.tell(*commands)[-1]
        if again:
            number, row = self._rows[again - 1]
            raise reused(number, row[3])
        self._rows.clear()

    def _adopt(self, client: Redis) -> None:
        """Let all rooms have their own names, if there is nobody and nothing yet."""
        heads = [redis_client.keys(name)[0] for name in self._names]
        with client.pipeline() as pipe:
            pipe.watch(LEASES, *heads)  # type: ignore[no-untyped-call]
            self._refuse_company()
            for name in self._names:
                self._refuse_used(name)
            pipe.multi()
            for command in (*map(self._adoption, self._names), *self._readings()):
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]
            try:
                pipe.execute()
            except WatchError:
                raise _disturbed() from None

    def _adopt_in_turn(self) -> None:
        self._refuse_company()
        for name in self._names:
            self._refuse_used(name)
        adopted: list[str] = []
        try:
            for name in self._names:
                adopted.append(name)  # it may be, also where the answer is lost
                if not self._redis.tell(self._adoption(name))[0]:
                    raise _disturbed()
            self._redis.tell(*self._readings())
        except BaseException:
            for name in adopted:
                keys = redis_client.marker_keys(name)
                with suppress(StoreError):
                    self._redis.tell(("FCALL", f"{NAME}_disown", len(keys), *keys, self._batch))
            raise

    def _adoption(self, name: str) -> Command:
        keys = (*self._made(name), *redis_client.marker_keys(name))
        return ("FCALL", f"{NAME}_adopt", len(keys), *keys)

    def _readings(self) -> list[Command]:
        return [
            ("SADD", redis_client.read_key(user), *read) for user, read in self._readers.items()
        ]

    def _refuse_used(self, name: str) -> None:
        """Refuse a room that has something in it."""
        (seq,) = self._redis.tell(("HGET", redis_client.keys(name)[0], "seq"))
        if int(seq or 0):
            raise has_room(name, int(seq))

    def _made(self, name: str) -> list[str]:
        """The keys under which a room is made."""
        keys = redis_client.marker_keys(name)
        place = keys[0].rindex(":") + 1
        return [f"{key[:place]}import:{self._batch}:{key[place:]}" for key in keys]


def _disturbed() -> RefusedError:
    return RefusedError("someone else has used this Redis meanwhile", "stop them, and try again")


def _head(seq: int, payload: str, used: Used, sign: str) -> tuple[Any, ...]:
    sent = f"{used.seq}:{used.ts}:{sign}" if sign else ""
    return (seq, payload, used.author.hex(), used.id, "", sent)


def _row(row: Row) -> tuple[Any, ...]:
    """An event as redis_importing.lua takes it."""
    event = row.event
    kind, reply = "", 0
    more: Sequence[Any] = ()
    match event:
        case Said():
            sign = "c"
            reply = event.reply.seq if event.reply is not None else 0
            if event.reactions:
                kind, more = "reactions", _reactions(event)
        case Edited(target=target):
            kind = "edited"
            sign = f"u{target}:" + ("" if event.deleted else events.digest(event.text).hex())
        case Deleted(target=target):
            kind, sign = "deleted", f"d{target}"
        case Reacted(target=target):
            kind, sign = "reacted", f"r{target}:{event.on:d}{event.emoji}"
            more = (_json(event.emoji), event.on, _json(event.username))
        case _:
            sign = "e"
    sent = ""
    if row.used is not None:
        if sign in {"c", "e"} and row.used.digest is not None:
            sign += row.used.digest.hex()
        elif sign in {"c", "e"} or sign.endswith(":"):
            sign += "*"  # its words are gone: whatever is said under this id is a resend of it
        sent = f"{row.seq}:{row.ts}:{sign}"
    return (
        *(row.seq, row.payload.decode(), row.author.hex()),
        row.used.id if row.used is not None else "",
        "" if row.target is None else str(row.target),
        *(sent, kind, more, reply),
    )


def _reactions(event: Said) -> list[Any]:
    found = event.reactions or {}
    return [
        (_json(emoji), one.count, [_json(name) for name in one.users])
        for emoji, one in found.items()
    ]


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()
