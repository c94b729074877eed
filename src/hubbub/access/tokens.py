"""From a token to a `Grant`.

PyJWT is loaded only by `verifier`, when tokens are asked for: who runs without them does not need
it, and this file can be imported anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hubbub.access.claims import TokenError, read
from hubbub.chat.grants import Grant
from hubbub.settings import Settings

if TYPE_CHECKING:
    from hubbub.access.keys import Key

__all__ = ["Keys", "KeysError", "TokenError", "Verifier", "verifier"]

INSTALL = "pip install 'hubbub[tokens]'"


class KeysError(Exception):
    """Tokens cannot be checked with these settings. `message` says why, `mend` what to do."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message}; {mend}")
        self.message = message
        self.mend = mend


class Keys(Protocol):
    """Where the keys are."""

    def start(self) -> None:
        """Begin to look after them, on the running loop."""

    async def payload(self, token: str) -> bytes:
        """The payload of a token that one of these keys signed. Raises `TokenError`."""

    async def close(self) -> None:
        """Let go of what `start` began."""


class Verifier:
    """Says whom a token proves. `clock` gives Unix seconds."""

    def __init__(
        self,
        keys: Keys,
        audience: str | None = None,
        issuer: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._clock = clock

    async def verify(self, token: str) -> Grant:
        """The grant that a token is, now. Raises `TokenError`, and nothing else."""
        payload = await self._keys.payload(token)
        return read(payload, self._clock(), self._audience, self._issuer)

    def start(self) -> None:
        """Begin to look after the keys, on the running loop."""
        self._keys.start()

    async def close(self) -> None:
        """Let go of what `start` began."""
        await self._keys.close()


class OneKey:
    """A key that was given, and does not change."""

    def __init__(self, key: Key) -> None:
        from hubbub.access import keys

        self._key = key
        self._payload = keys.payload

    def start(self) -> None:
        """Nothing to look after."""

    async def payload(self, token: str) -> bytes:
        """The payload of a token that the key signed. Raises `TokenError`."""
        return self._payload(token, self._key)

    async def close(self) -> None:
        """Nothing to let go of."""


def verifier(settings: Settings) -> Verifier | None:
    """What checks tokens with these settings; None where `auth` is off. Raises `KeysError`."""
    if settings.auth == "off":
        return None
    try:
        from hubbub.access import keys
    except ImportError:
        raise KeysError("tokens need PyJWT, which is not installed", INSTALL) from None
    source: Keys
    if settings.jwks is not None:
        from hubbub.access.jwks import PublishedKeys

        source = PublishedKeys(settings.jwks)
    elif settings.jwt_secret is not None:
        source = OneKey(secret_of(settings.jwt_secret))
    else:
        assert settings.jwt_key is not None, "Settings has seen to it"
        source = OneKey(key_in(settings.jwt_key, keys.public))
    return Verifier(source, settings.jwt_audience, settings.jwt_issuer)


def secret_of(text: str) -> Key:
    """The key that `jwt_secret` is. Raises `KeysError`."""
    from hubbub.access import keys

    try:
        return keys.secret(text)
    except keys.KeyFileError as problem:
        raise KeysError(f"jwt_secret {problem.what}", problem.mend) from None


def key_in(path: Path, load: Callable[[bytes], Key]) -> Key:
    """The key in a file, as `keys.public` or `keys.private` loads it. Raises `KeysError`."""
    from hubbub.access.keys import KeyFileError

    try:
        return load(path.read_bytes())
    except OSError as problem:
        raise KeysError(
            f"cannot read {path}: {problem.strerror}",
            "see that the file is there and that this user may read it",
        ) from None
    except KeyFileError as problem:
        raise KeysError(f"{path} {problem.what}", problem.mend) from None
