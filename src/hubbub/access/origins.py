"""Which web pages may connect: the `Origin` of a request (RFC 6454) against what is let in.

A browser sends the page's origin with every WebSocket, and a page cannot change it; so this keeps
foreign pages from speaking in a visitor's name. Programs send none, or what they like.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SAME: Final = "same"
"""What stands for pages of this server's own host."""
_FORM: Final = re.compile(r"[a-z][a-z0-9+.-]*://[\w\[][^\s/?#@*,]*")
_PORTS: Final = {"http": "80", "https": "443"}


class Origins:
    """The origins that are let in: `same`, `*`, and `https://a.example`, `https://*.example`."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._any = "*" in allowed
        self._same = SAME in allowed
        named = [_whole(one) for one in allowed if "://" in one]
        self._listed = frozenset(one for one in named if "*" not in one)
        self._below = tuple(one.split("*") for one in named if "*" in one)

    def allow(self, given: Sequence[str], host: str) -> bool:
        """Whether a request may come in.

        `given` has its `Origin` headers, `host` is what the client calls us (`Host`).
        """
        if self._any or not given:
            return True
        if len(given) > 1:
            return False
        origin = _whole(given[0])
        if not _FORM.fullmatch(origin):
            return False  # `null`, too
        scheme = origin.partition("://")[0]
        if self._same and scheme in _PORTS and origin == _whole(f"{scheme}://{host}"):
            return True
        return origin in self._listed or any(
            origin.startswith(start) and origin.endswith(end) for start, end in self._below
        )


def _whole(origin: str) -> str:
    """An origin in small letters, with its port."""
    scheme, colon, place = origin.strip().lower().partition("://")
    if colon and scheme in _PORTS and not place.rpartition("]")[2].count(":"):
        place = f"{place}:{_PORTS[scheme]}"
    return f"{scheme}{colon}{place}"
