"""`hubbub backup`: copy the whole store into one file, while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from hubbub.cli.files import (
    DEFAULT_STORE,
    ConfigPath,
    StorePlace,
    file_of,
    made_whole,
    mistakes,
    typed,
)


def backup(
    file: Annotated[Path, typed("The file to make.")],
    /,
    *,
    force: Annotated[bool, typed("Write over the file if it is there.")] = False,
    store: StorePlace = DEFAULT_STORE,
    config: ConfigPath = None,
) -> int:
    """Copy the store into one file, also while a server is using it.

    `hubbub serve --store sqlite:FILE` serves the copy. It is read through before it gets its
    name, so a store that is damaged shows here.
    """
    del config
    import gc

    from hubbub.cli.progress import bar
    from hubbub.store.backup import back_up

    gc.enable()  # all is loaded (hubbub.cli.main stopped it)
    path = file_of(store)
    with mistakes(path), made_whole(file, path, force=force) as beside:
        with bar("Copying", None) as told:
            back_up(path, beside, told.at)
        size = beside.stat().st_size
    print(f"{file} is a copy of {path}, {size} bytes")
    return 0
