"""How Redis is asked, and what is said of it when it fails.

Law: no password is in what is told.
"""

from __future__ import annotations

from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError
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


def worries(client: Redis) -> list[str]:
    """What of this Redis' settings a person should know: what it may lose."""
    try:
        shown = {**client.config_get("maxmemory*"), **client.config_get("append*")}
    except (RedisError, OSError):
        return []  # where they are not shown, as by many hosts
    found = {_text(name): _text(value) for name, value in shown.items()}
    lines: list[str] = []
    if found.get("appendonly") == "no":
        lines.append(
            "Redis keeps no log of its own (appendonly no): a restart of it loses messages"
        )
    elif found.get("appendfsync") != "always":
        lines.append(
            f"Redis writes to its disk now and then (appendfsync {found.get('appendfsync')}): a"
            " crash of its machine may lose the last second, which was seen already"
        )
    policy = found.get("maxmemory-policy", "noeviction")
    if found.get("maxmemory") != "0" and policy != "noeviction":
        lines.append(f"Redis may throw rooms away (maxmemory-policy {policy}); set noeviction")
    return lines


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def keys(name: str) -> tuple[str, ...]:
    """The keys of a log; the hash tag, its name, puts all in one place of a Redis Cluster."""
    base = f"{PREFIX}:{{{tag(name)}}}:"
    return tuple([base + key for key in KEYS])


def presence_keys(name: str) -> tuple[str, str]:
    """The keys of who is in a room, beside those of its log."""
    base = f"{PREFIX}:{{{tag(name)}}}:"
    return base + "here", base + "moves"


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
