"""Who is let in: the one place where a request is looked at, for `/ws` and for the API.

Laws: what is cheap to see is looked at first, a signature last; what could have changed while
keys were fetched is looked at again; a token's text goes no further than this.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from aiohttp import web

from hubbub.access.addresses import Proxies, counted
from hubbub.access.origins import Origins
from hubbub.access.tokens import TokenError, Verifier
from hubbub.chat.grants import Grant
from hubbub.http.credentials import token_of
from hubbub.http.refusals import RefusedError
from hubbub.settings import Settings


class Visitor(NamedTuple):
    """Who asks: where from, and as whom. Without a grant: a guest."""

    remote: str
    grant: Grant | None


class Admission:
    """Looks at requests, and counts who is inside. `is_open` is False while stopping."""

    def __init__(self, settings: Settings, places: int, verifier: Verifier | None) -> None:
        self.is_open = True
        self.is_draining = False
        """It stops, and those who are inside are sent away one after the other."""
        self.inside = 0
        """Connections at the moment."""
        self.auth = settings.auth
        self._places = places
        self._places_per_ip = settings.max_connections_per_ip
        self._by_ip: Counter[str] = Counter()
        self._origins = Origins(settings.origin_list)
        self._proxies = Proxies(settings.proxies)
        self._verifier = verifier

    async def admit(self, request: web.Request) -> Visitor:
        """Whoever may connect. Raises `RefusedError`."""
        if not self._origins.allow(request.headers.getall("Origin", ()), self._host(request)):
            raise RefusedError("forbidden_origin", "web pages of this origin may not connect here")
        remote = self.remote(request)
        self._find_place(remote)
        grant = await self.bearer(request)
        self._find_place(remote)
        return Visitor(remote, grant)

    async def bearer(self, request: web.Request) -> Grant | None:
        """Whom the request's token proves; None for a guest. Raises `RefusedError`."""
        if self._verifier is None:
            return None
        token = token_of(request)
        if token is None:
            if self.auth == "required":
                raise RefusedError("unauthorized", "a token is needed here, and none was sent")
            return None
        try:
            return await self._verifier.verify(token)
        except TokenError as problem:
            raise RefusedError.of(problem) from None

    def remote(self, request: web.Request) -> str:
        """The client's address, as far as it can be known."""
        forwarded = request.headers.getall("X-Forwarded-For", ())
        return self._proxies.client(request.remote or "", forwarded)

    def enter(self, remote: str) -> None:
        """Count a connection; to be called in the turn in which it was admitted."""
        self.inside += 1
        if self._places_per_ip:
            self._by_ip[counted(remote)] += 1

    def leave(self, remote: str) -> None:
        """Count it no more."""
        self.inside -= 1
        if self._places_per_ip:
            who = counted(remote)
            self._by_ip[who] -= 1
            if not self._by_ip[who]:
                del self._by_ip[who]

    def _find_place(self, remote: str) -> None:
        if not self.is_open:
            raise RefusedError("stopping", "the server is stopping; come back soon")
        if self.inside >= self._places:
            raise RefusedError("full", "the server is full; come back soon")
        if self._places_per_ip and self._by_ip[counted(remote)] >= self._places_per_ip:
            raise RefusedError(
                "too_many_connections",
                f"{self._places_per_ip} connections from your address are open already",
            )

    def _host(self, request: web.Request) -> str:
        """What the browser calls us."""
        forwarded = request.headers.get("X-Forwarded-Host")
        if forwarded is not None and self._proxies.trust(request.remote or ""):
            return forwarded.partition(",")[0].strip()
        return request.headers.get("Host", "")
