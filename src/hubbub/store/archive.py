"""The lines of an export: what is written of a room so that it can be made again as it was.

Laws: a line is one JSON object, told apart by its `type`; `export` comes first, then for each
room a `room`, and in any order its `event`s (one a seq, ascending by one) and its `used` ids. Each
`export` and `room` says how much follows, so that a file that was cut short is known. No I/O here.
docs/storage.md has the format for people; a format that older ones cannot read is a new `VERSION`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from hubbub.protocol.audit import AUDIT, USERS, Audit, Known
from hubbub.protocol.incoming import Id, Number, Seq
from hubbub.protocol.outgoing import Deleted, Edited, Moderated, Reacted, Said, encode

VERSION: Final = 1
LONGEST: Final = 64 << 20
"""Bytes of the longest line that is read."""

Author = Annotated[bytes, Meta(min_length=1, max_length=64)]
Digest = Annotated[bytes, Meta(min_length=8, max_length=8)]


class Export(
    Struct, tag_field="type", tag="export", gc=False, forbid_unknown_fields=True, kw_only=True
):
    """The first line: how the rest is to be read, and how many rooms there are."""

    version: Literal[1] = VERSION
    rooms: Annotated[int, Meta(ge=0)]


class Room(Struct, tag_field="type", tag="room", gc=False, forbid_unknown_fields=True):
    """A room begins. Its events are those with the `seq` `floor + 1` … `seq`.

    `ts` is that of the event at the floor, Unix ms; 0 where there was none.
    """

    room: Annotated[str, Meta(min_length=1)]
    epoch: Annotated[str, Meta(min_length=1, max_length=64)]
    floor: Seq
    ts: Seq
    seq: Seq


class Used(Struct, tag_field="type", tag="used", gc=False, forbid_unknown_fields=True):
    """An id that was used for an event that is no longer kept. `ts` and `digest` as of that."""

    id: Id
    author: Author
    seq: Number
    ts: Seq
    digest: Digest | None


class Event(
    Struct,
    tag_field="type",
    tag="event",
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """An event: its author's identity and its JSON as everyone gets it.

    `id` is the one that it was sent with; `digest` that of a chat's first text, where there is
    an `id` and the words were not deleted. Both bytes are base64.
    """

    author: Author
    event: Raw
    id: Id | None = None
    digest: Digest | None = None


class Marker(Struct, tag_field="type", tag="read", gc=False, forbid_unknown_fields=True):
    """How far a user, by identity, has read in the room."""

    user: Author
    seq: Number


Line = Export | Room | Used | Event | Marker


class Row(Struct, gc=False):
    """An event as the store keeps it; `used` is its id, where it has one."""

    seq: int
    ts: int
    author: bytes
    target: int | None
    payload: bytes
    used: Used | None


class BadLineError(Exception):
    """A line that cannot stand where it does; `str()` goes on from its place: "has no seq"."""


AnyEvent = Said | Edited | Deleted | Reacted | Moderated | Audit | Known
"""All kinds of events that there are."""

_read_line = msgspec.json.Decoder(Line).decode
_read_event = msgspec.json.Decoder(AnyEvent).decode
_write = msgspec.json.Encoder().encode


def line(what: Line) -> bytes:
    """One line, with its end."""
    return _write(what) + b"\n"


class Check:
    """Takes lines in order and lets through what may stand there.

    That is `Room`, `Used`, `Marker` or `Row`.
    """

    def __init__(self) -> None:
        self._rooms: int | None = None
        self._seen: set[str] = set()
        self._room: Room | None = None
        self._seq = 0
        self._ts = 0

    def take(self, text: bytes) -> Room | Used | Marker | Row | None:
        """What the next line says; None for the first line. Raises `BadLineError`."""
        try:
            found = _read_line(text)
        except msgspec.ValidationError as problem:
            if self._rooms is None:
                raise BadLineError("is not the first line of an export") from None
            raise BadLineError(f"is no line of an export ({problem})") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise BadLineError(f"is not JSON ({problem})") from None
        if self._rooms is None:
            if not isinstance(found, Export):
                raise BadLineError("is not the first line of an export")
            self._rooms = found.rooms
            return None
        match found:
            case Room():
                self._begin(found)
                return found
            case Used() | Marker():
                if found.seq > self._within().seq:
                    raise BadLineError(f"has the seq {found.seq}, past the end of its room")
                return found
            case Event():
                return self._event(found, self._within())
        raise BadLineError("begins another export")

    def end(self) -> None:
        """There are no more lines. Raises `BadLineError` if there should be."""
        if self._rooms is None:
            raise BadLineError("is missing: there is nothing to import")
        if (missing := self._missing()) is not None:
            raise BadLineError(f"is missing: {missing} comes next")
        if len(self._seen) < self._rooms:
            raise BadLineError(f"is missing: {len(self._seen)} of {self._rooms} rooms are there")

    def _within(self) -> Room:
        if self._room is None:
            raise BadLineError("comes before any room")
        return self._room

    def _missing(self) -> str | None:
        """The event that the room at hand still lacks."""
        if self._room is None or self._seq == self._room.seq:
            return None
        return f"the event {self._seq + 1} of {self._room.room!r}"

    def _begin(self, room: Room) -> None:
        if (missing := self._missing()) is not None:
            raise BadLineError(f"begins a room where {missing} comes next")
        if room.room in self._seen:
            raise BadLineError("begins a room that was there already")
        if room.floor > room.seq:
            raise BadLineError(f"has the floor {room.floor} above its seq {room.seq}")
        self._seen.add(room.room)
        if len(self._seen) > (self._rooms or 0):
            raise BadLineError(f"begins one room more than the {self._rooms} there should be")
        self._room, self._seq, self._ts = room, room.floor, room.ts

    def _event(self, found: Event, room: Room) -> Row:
        event, payload = canonical(bytes(found.event))
        if event.seq != self._seq + 1 or event.seq > room.seq:
            wanted = f"{self._seq + 1} comes next" if self._seq < room.seq else "its room ends"
            raise BadLineError(f"has the seq {event.seq}, where {wanted}")
        if log_of(event) != room.room:
            raise BadLineError(f"is of the room {log_of(event)!r} within {room.room!r}")
        if event.ts < self._ts:
            raise BadLineError(f"has the ts {event.ts}, before {self._ts} of the event before")
        target: int | None = 0
        if isinstance(event, Said):
            target = None
            if event.id != found.id:
                raise BadLineError("has another id than its event")
        elif isinstance(event, Edited | Deleted | Reacted):
            target = event.target
            if not 0 < target < event.seq:
                raise BadLineError(f"changes the event {target}, which is not before it")
            if event.id is not None or found.digest is not None:
                raise BadLineError("has what a change cannot have: a digest, or an id inside")
        if isinstance(event, Said) and (quote := event.reply) is not None:
            if not 0 < quote.seq < event.seq:
                raise BadLineError(f"answers the event {quote.seq}, which is not before it")
            if quote.deleted and quote.text:
                raise BadLineError("quotes words of what is deleted")
        if isinstance(event, Said | Edited) and event.deleted and event.text:
            raise BadLineError("has words, and is deleted")
        if found.id is None and found.digest is not None:
            raise BadLineError("has a digest without an id")
        self._seq, self._ts = event.seq, event.ts
        used = (
            Used(found.id, found.author, event.seq, event.ts, found.digest)
            if found.id is not None
            else None
        )
        return Row(event.seq, event.ts, found.author, target, payload, used)


def log_of(event: AnyEvent) -> str:
    """Which log an event is of."""
    match event:
        case Audit():
            return AUDIT
        case Known():
            return USERS
        case _:
            return event.room


def canonical(raw: bytes) -> tuple[AnyEvent, bytes]:
    """An event and its JSON as we write it, whatever tool it passed through on its way.

    Raises `BadLineError`.
    """
    try:
        event = _read_event(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadLineError(f"has no event that Hubbub knows ({problem})") from None
    if event.seq < 1 or event.ts < 0 or max(event.seq, event.ts) >= 2**53:
        raise BadLineError("has a seq or ts that cannot be")
    payload = encode(event)
    if payload != raw and msgspec.json.decode(payload) != msgspec.json.decode(raw):
        raise BadLineError("has an event with fields that this Hubbub does not know")
    return event, payload
