"""Where a request carries its token: in the address, a header, or among the subprotocols.

A browser's WebSocket can set neither headers nor a body; it can choose subprotocols (RFC 6455
section 1.9), which, other than addresses, do not end up in the logs of proxies.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from hubbub.http.refusals import RefusedError

SUBPROTOCOL: Final = "hubbub"
_BEARER: Final = "bearer."


def token_of(request: web.Request) -> str | None:
    """The token of a request; None if it has none. Raises `RefusedError` for different ones."""
    found = set(request.query.getall("token", ()))
    for value in request.headers.getall("Authorization", ()):
        scheme, _, rest = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            found.add(rest.strip())
    found.update(
        offered.removeprefix(_BEARER)
        for offered in _offered(request)
        if offered.startswith(_BEARER)
    )
    if len(found) > 1:
        raise RefusedError("bad_token", "different tokens were sent; send one, in one way")
    return found.pop() if found else None


def subprotocol(request: web.Request) -> str | None:
    """The subprotocol to answer with: ours, if it is offered."""
    return SUBPROTOCOL if SUBPROTOCOL in _offered(request) else None


def _offered(request: web.Request) -> list[str]:
    values = request.headers.getall("Sec-WebSocket-Protocol", ())
    return [one.strip() for value in values for one in value.split(",")]
