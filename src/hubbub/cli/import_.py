"""`hubbub import`: take what `hubbub export` wrote into a store."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

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
from hubbub.cli.mistakes import UsageError
from hubbub.redis_url import masked

if TYPE_CHECKING:
    from hubbub.store.importing import Import


def import_(
    file: Annotated[Path | None, typed("What `hubbub export` wrote; else standard input.")] = None,
    /,
    *,
    store: StorePlace = DEFAULT_STORE,
    config: ConfigPath = None,
) -> int:
    """Take the rooms that `hubbub export` wrote into a store (file or Redis) that no server uses.

    All of it is imported or, where a line is wrong or a room is there already, nothing.
    """
    del config
    import gc

    gc.enable()  # all is loaded (hubbub.cli.main stopped it)
    if file is None:
        return _import(sys.stdin.buffer, "standard input", store)
    try:
        opened = file.open("rb")
    except OSError as problem:
        raise UsageError(f"{file} cannot be read ({problem.strerror})", "name another") from None
    with opened:
        return _import(opened, str(file), store)


def _import(source: BinaryIO, name: str, store: str) -> int:
    if not is_in_redis(store):
        return _into_file(source, name, file_of(store))
    with redis_of(store, "written") as client:
        from hubbub.store.redis_importing import RedisImport

        work = RedisImport(client)
        _run(work, source, name)
    return _tell(work, masked(store))


def _into_file(source: BinaryIO, name: str, path: Path) -> int:
    from hubbub.store.database import connect
    from hubbub.store.importing import SqliteImport
    from hubbub.store.lock import Lock

    with mistakes(path):
        lock = Lock(path)
        is_new = not path.exists()
        try:
            db = connect(path, "normal")
            work = SqliteImport(db)
            try:
                _run(work, source, name)
                is_new = False
            finally:
                db.close()
        finally:
            if is_new:
                path.unlink(missing_ok=True)  # nothing is to stay of what failed
            lock.release()
    return _tell(work, str(path))


def _run(work: Import, source: BinaryIO, name: str) -> None:
    from hubbub.cli.progress import bar
    from hubbub.store.importing import RefusedError

    try:
        with bar("Importing", _size(source)) as told:
            work.run(_lines(source, name), told.advance)
    except RefusedError as problem:
        raise UsageError(f"{name}: {problem.what}", problem.mend) from None


def _tell(work: Import, place: str) -> int:
    print(f"{work.events} events of {work.rooms} rooms are now in {place}")
    return 0


def _size(source: BinaryIO) -> int | None:
    """The bytes that will come, where that is known before."""
    seen = os.fstat(source.fileno())
    return seen.st_size if stat.S_ISREG(seen.st_mode) else None


def _lines(source: BinaryIO, name: str) -> Iterator[bytes]:
    from hubbub.store.archive import LONGEST

    try:
        while text := source.readline(LONGEST):
            yield text
    except OSError as problem:
        raise UsageError(
            f"{name} cannot be read to its end ({problem.strerror})", "nothing was imported"
        ) from None
