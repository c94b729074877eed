"""How Redis is asked, and what is said of it when it fails.

Law: no password is in what is told.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any, Final

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

from hubbub.redis_url import clustered, is_clustered, is_watched, watched
from hubbub.store.base import StoreError
from hubbub.store.redis_cluster import Cluster
from hubbub.store.redis_wire import Asked, Command

Client = Redis | Cluster
PREFIX: Final = "hubbub"
KEYS: Final = ("head", "log", "now", "ids", "old", "ties")
CONNECT: Final = 2.0
"""Seconds that connecting may take."""
ANSWER: Final = 4.0
"""Seconds that an answer may take where no setting says it."""
SENTINEL_ANSWER: Final = 1.0
"""Seconds for each Sentinel; then the next one is asked."""


def connect(url: str, **more: Any) -> Client:
    """A client, without a connection yet. Nothing is tried twice: an append could be kept twice.

    Raises `StoreError` where a file of certificates that the URL names will not do, and where no
    Redis of a cluster answers.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": CONNECT,
        "socket_timeout": ANSWER,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        **more,
    }
    if is_watched(url):
        return _watched(url, options)
    if is_clustered(url):
        return _clustered(url, options)
    if url.startswith("unix:"):
        del options["socket_keepalive"]
    client = Redis.from_url(url, **options)
    if url.startswith("rediss:"):
        _check_files(client.get_connection_kwargs())
    return client


def _watched(url: str, options: dict[str, Any]) -> Redis:
    """A client of the master that the Sentinels of `url` know; each connection asks them anew."""
    place = watched(url)
    if place.tls is not None:
        options |= {"ssl": True, **place.tls}
        _check_files(options)
    user, password = place.sentinel_login
    asking = {
        **{name: value for name, value in options.items() if name != "health_check_interval"},
        "socket_connect_timeout": SENTINEL_ANSWER,
        "socket_timeout": SENTINEL_ANSWER,
        "username": user,
        "password": password,
    }
    sentinel: Any = Sentinel(place.hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    user, password = place.login
    client: Redis = sentinel.master_for(
        place.name, db=place.db, username=user, password=password, **options
    )
    return client


def _clustered(url: str, options: dict[str, Any]) -> Client:
    """A client of all of a Redis Cluster, which has looked at who has what."""
    place = clustered(url)
    if place.tls is not None:
        options |= {"ssl": True, **place.tls}
        _check_files(options)
    user, password = place.login
    try:
        return Cluster(place.hosts, username=user, password=password, **options)
    except RedisClusterException as problem:
        if "Cluster mode is not enabled" in str(problem):
            raise StoreError("this Redis is no cluster, for which one writes redis://") from None
        cause = problem.__cause__
        raise trouble(cause if isinstance(cause, Exception) else problem) from problem
    except (RedisError, OSError) as problem:
        raise trouble(problem) from problem
    except IndexError:  # which is how the client tells it
        raise StoreError("the Redis Cluster has no slots yet") from None


def ask(client: Client, commands: Sequence[Command]) -> list[Any]:
    """Give commands in one write; gives what Redis answers to each, errors among it.

    In a cluster it is one write for each Redis, and that one does not answer is one such error.
    """
    if isinstance(client, Cluster):
        return client.ask(commands)
    return Asked(client.connection_pool, commands).answers()


def tell(client: Client, commands: Sequence[Command]) -> list[Any]:
    """As `ask`, but each answer is what the client's methods give."""
    if isinstance(client, Cluster):
        answers = client.ask(commands)
        return [
            one if isinstance(one, Exception) else client.told(command, one)
            for command, one in zip(commands, answers, strict=True)
        ]
    with client.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]
        return list(pipe.execute(raise_on_error=False))


def each(client: Client) -> list[Redis]:
    """The Redis that keep what is kept: one, or the primaries of a cluster."""
    return client.primaries() if isinstance(client, Cluster) else [client]


def ping(client: Client) -> None:
    """Raises what is wrong with Redis, or with the first of a cluster that does not answer."""
    if not isinstance(client, Cluster):
        client.ping()
        return
    for answer in client.ping_all():
        if isinstance(answer, Exception):
            raise answer


def home(client: Client, key: str) -> str:
    """The name of the Redis that has a key or a channel. Raises `StoreError` if nobody has."""
    return client.home(key) if isinstance(client, Cluster) else ""


def pool(client: Client, name: str) -> ConnectionPool:
    """Connections to the Redis that `home` calls so. Raises `StoreError` if there is none."""
    if not isinstance(client, Cluster):
        return client.connection_pool
    found = client.pool(name)
    if found is None:
        raise StoreError("this Redis is not in the cluster any more")
    return found


def is_known(client: Client, name: str) -> bool:
    """Whether there is a Redis that `home` may call so."""
    return not isinstance(client, Cluster) or client.pool(name) is not None


def compare(client: Client, name: str) -> None:
    """Look whether the Redis called `name` has heard of other places. Raises `RedisError`."""
    if isinstance(client, Cluster):
        client.compare(name)


def look(client: Client) -> None:
    """Look what is where, unless it was just done."""
    if isinstance(client, Cluster):
        client.look()


def changes(client: Client) -> int:
    """How often something else was learned of what is where."""
    return client.changes if isinstance(client, Cluster) else 0


