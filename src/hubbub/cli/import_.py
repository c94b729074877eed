"""`hubbub import`: take what `hubbub export` wrote into a store."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

from hubbub.cli.files import DEFAULT_STORE, ConfigPath, StorePlace, file_of, mistakes, typed
from hubbub.cli.mistakes import UsageError


def import_(
    file: Annotated[Path | None, typed("What `hubbub export` wrote; else standard input.")] = None,
    /,
    *,
    store: StorePlace = DEFAULT_STORE,
    config: ConfigPath = None,
) -> int:
    """Take the rooms that `hubbub export` wrote into a store that no server is using.

    All of it is imported or, where a line is wrong or a room is there already, nothing.
    """
    del config
    import gc

    gc.enable()  # all is loaded (hubbub.cli.main stopped it)
    if file is None:
        return _import(sys.stdin.buffer, "standard input", file_of(store))
    try:
        opened = file.open("rb")
    except OSError as problem:
        raise UsageError(f"{file} cannot be read ({problem.strerror})", "name another") from None
    with opened:
        return _import(opened, str(file), file_of(store))


def _import(source: BinaryIO, name: str, path: Path) -> int:
    from hubbub.cli.progress import bar
    from hubbub.store.database import connect
    from hubbub.store.importing import Import, RefusedError
    from hubbub.store.lock import Lock

    with mistakes(path):
        lock = Lock(path)
        is_new = not path.exists()
        try:
            db = connect(path, "normal")
            work = Import(db)
            try:
                with bar("Importing", _size(source)) as told:
                    work.run(_lines(source, name), told.advance)
                is_new = False
            except RefusedError as problem:
                raise UsageError(f"{name}: {problem.what}", problem.mend) from None
            finally:
                db.close()
        finally:
            if is_new:
                path.unlink(missing_ok=True)  # nothing is to stay of what failed
            lock.release()
    print(f"{work.events} events of {work.rooms} rooms are now in {path}")
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
