"""How Redis is asked, and what is said of it when it fails.

Law: no password is in what is told.
"""

from __future__ import annotations

from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, ResponseError
from redis.retry import Retry

from hubbub.store.base import StoreError

PREFIX: Final = "hubbub"
KEYS: Final = ("head", "log", "now", "ids", "old")
HINTS: Final = "hubbub:hints"
"""The channel on which it is said that a log has grown: by which node, epoch, `seq`, name."""
CONNECT: Final = 2.0
"""Seconds that connecting may take."""
ANSWER: Final = 4.0
"""Seconds that an answer may take; then Redis is taken for gone."""


def connect(url: str, **more: Any) -> Redis:
    """A client, without a connection yet. Nothing is tried twice: an append could be kept twice."""
    options: dict[str, Any] = {
        "socket_connect_timeout": CONNECT,
        "socket_timeout": ANSWER,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        **more,
    }
    if url.startswith("unix:"):
        del options["socket_keepalive"]
    return Redis.from_url(url, **options)


def keys(name: str) -> tuple[str, ...]:
    """The keys of a log; the hash tag, its name, puts all in one place of a Redis Cluster."""
    base = f"{PREFIX}:{{{tag(name)}}}:"
    return tuple([base + key for key in KEYS])


def tag(name: str) -> str:
    """A log's name without what would end a hash tag."""
    if "}" not in name and "%" not in name and "{" not in name:
        return name
    return name.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")


def trouble(problem: Exception) -> StoreError:
    """What is told of a failure of Redis, to people in rooms too: so without addresses."""
    if isinstance(problem, BusyLoadingError):
        return StoreError("Redis is still loading its data")
    if isinstance(problem, AuthenticationError):
        return StoreError("Redis does not accept the user and password")
    if isinstance(problem, ResponseError):
        return StoreError(f"Redis refuses ({str(problem)[:200]})")
    return StoreError("Redis does not answer")