def learn(client: Client, name: str, problem: Exception | None) -> bool:
    """What was wanted of the Redis called `name` is not there, or it failed: look where it is.

    False where that is not known yet, and it should be asked again later.
    """
    if isinstance(client, Cluster):
        return client.learn(name, problem)
    return not isinstance(problem, ResponseError)


def master(client: Client) -> tuple[str, int] | None:
    """Where the master is that Sentinels name now; None where the URL has the place itself.

    Connections to another one are let go: it may still be master for itself, for some seconds, and
    what is kept there is lost. Raises `RedisError` where no Sentinel answers.
    """
    pool = None if isinstance(client, Cluster) else client.connection_pool
    if not isinstance(pool, SentinelConnectionPool):
        return None
    host, port = pool.get_master_address()  # type: ignore[no-untyped-call]
    return str(host), int(port)


def _check_files(options: dict[str, Any]) -> None:
    """The files are looked at when the server starts: later their want would look like a cut."""
    trust = ssl.create_default_context()
    for name, load in (
        ("ssl_ca_certs", trust.load_verify_locations),
        ("ssl_certfile", lambda path: trust.load_cert_chain(path, options.get("ssl_keyfile"))),
    ):
        path = options.get(name)
        if path is not None:
            try:
                load(path)
            except OSError:  # which an SSLError is, too
                raise StoreError(f"the file that {name} names cannot be read as PEM") from None


def worries(client: Client) -> list[str]:
    """What of this Redis' settings a person should know: what it may lose."""
    of_all = dict.fromkeys(line for one in each(client) for line in _worries(one))
    return list(of_all)


def _worries(client: Redis) -> list[str]:
    found = _settings(client)
    lines: list[str] = []
    if found.get("appendonly") == "no":
        lines.append(
            "Redis keeps no log of its own (appendonly no): a restart of it loses messages"
        )
    elif found.get("appendfsync", "always") != "always":
        lines.append(
            f"Redis writes to its disk now and then (appendfsync {found['appendfsync']}): a"
            " crash of its machine may lose the last second, which was seen already"
        )
    policy = found.get("maxmemory-policy", "noeviction")
    if found.get("maxmemory", "0") != "0" and policy != "noeviction":
        lines.append(f"Redis may throw rooms away (maxmemory-policy {policy}); set noeviction")
    return lines


def may_lose(client: Client) -> bool:
    """Whether a restart or a change of the master may lose what was seen."""
    has_others = (
        client.has_replicas
        if isinstance(client, Cluster)
        else isinstance(client.connection_pool, SentinelConnectionPool)
    )
    return has_others or not all(map(_is_safe, each(client)))


def _is_safe(client: Redis) -> bool:
    """Whether its disk has what it has answered."""
    found = _settings(client)
    return found.get("appendonly") == "yes" and found.get("appendfsync") == "always"


def _settings(client: Redis) -> dict[str, str]:
    """What may be known of it: nothing where it is not shown, as by many hosts."""
    try:
        shown = {**client.config_get("maxmemory*"), **client.config_get("append*")}
    except (RedisError, OSError):
        return {}
    return {_text(name): _text(value) for name, value in shown.items()}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def keys(name: str) -> tuple[str, ...]:
    """The keys of a log; the hash tag, its name, puts all in one place of a Redis Cluster."""
    base = f"{PREFIX}:{{{tag(name)}}}:"
    return tuple([base + key for key in KEYS])


def marker_keys(name: str) -> tuple[str, ...]:
    """The keys of a log, and that of how far users have read in it."""
    return (*keys(name), f"{PREFIX}:{{{tag(name)}}}:read")


def read_key(user: bytes) -> str:
    """The key of which logs a user has read, by identity."""
    return f"{PREFIX}:read:{user.hex()}"


def presence_keys(name: str) -> tuple[str, str]:
    """The keys of who is in a room, beside those of its log."""
    base = f"{PREFIX}:{{{tag(name)}}}:"
    return base + "here", base + "moves"


def tag(name: str) -> str:
    """A log's name without what would end a hash tag."""
    if "}" not in name and "%" not in name and "{" not in name:
        return name
    return name.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")


def name_of(tag: str) -> str:
    """The log whose `tag` it is."""
    return tag.replace("%7D", "}").replace("%7B", "{").replace("%25", "%")


def trouble(problem: Exception) -> StoreError:
    """What is told of a failure of Redis, to people in rooms too: so without addresses."""
    if isinstance(problem, BusyLoadingError):
        return StoreError("Redis is still loading its data")
    if isinstance(problem, AuthenticationError):
        return StoreError("Redis does not accept the user and password")
    if isinstance(problem, ReadOnlyError):
        return StoreError("Redis is a replica, which keeps nothing that it is sent")
    if isinstance(problem, TryAgainError | AskError):
        return StoreError("the room is being moved to another Redis")
    if isinstance(problem, ClusterDownError | SlotNotCoveredError):
        return StoreError("the Redis Cluster has nobody for this room now")
    if isinstance(problem, ResponseError):
        return StoreError(f"Redis refuses ({str(problem)[:200]})")
    if isinstance(problem, MasterNotFoundError):
        return StoreError("no Sentinel answers that knows this master")
    if _is_distrusted(problem):
        return StoreError("Redis shows a certificate that is not trusted here")
    return StoreError("Redis does not answer")


def _is_distrusted(problem: BaseException | None) -> bool:
    """Whether a certificate is why there is no connection; the client's error hides it."""
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False
