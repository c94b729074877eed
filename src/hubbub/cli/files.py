"""The files that commands read and make: the store's own, and what is written from it.

What `--store` and `--config` are in every command that has them stands here, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hubbub.cli.mistakes import UsageError
from hubbub.redis_url import REDIS, masked
from hubbub.settings import Settings

if TYPE_CHECKING:
    from hubbub.store.redis_client import Client

DEFAULT_STORE = Settings().store
_HELP = {one.name: one.metadata["help"] for one in fields(Settings)}

StorePlace = Annotated[str, Parameter(name="--store", help=_HELP["store"])]
ConfigPath = Annotated[Path | None, Parameter(help="The TOML file with settings.")]


def typed(help: str) -> Parameter:
    """What is typed for one run and is no setting: there is no variable for it."""
    return Parameter(help=help, negative="", show_env_var=False, show_default=False)


def file_of(store: str) -> Path:
    """The database file that `--store` names."""
    Settings(store=store)  # says what is wrong with it
    if store == "memory:":
        raise UsageError(
            "what is in memory: is in no file", "give --store sqlite: or the file after it"
        )
    if not store.startswith("sqlite:"):
        raise UsageError(
            "this copies a SQLite file, and --store is in Redis, which keeps files of its own",
            "copy those, or use hubbub export --all; see docs/cluster.md",
        )
    from hubbub.store.place import path_of

    with mistakes(Path()):
        return path_of(store)


def is_in_redis(store: str) -> bool:
    """Whether what `--store` names is no file but in Redis."""
    Settings(store=store)  # says what is wrong with it
    return store.partition(":")[0] in REDIS


@contextmanager
def redis_of(store: str, what: str = "read") -> Iterator[Client]:
    """The Redis that `--store` names; what can be wrong with it leaves here as one line.

    `what` is what is done with it.
    """
    try:
        from redis.exceptions import RedisError

        from hubbub.store import redis_client
    except ImportError:
        raise UsageError(
            "a store in Redis needs redis-py, which is not installed",
            "pip install 'hubbub[cluster]'",
        ) from None
    from hubbub.store.base import StoreError

    place = masked(store)
    try:
        with redis_client.connect(store) as client:
            yield client
    except StoreError as problem:
        raise UsageError(f"{place} cannot be {what} ({problem})", "see docs/cluster.md") from None
    except RedisError as problem:
        why = redis_client.trouble(problem)
        raise UsageError(f"{place} cannot be {what} ({why})", "see docs/cluster.md") from None


@contextmanager
def mistakes(path: Path) -> Iterator[None]:
    """What can be wrong with a database file leaves here as one line."""
    import sqlite3

    from hubbub.store.database import UnusableError, unusable

    try:
        yield
    except UnusableError as problem:
        raise UsageError(problem.message, problem.mend) from None
    except sqlite3.Error as problem:
        seen = unusable(path, problem)
        raise UsageError(seen.message, seen.mend) from None


@contextmanager
def made_whole(path: Path, source: Path | None, *, force: bool) -> Iterator[Path]:
    """An empty file to write to, which becomes `path` when all is written and on the disk.

    Only its owner can read it. Nothing of it stays when something goes wrong. `source`, the
    database, is never written over; another file is with `force` alone.
    """
    import tempfile

    if path.is_dir():
        raise UsageError(f"{path} is a directory", "name a file in it")
    ends = ("", "-wal", "-shm", ".lock") if source is not None else ()
    if any(_same(path, Path(f"{source}{end}")) for end in ends):
        raise UsageError(f"{path} is the store itself", "name another file")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "name another file, or write over it: --force")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as problem:
        raise _unwritable(path, problem) from None
    beside = Path(name)
    try:
        yield beside
        os.fsync(handle)
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as problem:
        raise _unwritable(path, problem) from None
    finally:
        os.close(handle)
        beside.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (
        one.exists() and other.exists() and one.samefile(other)
    )


def _sync_folder(folder: Path) -> None:
    """The new name is to outlast a power cut, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, problem: OSError) -> UsageError:
    if isinstance(problem, FileNotFoundError):
        return UsageError(f"there is no directory {path.parent}", "make it, or name another")
    return UsageError(f"{path} cannot be written ({problem.strerror})", "name another place")
