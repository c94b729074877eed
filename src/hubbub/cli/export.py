"""`hubbub export`: write what is kept of a room, or of all, as JSON Lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

from hubbub.cli.files import (
    DEFAULT_STORE,
    ConfigPath,
    StorePlace,
    file_of,
    is_in_redis,
    made_whole,
    mistakes,
    redis_of,
    typed,
)
from hubbub.cli.mistakes import UsageError
from hubbub.redis_url import masked

if TYPE_CHECKING:
    import sqlite3

    from hubbub.store.exporting import Exported, Source


def export(
    room: Annotated[str | None, typed("The room.")] = None,
    /,
    *,
    all: Annotated[bool, typed("All rooms.")] = False,
    output: Annotated[Path | None, typed("The file to write, instead of standard output.")] = None,
    force: Annotated[bool, typed("Write over the file if it is there.")] = False,
    mend: Annotated[
        bool,
        typed(
            "Read what is still there in a damaged file; each lost event becomes a deleted"
            " message, and each room a new epoch."
        ),
    ] = False,
    store: StorePlace = DEFAULT_STORE,
    config: ConfigPath = None,
) -> int:
    """Write what is kept of a room as JSON Lines, for `hubbub import` or a program of yours.

    It can run beside a server: what is written is the room at one moment (in Redis, each room
    at another).
    """
    del config
    import gc

    from hubbub.chat.names import tidy

    gc.enable()  # all is loaded (hubbub.cli.main stopped it)
    if (room is not None) == all:
        raise UsageError("export needs to know what", "name one room, or give --all")
    name = None if room is None else tidy(room)
    if is_in_redis(store):
        if mend:
            raise UsageError("--mend is for a damaged file", "leave it away with a store in Redis")
        _from_redis(store, name, output, force=force)
    else:
        _from_file(store, name, output, force=force, mend=mend)
    return 0


def _from_file(
    store: str, name: str | None, output: Path | None, *, force: bool, mend: bool
) -> None:
    from hubbub.store.exporting import HoleError, Snapshot

    path = file_of(store)
    with mistakes(path), _opened(path, mend=mend) as (db, source):
        try:
            _write_to(output, path, Snapshot(db, name, source), name, str(path), force=force)
        except HoleError as problem:
            raise UsageError(
                f"{path} is damaged ({problem})", "mend it as docs/storage.md says: --mend"
            ) from None


def _from_redis(store: str, name: str | None, output: Path | None, *, force: bool) -> None:
    with redis_of(store) as client:
        from hubbub.store.exporting import HoleError
        from hubbub.store.redis_export import RedisSnapshot

        place = masked(store)
        try:
            _write_to(output, None, RedisSnapshot(client, name), name, place, force=force)
        except HoleError as problem:
            raise UsageError(
                f"{place} changed while it was read ({problem})", "try it again"
            ) from None


def _write_to(
    output: Path | None,
    path: Path | None,
    snapshot: Exported,
    name: str | None,
    place: str,
    *,
    force: bool,
) -> None:
    """Write what is kept at `place`, which is the file `path` or none, to where it should go."""
    if name is not None and not snapshot.rooms:
        raise UsageError(
            f"there is no room {name!r} in {place}",
            "write its name as it is in the chat, or give --all",
        )
    if output is None:
        _write(snapshot, sys.stdout.buffer, "standard output")
    else:
        with made_whole(output, path, force=force) as beside, beside.open("wb") as file:
            _write(snapshot, file, str(output))


@contextmanager
def _opened(path: Path, *, mend: bool) -> Iterator[tuple[sqlite3.Connection, Source]]:
    """The database, and how to read it; in the end what was mended is told."""
    from hubbub.store.database import connect_reader
    from hubbub.store.exporting import Sound

    if not mend:
        with closing(connect_reader(path)) as db:
            yield db, Sound(db)
        return
    from hubbub.access.identity import new_epoch
    from hubbub.cli.progress import bar
    from hubbub.store.lock import Lock
    from hubbub.store.salvage import Damaged, gathered

    lock = Lock(path)
    try:
        with bar("Reading", None) as told:
            db = gathered(path, told.at)
        with closing(db):
            damaged = Damaged(db, new_epoch)
            yield db, damaged
    finally:
        lock.release()
    where = f", of the rooms {', '.join(damaged.torn)}" if damaged.torn else ""
    print(f"hubbub: {damaged.lost} events are known to be lost{where}", file=sys.stderr)


def _write(snapshot: Exported, file: BinaryIO, where: str) -> None:
    from hubbub.cli.progress import bar

    with bar("Exporting", snapshot.events) as told:
        try:
            file.writelines(snapshot.chunks(told.advance))
            file.flush()
        except BrokenPipeError:
            raise  # whoever read has seen enough
        except OSError as problem:
            raise UsageError(
                f"{where} cannot be written ({problem.strerror})", "what is there is not whole"
            ) from None
