"""A session's secret, and the identity that it proves."""

import hashlib
import secrets


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
