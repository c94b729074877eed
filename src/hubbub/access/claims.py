"""What a token says, read into a `Grant`: the claims of RFC 7519 section 4, and ours.

Laws: this file sees only payloads whose signature has been checked, and has no clock; a claim that
is there must be right, so a slip of the issuer's refuses the token and never widens it. What is
said of a claim to its bearer names the claim and what it may be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, cast

import msgspec

from hubbub.chat.grants import Grant, Right
from hubbub.chat.names import BadNameError, clean

TokenCode = Literal["bad_token", "token_expired", "token_not_yet_valid", "keys_unavailable"]

LEEWAY: Final = 30.0
"""Seconds by which an issuer's clock may be ahead of ours (`nbf`, `iat`; none for `exp`)."""
LONGEST: Final = 128
"""Characters that `sub` and `name` may have."""
LATEST: Final = 100_000_000_000
"""Times past this (the year 5138) are milliseconds by mistake, and would make a token eternal."""


class TokenError(Exception):
    """A token that is not let in: a stable `code`, and `str()` for a person."""

    def __init__(self, code: TokenCode, message: str) -> None:
        super().__init__(message)
        self.code: TokenCode = code


def read(payload: bytes, now: float, audience: str | None, issuer: str | None) -> Grant:
    """The grant that a verified payload is, at the Unix time `now`.

    `audience` and `issuer` are what `aud` has to name and `iss` has to be; a token that is for an
    audience while none is set is not for us (RFC 7519 section 4.1.3). Raises `TokenError`.
    """
    try:
        claims = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise _bad("the token's payload is not a JSON object")
    ends = _time(claims, "exp")
    if ends is not None and ends <= now:
        raise TokenError("token_expired", "the token has expired; get a new one")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and begins > now + LEEWAY:
            raise TokenError("token_not_yet_valid", f"the token is valid only later ({name})")
    _check_audience(claims, audience)
    if issuer is not None and claims.get("iss") != issuer:
        raise _bad("the token is from another issuer (iss)")
    return Grant(
        sub=_sub(claims),
        name=_name(claims),
        rooms=_rooms(claims),
        mod=_mod(claims),
        ends=ends,
    )


def _bad(message: str) -> TokenError:
    return TokenError("bad_token", message)


def _time(claims: dict[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"{name} must be a number: seconds since 1970")
    if not 0 <= value < LATEST:
        raise _bad(f"{name} must be in seconds since 1970, not in milliseconds")
    return float(value)


def _check_audience(claims: dict[str, Any], wanted: str | None) -> None:
    if "aud" not in claims:
        if wanted is not None:
            raise _bad("the token names no audience (aud), and this server asks for one")
        return
    named = claims["aud"]
    if wanted is None or not (named == wanted or (isinstance(named, list) and wanted in named)):
        raise _bad("the token is for another audience (aud)")


def _sub(claims: dict[str, Any]) -> str:
    value = claims.get("sub")
    if not isinstance(value, str):
        raise _bad("sub must be there, as text: it is the username")
    # Not cleaned but refused: two users of the issuer must never become one here.
    if _cleaned("sub", value) != value:
        raise _bad("sub must be in composed form (NFC), without spaces around it")
    return value


def _name(claims: dict[str, Any]) -> str | None:
    if "name" not in claims:
        return None
    value = claims["name"]
    if not isinstance(value, str):
        raise _bad("name must be text: the name that others see")
    return _cleaned("name", value)


def _cleaned(claim: str, value: str) -> str:
    try:
        return clean(value, claim, LONGEST)
    except BadNameError as problem:
        said = f"{claim} must not be empty" if problem.code == "empty_name" else str(problem)
        raise _bad(said) from None


def _rooms(claims: dict[str, Any]) -> dict[str, Right] | None:
    if "rooms" not in claims:
        return None
    value = claims["rooms"]
    if not isinstance(value, dict):
        raise _bad('rooms must be an object, such as {"general":"rw","news":"r","team-*":"rw"}')
    _check_patterns("rooms", value)
    for room, right in value.items():
        if right not in ("r", "rw"):
            raise _bad(f'rooms gives {_shown(room)} something else than "r" or "rw"')
    return cast("dict[str, Right]", value)


def _mod(claims: dict[str, Any]) -> bool | tuple[str, ...]:
    value = claims.get("mod", False)
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        raise _bad("mod must be true, or a list of rooms")
    _check_patterns("mod", value)
    return tuple(value)


def _check_patterns(claim: str, patterns: Iterable[object]) -> None:
    """Each is a room's name as rooms are called, or the beginning of some and a `*`."""
    for one in patterns:
        if not isinstance(one, str):
            raise _bad(f"{claim} must name rooms by text")
        start = one.removesuffix("*")
        if "*" in start:
            raise _bad(f"{claim} has {_shown(one)}; a * may stand only at the end")
        # The beginning of a name may end in a space, a name may not.
        whole = f"{start}x" if one.endswith("*") else start
        try:
            plain = clean(whole, f"a room in {claim}", 256) == whole
        except BadNameError as problem:
            if problem.code == "empty_name":
                raise _bad(f"{claim} has a room without a name") from None
            raise _bad(str(problem)) from None
        if not plain:
            raise _bad(
                f"{claim} has {_shown(one)}, which no room can be called:"
                " write it in composed form (NFC), without spaces around it"
            )


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 64 else f"{text[:61]}...")
