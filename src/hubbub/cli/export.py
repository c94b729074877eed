"""`hubbub export`: write what is kept of a room, or of all, as JSON Lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

from hubbub.cli.files import (
    DEFAULT_STORE,
    ConfigPath,
    StorePlace,
    file_of,
    made_whole,
    mistakes,
    typed,
)
from hubbub.cli.mistakes import UsageError

if TYPE_CHECKING:
    from hubbub.store.exporting import Snapshot
    from hubbub.store.salvage import Damaged


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
            "Pass over what cannot be read in a damaged file; each lost event becomes a deleted"
            " message."
        ),
    ] = False,
    store: StorePlace = DEFAULT_STORE,
    config: ConfigPath = None,
) -> int:
    """Write what is kept of a room as JSON Lines, for `hubbub import` or a program of yours.

    It can run beside a server: what is written is the room at one moment.
    """
    del config
    import gc

    from hubbub.access.identity import new_epoch
    from hubbub.chat.names import tidy
    from hubbub.store.database import connect_reader
    from hubbub.store.exporting import HoleError, Snapshot, Sound
    from hubbub.store.salvage import Damaged

    gc.enable()  # all is loaded (hubbub.cli.main stopped it)
    if (room is not None) == all:
        raise UsageError("export needs to know what", "name one room, or give --all")
    path = file_of(store)
    with mistakes(path):
        db = connect_reader(path)
        try:
            damaged = Damaged(db, new_epoch) if mend else None
            snapshot = Snapshot(db, None if room is None else tidy(room), damaged or Sound(db))
            if room is not None and not snapshot.rooms:
                raise UsageError(
                    f"there is no room {room!r} in {path}", "see hubbub export --help for --all"
                )
            if output is None:
                _write(snapshot, sys.stdout.buffer, "standard output")
            else:
                with made_whole(output, path, force=force) as beside, beside.open("wb") as file:
                    _write(snapshot, file, str(output))
        except HoleError as problem:
            raise UsageError(
                f"{path} is damaged ({problem})", "fill such holes with --mend"
            ) from None
        finally:
            db.close()
    if damaged is not None:
        _say(damaged)
    return 0


def _write(snapshot: Snapshot, file: BinaryIO, where: str) -> None:
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


def _say(damaged: Damaged) -> None:
    if not damaged.torn:
        print("hubbub: nothing was missing", file=sys.stderr)
        return
    print(
        f"hubbub: {damaged.lost} events are known to be lost, of {', '.join(damaged.torn)}",
        file=sys.stderr,
    )
