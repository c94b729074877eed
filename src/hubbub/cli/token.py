"""`hubbub token`: make a token, to try the server with or for a script.

Where users log in already, their own server makes the tokens; docs/auth.md shows how.
"""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from hubbub.cli.mistakes import UsageError
from hubbub.settings import Settings

_HELP: Final = {one.name: str(one.metadata["help"]) for one in fields(Settings)}
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _own(help: str, **more: Any) -> Parameter:
    """An argument of this command alone, which no variable sets."""
    return Parameter(help=help, show_env_var=False, negative=(), **more)


def token(
    *,
    sub: Annotated[str, _own("The username; what identity is made of.")],
    name: Annotated[str | None, _own("The name that others see, if it is another one.")] = None,
    room: Annotated[
        tuple[str, ...],
        _own(
            "ROOM=r to hear a room or ROOM=rw to speak, too; again for more. None: all, rw.",
            show_default=False,
        ),
    ] = (),
    mod: Annotated[bool, _own("Keeps order in every room.", show_default=False)] = False,
    mod_room: Annotated[
        tuple[str, ...],
        _own("A room (or team-*) to keep order in; again for more.", show_default=False),
    ] = (),
    ttl: Annotated[str, _own("How long it is good for: 30s, 15m, 1h, 7d.")] = "1h",
    key: Annotated[
        Path | None,
        _own("A file with a private key (PEM) to sign with, for a server that has --jwt-key."),
    ] = None,
    jwt_secret: Annotated[str | None, Parameter(help=_HELP["jwt_secret"])] = None,
    jwt_audience: Annotated[str | None, Parameter(help=_HELP["jwt_audience"])] = None,
    jwt_issuer: Annotated[str | None, Parameter(help=_HELP["jwt_issuer"])] = None,
    config: Annotated[Path | None, Parameter(help="The TOML file with settings.")] = None,
) -> int:
    """Print a token for a user, signed with the server's --jwt-secret or with --key.

    --jwt-secret, --jwt-audience and --jwt-issuer are found where hubbub serve finds them.
    """
    del config  # read already, by hubbub.cli.sources
    settings = Settings(jwt_secret=jwt_secret, jwt_audience=jwt_audience, jwt_issuer=jwt_issuer)
    now = int(time.time())
    claims: dict[str, object] = {"sub": sub, "iat": now, "exp": now + _seconds(ttl)}
    if name is not None:
        claims["name"] = name
    if room:
        claims["rooms"] = dict(map(_room, room))
    if mod and mod_room:
        raise UsageError("--mod is given beside --mod-room", "give one: --mod means every room")
    if mod or mod_room:
        claims["mod"] = mod or mod_room
    if settings.jwt_audience is not None:
        claims["aud"] = settings.jwt_audience
    if settings.jwt_issuer is not None:
        claims["iss"] = settings.jwt_issuer
    print(_signed(claims, settings, key, now))
    return 0


def _signed(claims: dict[str, object], settings: Settings, file: Path | None, now: float) -> str:
    import msgspec

    from hubbub.access.claims import TokenError, read
    from hubbub.access.tokens import INSTALL, KeysError, key_in, secret_of

    payload = msgspec.json.encode(claims)
    try:
        read(payload, now, settings.jwt_audience, settings.jwt_issuer)
    except TokenError as problem:
        raise UsageError(
            f"no server would take this token: {problem}", "change what you gave"
        ) from None
    if file is None and settings.jwt_secret is None:
        raise UsageError(
            "there is nothing to sign with", "give HUBBUB_JWT_SECRET, --jwt-secret or --key FILE"
        )
    try:
        from hubbub.access import keys
    except ImportError:
        raise UsageError("tokens need PyJWT, which is not installed", INSTALL) from None
    try:
        if file is not None:
            return keys.sign(payload, key_in(file, keys.private))
        assert settings.jwt_secret is not None
        return keys.sign(payload, secret_of(settings.jwt_secret))
    except KeysError as problem:
        raise UsageError(problem.message, problem.mend) from None


def _seconds(text: str) -> int:
    unit, count = _UNITS.get(text[-1:]), text[:-1]
    if unit is None or not (count.isascii() and count.isdigit()) or not 0 < int(count) < 10**6:
        raise UsageError(
            f"--ttl is {text!r}, which is no length of time", "write it as 30s, 15m, 1h or 7d"
        )
    return int(count) * unit


def _room(text: str) -> tuple[str, str]:
    name, given, right = text.rpartition("=")
    if not given or right not in ("r", "rw"):
        raise UsageError(
            f"--room is {text!r}, which gives no right", "write ROOM=r or ROOM=rw, as general=rw"
        )
    return name, right
