"""Where a `--store` of the kind `sqlite:` is on this machine."""

from pathlib import Path
from typing import Final

from hubbub.store.database import UnusableError

NAME: Final = "hubbub.db"
"""What the file is called where only a folder is known."""


def path_of(store: str) -> Path:
    """The file that `sqlite:…` means; the user's data folder is made if that is meant.

    `sqlite:///srv/chat.db` is a URL with an absolute path. Raises `UnusableError`.
    """
    rest = store.partition(":")[2]
    if rest:
        path = Path("/" + rest.lstrip("/")) if rest.startswith("/") else Path(rest)
        return path / NAME if path.is_dir() else path
    import platformdirs  # only here: few commands need it

    folder = Path(platformdirs.user_data_dir("hubbub", appauthor=False))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise UnusableError(
            f"the data folder {folder} cannot be made ({problem.strerror})", "give a --store"
        ) from None
    return folder / NAME
