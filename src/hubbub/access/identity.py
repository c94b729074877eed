"""A session's secret, and the identity that it proves."""

import hashlib
import hmac
import secrets
from collections.abc import Callable


def new_secret() -> str:
    """A secret that nobody can guess: 128 random bits, as 22 characters of URL-safe base64."""
    return secrets.token_urlsafe(16)


def new_epoch() -> str:
    """A name for a log that no other log has: 64 random bits."""
    return secrets.token_hex(8)


def identify(secret: str) -> bytes:
    """The identity behind a secret. The server keeps only this, so it cannot give one away.

    A plain hash is enough: what it hides is random, not a password.
    """
    return hashlib.blake2b(secret.encode(), digest_size=16).digest()


def identify_user(sub: str) -> bytes:
    """The identity of a user that a token names: apart from all sessions' identities."""
    return hashlib.blake2b(sub.encode(), digest_size=16, person=b"hubbub user").digest()


class Proofs:
    """How people prove who they are. `mod_password`: the moderators', None if there is none."""

    def __init__(self, mod_password: str | None = None) -> None:
        self.new_secret = new_secret
        self.identify = identify
        self.identify_user = identify_user
        self.is_password: Callable[[str], bool] | None = None
        if mod_password:
            wanted = _blurred(mod_password)
            self.is_password = lambda given: hmac.compare_digest(_blurred(given), wanted)


def _blurred(password: str) -> bytes:
    """A password at a fixed length, so that comparing does not tell how long it is."""
    return hashlib.blake2b(password.encode(errors="surrogatepass")).digest()
