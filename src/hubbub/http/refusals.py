"""What is refused at the door, and how: each code with its status, once and for all.

A code, once published, keeps its meaning for ever; its message may be reworded. `docs/auth.md`
shows this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from aiohttp import web

from hubbub.access.tokens import TokenError
from hubbub.http.answers import refuse

Code = Literal[
    "upgrade_required",
    "bad_request",
    "forbidden_origin",
    "unauthorized",
    "bad_token",
    "token_expired",
    "token_not_yet_valid",
    "keys_unavailable",
    "too_many_connections",
    "full",
    "stopping",
]

REFUSALS: Final[dict[Code, tuple[int, str, str]]] = {
    "upgrade_required": (
        426,
        "`/ws` was asked without an upgrade to WebSocket version 13.",
        "Connect with a WebSocket client.",
    ),
    "bad_request": (
        400,
        "The request breaks HTTP or RFC 6455, or a parameter is wrong; the message says where.",
        "Stop: the client has a fault.",
    ),
    "forbidden_origin": (
        403,
        "The web page comes from a host that is not let in (`--origins`).",
        "Stop. Add the page's origin to `--origins`, if it is yours.",
    ),
    "unauthorized": (401, "A token is needed, and none was sent.", "Log in, and send one."),
    "bad_token": (
        401,
        "The token proves nothing here: its signature, form, audience, issuer or a claim is wrong, "
        "or two different ones were sent. The message says which.",
        "Stop, and say so.",
    ),
    "token_expired": (401, "The token was good until a moment ago or longer.", "Get a new one."),
    "token_not_yet_valid": (
        401,
        "The token's `nbf` or `iat` is more than 30 seconds ahead of the server's clock.",
        "See to the clocks; try later.",
    ),
    "keys_unavailable": (
        503,
        "The issuer's keys (`--jwks`) could not be fetched so far.",
        "Come back after `Retry-After` seconds.",
    ),
    "too_many_connections": (
        429,
        "Your address has as many connections as it may (`--max-connections-per-ip`).",
        "Close one, or come back after `Retry-After` seconds.",
    ),
    "full": (
        503,
        "The server has as many connections as it may (`--max-connections`).",
        "Come back after `Retry-After` seconds.",
    ),
    "stopping": (
        503,
        "The server is stopping or restarting.",
        "Come back after `Retry-After` seconds.",
    ),
}
"""Each code: its HTTP status, what happened, what a client does."""

RETRY: Final = 5
"""Seconds after which a client may ask again, where waiting helps."""


class RefusedError(Exception):
    """A request that is not served. `code` is stable, `str()` is for a person."""

    def __init__(self, code: Code, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code: Code = code
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, problem: TokenError) -> RefusedError:
        """The refusal of a token."""
        return cls(problem.code, str(problem))

    def answer(self) -> web.Response:
        """As HTTP."""
        status = REFUSALS[self.code][0]
        headers = dict(self.headers)
        if status in (429, 503):
            headers["Retry-After"] = str(RETRY)
        if status == 401:  # RFC 6750 section 3
            what = "" if self.code == "unauthorized" else ', error="invalid_token"'
            headers["WWW-Authenticate"] = f'Bearer realm="hubbub"{what}'
        return refuse(status, self.code, str(self), headers)
