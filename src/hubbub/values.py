"""What the text of a setting may be, where that takes more than a range or a choice.

Like `settings`, it imports nothing beyond the standard library, and what is dear to load only
where it is needed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


class SettingError(ValueError):
    """A setting has a value that it cannot have.

    `name` is the field of `Settings`, `what` goes on from that name ("is -1, which is below 0")
    and `mend` says what to do ("give 0 or more"). `str()` is all three in one line.
    """

    def __init__(self, name: str, what: str, mend: str) -> None:
        super().__init__(f"{name} {what}; {mend}")
        self.name = name
        self.what = what
        self.mend = mend


def check_jwks(url: str) -> None:
    """An address whose answer nobody on the way can change. Raises `SettingError`."""
    from urllib.parse import urlsplit

    mend = "give https://HOST/PATH, or http on this machine alone"
    if "@" in url:
        raise SettingError("jwks", "has a name or password in it, which logs would show", mend)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or not url.isprintable() or " " in url:
        raise SettingError("jwks", f"is {shown(url)}, which is no address", mend)
    here = host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host)
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise SettingError(
            "jwks", f"is {shown(url)}, whose keys anyone on the way could change", mend
        )


def check_origins(origins: list[str]) -> None:
    """`same`, `*` and origins as browsers write them (RFC 6454). Raises `SettingError`."""
    for one in origins:
        if one not in ("same", "*") and not re.fullmatch(
            r"[a-zA-Z][\w+.-]*://(\*\.)?([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", one, re.ASCII
        ):
            raise SettingError(
                "origins",
                f"has {shown(one)}, which is no origin",
                "write same, *, https://chat.example or https://*.example, without a path",
            )


def network(text: str) -> IPv4Network | IPv6Network:
    """An address or a network of a trusted proxy. Raises `SettingError`."""
    from ipaddress import ip_network

    try:
        return ip_network(text)
    except ValueError as problem:
        mend = "write addresses such as 10.0.0.5, or networks such as 10.0.0.0/8"
        if "host bits" in str(problem):
            mend = f"write {ip_network(text, strict=False)}"
        raise SettingError(
            "trusted_proxies", f"has {shown(text)}, which is no address or network", mend
        ) from None


def shown(value: object) -> str:
    """A value as it can stand in a line: quoted, control characters escaped, cut when long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
