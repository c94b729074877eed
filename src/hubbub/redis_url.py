"""What names a Redis in `--store`: an address of its own, Sentinels that know it, or a cluster.

Laws: no password is in what is told; nothing but the standard library is imported, and what is
dear to load only where it is needed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from hubbub.values import SettingError, shown

if TYPE_CHECKING:
    from urllib.parse import SplitResult

SENTINEL: Final = "redis+sentinel"
SENTINEL_TLS: Final = "rediss+sentinel"
CLUSTER: Final = "redis+cluster"
CLUSTER_TLS: Final = "rediss+cluster"
REDIS: Final[tuple[str, ...]] = (
    *("redis", "rediss", "unix"),
    *(SENTINEL, SENTINEL_TLS, CLUSTER, CLUSTER_TLS),
)
"""The schemes of a store in Redis: plain, over TLS, through a socket file; found by Sentinel, and a
Redis Cluster, each of which is asked over TLS, too, if it is the second."""

_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_LOGIN: Final = ("sentinel_username", "sentinel_password")
OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "redis": (),
    "rediss": _FILES,
    "unix": ("db",),
    SENTINEL: _LOGIN,
    SENTINEL_TLS: (*_LOGIN, *_FILES),
    CLUSTER: (),
    CLUSTER_TLS: _FILES,
}
"""What may stand behind the `?` of each."""

_MEND: Final = "write redis://USER:PASSWORD@HOST:6379/0, rediss:// for TLS, or unix:///PATH"
_MEND_SENTINEL: Final = "write redis+sentinel://USER:PASSWORD@HOST:26379,HOST:26379/NAME/0"
_MEND_CLUSTER: Final = "write redis+cluster://USER:PASSWORD@HOST:6379,HOST:6379"


class Watched(NamedTuple):
    """A Redis that Sentinels at `hosts` know by `name`; both pairs are user and password.

    `tls` has the files of certificates where all are asked over TLS, else it is None.
    """

    hosts: list[tuple[str, int]]
    name: str
    db: int
    login: tuple[str | None, str | None]
    sentinel_login: tuple[str | None, str | None]
    tls: dict[str, str] | None = None


class Clustered(NamedTuple):
    """A Redis Cluster, of which some are at `hosts`; user and password are the same for all.

    `tls` has the files of certificates where all are asked over TLS, else it is None.
    """

    hosts: list[tuple[str, int]]
    login: tuple[str | None, str | None]
    tls: dict[str, str] | None = None


def is_clustered(url: str) -> bool:
    """Whether it is a Redis Cluster."""
    return url.partition(":")[0] in {CLUSTER, CLUSTER_TLS}


def is_watched(url: str) -> bool:
    """Whether Sentinels are asked where the Redis is."""
    return url.partition(":")[0] in {SENTINEL, SENTINEL_TLS}


def check_redis(url: str) -> None:
    """Where a Redis is. Raises `SettingError`, which never has the password in it."""
    from urllib.parse import urlsplit

    if is_watched(url):
        watched(url)
        return
    if is_clustered(url):
        clustered(url)
        return
    told = shown(masked(url))
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SettingError("store", f"is {told}, which is no address", _MEND) from None
    if not url.isprintable() or " " in url or not url.startswith(f"{parts.scheme}://"):
        raise SettingError("store", f"is {told}, which is no address", _MEND)
    options = _options(parts, told)
    if parts.scheme == "unix":
        if len(parts.path) < 2 or (parts.netloc and "@" not in parts.netloc):
            raise SettingError("store", f"is {told}, which names no socket file", _MEND)
        if not re.fullmatch(r"\d{1,5}", options.get("db", "0"), re.ASCII):
            raise SettingError("store", f"is {told}, whose database is no number", _MEND)
        return
    if not host:
        raise SettingError("store", f"is {told}, which names no host", _MEND)
    if not re.fullmatch(r"/?\d{0,5}", parts.path, re.ASCII):
        raise SettingError("store", f"is {told}, whose database is no number", _MEND)


def watched(url: str) -> Watched:
    """What a place that Sentinels know says of them.

    Raises `SettingError`, without a password in it.
    """
    from urllib.parse import unquote, urlsplit

    told = shown(masked(url))
    # The hosts are many, which only this scheme allows: so they are not asked for as one.
    parts = urlsplit(url)
    options = _options(parts, told)
    found = re.fullmatch(r"/([^/]+)(?:/(\d{1,5})?)?", parts.path, re.ASCII)
    if found is None or not url.isprintable() or " " in url:
        raise SettingError(
            "store", f"is {told}, which names no master of Sentinels", _MEND_SENTINEL
        )
    places = _places(parts, 26379)
    if not places:
        raise SettingError("store", f"is {told}, whose Sentinels are no hosts", _MEND_SENTINEL)
    return Watched(
        places,
        unquote(found[1]),
        int(found[2] or 0),
        _login_in(parts),
        (options.get("sentinel_username"), options.get("sentinel_password")),
        _files_in(options) if parts.scheme == SENTINEL_TLS else None,
    )


def clustered(url: str) -> Clustered:
    """What the address of a Redis Cluster says of it.

    Raises `SettingError`, without a password in it.
    """
    from urllib.parse import urlsplit

    told = shown(masked(url))
    parts = urlsplit(url)
    options = _options(parts, told)
    if parts.path not in {"", "/", "/0"}:
        raise SettingError("store", f"is {told}, but a cluster has one database", _MEND_CLUSTER)
    places = _places(parts, 6379)
    if not places or not url.isprintable() or " " in url:
        raise SettingError("store", f"is {told}, which names no hosts", _MEND_CLUSTER)
    is_tls = parts.scheme == CLUSTER_TLS
    return Clustered(places, _login_in(parts), _files_in(options) if is_tls else None)


def _login_in(parts: SplitResult) -> tuple[str | None, str | None]:
    from urllib.parse import unquote

    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return unquote(user) or None, unquote(password) or None


def _places(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    """The hosts between commas, which few schemes allow; none where one of them is no host."""
    from urllib.parse import urlsplit

    try:
        hosts = parts.netloc.rpartition("@")[2].split(",")
        found = [urlsplit(f"//{host}") for host in hosts]
        places = [(host.hostname or "", host.port or port) for host in found]
    except ValueError:
        return []
    return places if all(host for host, _ in places) else []


def _files_in(options: dict[str, str]) -> dict[str, str]:
    return {name: options[name] for name in _FILES if name in options}


def masked(url: str) -> str:
    """An address without the passwords that are in it."""
    url = re.sub(r"^([\w+]+:/*[^:/?@]*:).*@", r"\1***@", url)
    return re.sub(r"(password=)[^&]*", r"\1***", url)


def _options(parts: SplitResult, told: str) -> dict[str, str]:
    """What stands behind the `?`, once each."""
    from urllib.parse import parse_qsl

    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    allowed = OPTIONS[parts.scheme]
    for name in options:
        if name not in allowed:
            there = f"there is {', '.join(allowed)}" if allowed else "leave it away"
            raise SettingError(
                "store", f"is {told}, where ?{shown(name)[1:-1]} means nothing", there
            )
    return options
