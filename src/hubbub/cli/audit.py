"""`hubbub audit`: what moderators did, one line an act."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from hubbub.cli.files import (
    DEFAULT_STORE,
    ConfigPath,
    StorePlace,
    file_of,
    is_in_redis,
    mistakes,
    redis_of,
    typed,
)

if TYPE_CHECKING:
    from hubbub.protocol.audit import Audit


def audit(
    room: Annotated[str | None, typed("Of this room alone.")] = None,
    /,
    *,
    json: Annotated[bool, typed("The records as they are kept, one JSON object a line.")] = False,
    store: StorePlace = DEFAULT_STORE,
    config: ConfigPath = None,
) -> int:
    """Show what moderators did, oldest first: who, to whom, until when and why.

    It can run beside a server. Addresses that a ban holds for are in the JSON alone.
    """
    del config
    from hubbub.chat.names import tidy
    from hubbub.protocol.audit import Audit, read

    wanted = None if room is None else tidy(room)
    for payload in _from_redis(store) if is_in_redis(store) else _from_file(store):
        record = read(payload)
        assert isinstance(record, Audit)
        if wanted is None or record.everywhere or record.room == wanted:
            sys.stdout.write(f"{payload.decode() if json else _line(record)}\n")
    return 0


def _from_file(store: str) -> Iterator[bytes]:
    from hubbub.protocol.audit import AUDIT
    from hubbub.store.database import connect_reader

    path = file_of(store)
    with mistakes(path), closing(connect_reader(path)) as db:
        kept = db.execute(
            "SELECT payload FROM event WHERE log = (SELECT id FROM log WHERE name = ?)"
            " ORDER BY seq",
            (AUDIT,),
        )
        for (payload,) in kept:
            yield payload


def _from_redis(store: str) -> Iterator[bytes]:
    from hubbub.protocol.audit import AUDIT

    with redis_of(store) as client:
        from hubbub.store.redis_export import events, room

        found = room(client, AUDIT)
        if found is not None:
            for event in events(client, found):
                yield event.payload


DONE = {
    "kick": "put {whom} out",
    "mute": "muted {whom}",
    "ban": "banned {whom}",
    "purge": "deleted all {count} messages of {whom}",
    "delete": "deleted message {target} of {whom}",
    "pardon": "lifted {number}, which was on {whom}",
}


def _line(record: Audit) -> str:
    match record.action:
        case "slow" if record.seconds:
            what = f"let everyone speak once in {record.seconds:g} s"
        case "slow":
            what = "ended slow mode"
        case "read_only":
            what = "let only moderators speak" if record.on else "let everyone speak again"
        case "topic":
            what = f"made the topic {record.topic!r}"
        case "pin":
            what = f"{'pinned' if record.on else 'took off'} message {record.target}"
        case action:
            what = DONE[action].format(
                whom=record.username,
                count=record.count,
                target=record.target,
                number=record.number,
            )
    where = "everywhere" if record.everywhere else record.room
    until = f" until {_time(record.until)}" if record.until is not None else ""
    address = " and their address" if record.addresses else ""
    why = f": {record.reason}" if record.reason else ""
    text = f"{record.seq} {_time(record.ts)} {where}: {record.by} {what}{address}{until}{why}"
    # What people wrote cannot end a line or move a terminal's cursor.
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
