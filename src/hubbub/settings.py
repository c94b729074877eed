"""What a person may set, and what each setting may be.

Laws of this file:

- `Settings` is the one definition. The flags, the `HUBBUB_*` variables, the keys of
  `hubbub.toml` and the page `docs/settings.md` are all made from its fields.
- A `Settings` that exists is valid: making one checks it, without touching a file or a socket.
  Whether a port is free or a certificate can be read shows only when the server starts.
- It imports nothing of ours but `values` and `redis_url`, and nothing beyond the standard library,
  so that who embeds the server does not pay for the command line.
"""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from hubbub.redis_url import REDIS, check_redis, masked
from hubbub.values import SettingError, check_jwks, check_origins, network, shown

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

__all__ = ["STORES", "SettingError", "Settings", "parse_addr"]

T = TypeVar("T")

STORES = ("sqlite", "memory", *REDIS)
"""The kinds of store there are: what may stand before the colon of `Settings.store`."""


def _setting(
    default: T,
    help: str,
    *,
    least: float | None = None,
    above: float | None = None,
    secret: bool = False,
    repr: bool = True,
) -> T:
    """A field with its help text and the range of its numbers.

    `least` is the smallest value allowed, `above` one that every value must exceed. A `secret` is
    shown nowhere, not even where it is wrong; what may have a password in it has no `repr`.
    """
    described: T = field(
        default=default,
        repr=repr and not secret,
        metadata={"help": help, "least": least, "above": above, "secret": secret},
    )
    return described


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; each field's `metadata["help"]` says what it means.

    Sizes are bytes unless a help text says characters (Unicode code points); durations are
    seconds. Making one with a value out of range raises `SettingError`.
    """

    addr: str = _setting(
        "127.0.0.1:3000",
        "Where to listen, HOST:PORT. An IPv6 address stands in brackets ([::1]:3000), no host"
        " (:3000) means all interfaces, and port 0 lets the system choose a free one.",
    )
    workers: int = _setting(
        1,
        "Processes that share the port, each a node of its own with limits of its own. More than"
        " one needs a store in Redis.",
        least=1,
    )
    drain: float = _setting(
        0.0,
        "Seconds that a server takes to stop, so that its clients go to other nodes one after the"
        " other: at first /health alone says draining, then connections are closed (1012), spread"
        " over the rest. 0: all at once (1001).",
        least=0,
    )
    store: str = _setting(
        "sqlite:",
        "Where messages are kept. sqlite:///srv/chat.db keeps them in that file, sqlite:chat.db in"
        " one beside where the server is started, sqlite: in the user's data folder; memory: keeps"
        " the last ones in the server's memory, until it stops. redis://USER:PASSWORD@HOST:6379/0"
        " (rediss:// for TLS, unix:///PATH for a socket, redis+sentinel://HOST,HOST/NAME for"
        " Sentinel, redis+cluster://HOST,HOST for a Redis Cluster, rediss+sentinel:// and"
        " rediss+cluster:// for these over TLS) is for many nodes: see docs/cluster.md."
        " A password is better set in the environment or the file.",
        repr=False,
    )
    sync: Literal["normal", "full"] = _setting(
        "normal",
        "With sqlite: what a message that was seen survives. normal: any end of the server;"
        " full: a power cut, too, for a sync to disk with every batch.",
    )
    keep_days: float = _setting(
        0.0, "With sqlite and redis: days that events are kept. 0: for ever.", least=0
    )
    keep_events: int = _setting(
        0, "With sqlite and redis: events of each room that are kept. 0: all.", least=0
    )
    history: int = _setting(
        50, "How many of the last messages of a room a newcomer is shown.", least=0
    )
    crowd: int = _setting(
        200,
        "Members past which a room is a crowd: joins and leaves are no longer told one by one,"
        " and the roster is sent at most once a second.",
        least=0,
    )
    max_frame: int = _setting(
        65_536, "The longest message that a client may send, in bytes of its JSON.", least=1
    )
    max_text: int = _setting(4_000, "The longest text of a chat message, in characters.", least=1)
    max_reactions: int = _setting(
        50, "How many different emoji people may put on one message.", least=0
    )
    max_name: int = _setting(32, "The longest name of a person, in characters.", least=1)
    max_room: int = _setting(64, "The longest name of a room, in characters.", least=1)
    reserved: str = _setting(
        "admin,moderator,system,hubbub",
        "Names that nobody may take, nor any that looks like one of them, with commas between"
        " them. A comma alone: none.",
    )
    max_connections: int = _setting(
        0,
        "Connections at one time. 0: as many as the limit on open files lets in.",
        least=0,
    )
    max_connections_per_ip: int = _setting(
        0, "Connections at one time from one IP address. 0: no limit.", least=0
    )
    max_rooms_per_connection: int = _setting(
        100, "Rooms that one connection may be in at one time.", least=1
    )
    max_followed: int = _setting(
        100, "Rooms that one connection may hear news of without being in them.", least=1
    )
    news_interval: float = _setting(
        1.0, "Seconds in which the news of followed rooms are gathered into one frame.", above=0
    )
    max_rooms: int = _setting(
        0, "Rooms with someone in them at one time, on this server. 0: no limit.", least=0
    )
    handshake_timeout: float = _setting(
        10.0,
        "Seconds that a client has to send a whole request head, from connecting on, or from"
        " its first byte on where the connection has served a request already.",
        above=0,
    )
    auth: Literal["off", "optional", "required"] = _setting(
        "off",
        "Who gets in. off: everyone, names are free, first come; required: who has a token (JWT);"
        " optional: everyone, and a token proves a name. Needs one of jwt_secret, jwt_key, jwks.",
    )
    jwt_secret: str | None = _setting(
        None,
        "The secret that tokens are signed with (HS256), 32 bytes or more. Better set in the"
        " environment or the file: a flag can be seen in the list of processes.",
        secret=True,
    )
    jwt_key: Path | None = _setting(
        None,
        "The file with the public key that tokens are checked with (PEM): RSA for RS256, ECDSA"
        " on P-256 for ES256, Ed25519 for EdDSA.",
    )
    jwks: str | None = _setting(
        None,
        "The https address where the issuer of tokens publishes its keys (a JWK set). http only"
        " on this machine.",
    )
    jwt_audience: str | None = _setting(
        None, "What a token's aud has to name. Without it a token must have no aud."
    )
    jwt_issuer: str | None = _setting(None, "What a token's iss has to be. Without it: anything.")
    origins: str = _setting(
        "same",
        "Web pages that may connect, with commas between: same (those of the host that the"
        " browser asked for), https://a.example, https://*.example; or * for all.",
    )
    trusted_proxies: str | None = _setting(
        None,
        "Addresses or networks (10.0.0.0/8) of proxies, with commas between, whose"
        " X-Forwarded-For and X-Forwarded-Host are believed.",
    )
    mod_password: str | None = _setting(
        None,
        "The password by which one becomes a moderator of every room, for small hosts. None: only"
        " tokens make moderators.",
        secret=True,
    )
    rate: float = _setting(
        10.0,
        "Messages a second that one connection may send for long; as many joins and leaves, and as"
        " many other frames. What comes faster is refused. 0: no limit, not on bytes either.",
        least=0,
    )
    burst: int = _setting(
        30, "Messages (joins and leaves, other frames) that may come at once after a rest.", least=1
    )
    rate_bytes: int = _setting(
        65_536, "Bytes a second that one connection may send for long. 0: no limit.", least=0
    )
    burst_bytes: int = _setting(262_144, "Bytes that may come at once after a rest.", least=1)
    max_refused: int = _setting(
        100,
        "Refusals for coming too fast, within a minute, after which a connection is closed.",
        least=1,
    )
    ping: float = _setting(
        20.0,
        "Seconds of silence after which a connection is asked whether it still lives.",
        above=0,
    )
    stall_timeout: float = _setting(
        60.0,
        "Seconds after which a reader that takes nothing of what waits for it is sent away, to"
        " come back later. One that takes something, however little, stays.",
        above=0,
    )
    max_pending: int = _setting(
        1_000,
        "Messages that may wait for the store before no more are read from clients for a while.",
        least=1,
    )
    tail_events: int = _setting(
        1_000, "Events of each room that are kept in memory, at most.", least=1
    )
    tail_bytes: int = _setting(
        1_048_576, "Bytes of events of each room that are kept in memory, at most.", least=1
    )
    lease: float = _setting(
        10.0,
        "With redis: seconds after which a node that died is out of all rosters. One that cannot"
        " reach Redis, or stands still, for as long may lose its people's names to others.",
        least=0.5,
    )
    redis_timeout: float = _setting(
        4.0,
        "With redis: seconds that an answer of Redis may take; then it is taken for gone. On all"
        " nodes the same.",
        least=0.5,
    )
    linger: float = _setting(
        300.0, "Seconds that the events of a room are kept in memory when all have left.", least=0
    )
    linger_bytes: int = _setting(
        67_108_864,
        "Bytes of events that are kept in memory for all empty rooms together, at most.",
        least=0,
    )
    tls_cert: Path | None = _setting(
        None, "The file with the TLS certificate chain (PEM). Needs the key, too."
    )
    tls_key: Path | None = _setting(
        None, "The file with the private key of the TLS certificate (PEM)."
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "The least important kind of line that is logged."
    )
    log_format: Literal["console", "json"] = _setting(
        "console", "How log lines look: for people, or one JSON object each."
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            _check_number(one, getattr(self, one.name))
        _check_choice("log_level", self.log_level, ("debug", "info", "warning", "error"))
        _check_choice("log_format", self.log_format, ("console", "json"))
        _check_choice("sync", self.sync, ("normal", "full"))
        _check_choice("auth", self.auth, ("off", "optional", "required"))
        _check_store(self.store)
        kind = self.store.partition(":")[0]
        if self.workers > 1 and kind not in REDIS:
            raise SettingError(
                "workers",
                f"is {self.workers}, and a store of the kind {kind}: is for one process alone",
                "give --store redis://HOST:6379/0 (docs/cluster.md), or 1 worker",
            )
        parse_addr(self.addr)
        if (self.tls_cert is None) != (self.tls_key is None):
            there, missing = (
                ("tls_cert", "tls_key") if self.tls_key is None else ("tls_key", "tls_cert")
            )
            raise SettingError(
                there, f"is given without {missing}", f"give {missing} as well, or neither"
            )
        self._check_keys()
        check_origins(self.origin_list)
        _ = self.proxies

    def _check_keys(self) -> None:
        """One source of keys where tokens are asked for, and each that is given makes sense."""
        if self.jwt_secret is not None and not self.jwt_secret.strip():
            raise SettingError("jwt_secret", "is empty", "give 32 random bytes or more")
        if self.jwks is not None:
            check_jwks(self.jwks)
        if self.auth == "off":
            return
        given = [one for one in ("jwt_secret", "jwt_key", "jwks") if getattr(self, one) is not None]
        if not given:
            raise SettingError(
                "auth",
                f"is {self.auth}, but no key says whose tokens are good",
                "give one of jwt_secret, jwt_key and jwks",
            )
        if len(given) > 1:
            raise SettingError(
                given[1], f"is given beside {given[0]}", "give one of them: tokens have one issuer"
            )

    @property
    def origin_list(self) -> list[str]:
        """`origins` as its parts."""
        return [one.strip() for one in self.origins.split(",")]

    @property
    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """`trusted_proxies` as networks. An address is a network of its own."""
        if self.trusted_proxies is None:
            return []
        return [network(one.strip()) for one in self.trusted_proxies.split(",")]

    @property
    def listen(self) -> tuple[str | None, int]:
        """`addr` as host and port, as `asyncio`'s `create_server` takes them.

        The host has no brackets, and is `None` for all interfaces.
        """
        return parse_addr(self.addr)

    @property
    def reserved_names(self) -> tuple[str, ...]:
        """`reserved` as one name each, trimmed, without the blank ones."""
        return tuple(name for part in self.reserved.split(",") if (name := part.strip()))


def parse_addr(addr: str) -> tuple[str | None, int]:
    """Split HOST:PORT into a host without brackets (`None` for all interfaces) and a port.

    Raises `SettingError` for what is no such address. An IPv6 address needs its brackets, as
    in a URL (RFC 3986 section 3.2.2), because its colons would hide the port's.
    """
    mend = "write HOST:PORT, such as 127.0.0.1:3000, [::1]:3000 or :3000"
    shown_addr = shown(addr)
    host, colon, port = addr.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()):
        raise SettingError("addr", f"is {shown_addr}, which does not end in a port", mend)
    if len(port) > 5 or int(port) > 65_535:
        raise SettingError(
            "addr", f"is {shown_addr}, whose port is above 65535", "give a port from 0 to 65535"
        )
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise SettingError(
                "addr", f"is {shown_addr}, with no IPv6 address in its brackets", mend
            )
    elif ":" in host and _is_ipv6(host):
        raise SettingError(
            "addr",
            f"is {shown_addr}, an IPv6 address without brackets",
            f"write [{host}]:{port}",
        )
    elif not all(c.isalnum() or c in "-._" for c in host):
        raise SettingError("addr", f"is {shown_addr}, whose host is not a name or an address", mend)
    return host or None, int(port)


def _check_number(setting: Field[Any], value: object) -> None:
    name, least, above = setting.name, setting.metadata["least"], setting.metadata["above"]
    if least is None and above is None:
        return
    whole = setting.type == "int"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "a whole number" if whole else "a number"
        raise SettingError(name, f"is {shown(value)}, which is not {kind}", f"give {kind}")
    if not math.isfinite(value):
        raise SettingError(name, f"is {value}, which is not finite", "give a finite number")
    if least is not None and value < least:
        raise SettingError(name, f"is {value}, which is below {least}", f"give {least} or more")
    if above is not None and value <= above:
        raise SettingError(
            name, f"is {value}, which is not above {above}", f"give more than {above}"
        )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingError(
            name,
            f"is {shown(value)}, which it cannot be",
            f"choose one of {', '.join(choices)}",
        )


def _check_store(store: str) -> None:
    kind, colon, rest = store.partition(":")
    there = ", ".join(f"{one}:" for one in STORES)
    if not colon or kind not in STORES:
        raise SettingError(
            "store",
            f"is {shown(masked(store))}, which is no kind of store that there is",
            f"there is {there}",
        )
    if kind == "sqlite" and (rest.startswith("//") and not rest.startswith("///")):
        raise SettingError(
            "store",
            f"is {shown(store)}, which names a host",
            "write sqlite:///path/to/file with three slashes",
        )
    if kind in REDIS:
        check_redis(store)
    if kind == "memory" and rest:
        raise SettingError(
            "store", f"is {shown(store)}, and memory takes nothing more", "write memory:"
        )


def _is_ipv6(text: str) -> bool:
    from ipaddress import IPv6Address  # only here: few give one, and all would pay at the start

    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
