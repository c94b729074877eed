"""What the server answers over HTTP beside files: JSON, and errors that say what to do."""

from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web

ALWAYS: Final = {
    "Server": "Hubbub",  # and not which versions of what
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer."""
SECURITY: Final = {
    **ALWAYS,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; manifest-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every answer that can be a page of its own. `{sockets}` is this host's WebSocket
address, which older browsers do not count among `'self'`."""
PARTS: Final = {"text/javascript", "text/css"}
"""What is only ever a part of a page, and obeys the page's policy."""


def answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON answer, not to be cached."""
    response = web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    if headers is not None:
        response.headers.update(headers)
    return response


def refuse(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An error as JSON: a stable `code`, and a `message` for a person."""
    return answer({"error": {"code": code, "message": message}}, status, headers)


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on an answer (a signal of aiohttp's)."""
    harden_headers(response, request.host)


def harden_headers(response: web.StreamResponse, host: str) -> None:
    """Put the security headers on the answer to a client that calls us `host`."""
    # What a client calls us goes into a header only if it can be nothing but a host and a port.
    plain = host and all(char.isalnum() or char in ".-:[]" for char in host) and host.isascii()
    sockets = f" ws://{host} wss://{host}" if plain else ""
    for name, value in (ALWAYS if response.content_type in PARTS else SECURITY).items():
        if name not in response.headers or name == "Server":
            response.headers[name] = value.replace("{sockets}", sockets)
