"""Every kind of store, made for a test."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from hubbub.delivery.keeper import Threaded
from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.base import News, Outcome, Refused, Shared, Store, Stored
from hubbub.store.memory import MemoryStore
from hubbub.store.redis import RedisStore
from hubbub.store.sqlite import SqliteStore
from tests.redis import RedisServer
from tests.redis_cluster import RedisCluster
from tests.server import House

ANN, BOB = b"a" * 16, b"b" * 16
_epochs = count(1)


def new_epoch() -> str:
    return f"e{next(_epochs)}"


def memory(_: Path, **settings: Any) -> MemoryStore:
    return MemoryStore(Settings(**settings), new_epoch)


def sqlite(folder: Path, **settings: Any) -> SqliteStore:
    return SqliteStore(folder / "chat.db", Settings(**settings), new_epoch)


KINDS: dict[str, Callable[..., Store]] = {"memory": memory, "sqlite": sqlite}


def in_redis(server: RedisServer | RedisCluster) -> Callable[..., RedisStore]:
    """A kind more: in this Redis, or cluster, which is emptied first."""
    server.flush()

    def make(_: Path, **settings: Any) -> RedisStore:
        return RedisStore(server.url, Settings(**settings), new_epoch)

    return make


def say(text: str, id: str | None = None, author: bytes = ANN, log: str = "red") -> Draft:
    return Draft(log, author, "ann" if author == ANN else "bob", text, id, 0)


def edit(
    target: int, text: str, id: str | None = None, author: bytes = ANN, log: str = "red"
) -> Draft:
    return Draft(log, author, "ann" if author == ANN else "bob", text, id, target)


def delete(target: int, id: str | None = None, author: bytes = ANN, log: str = "red") -> Draft:
    return edit(target, "", id, author, log)


def stored(outcome: Outcome) -> Stored:
    assert isinstance(outcome, Stored), outcome
    return outcome


def refused(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def keep(store: Store, *drafts: Draft, ts: int = 1) -> list[int]:
    """Append, and give the numbers."""
    return [stored(outcome).seq for outcome in store.append(drafts, ts)]


def said(store: Shared) -> list[News]:
    """The news of what was said, and not of who came or went."""
    return [one for one in store.take_news() if isinstance(one, News)]


def store_of(here: House) -> SqliteStore:
    """The SQLite store of a running server."""
    keeper = here.server.keeper
    assert isinstance(keeper, Threaded)
    store = keeper._store
    assert isinstance(store, SqliteStore)
    return store
