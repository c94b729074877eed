"""An issuer of tokens for tests: keys of every kind, and tokens that are wrong on purpose."""

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from hubbub.access import keys
from hubbub.access.tokens import OneKey, Verifier

SECRET = "correct horse battery staple, twice over"
NOW = 1_800_000_000


def private_key(kind: str, which: int = 0) -> Any:
    """A private key; `which` tells apart several of a kind."""
    return _made(kind, which)


@cache
def _made(kind: str, which: int) -> Any:
    match kind:
        case "RS256":
            return rsa.generate_private_key(65537, 2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "weak":
            return rsa.generate_private_key(65537, 1024)
    return ed25519.Ed25519PrivateKey.generate()


def private_pem(kind: str, which: int = 0, *, password: bytes | None = None) -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else None
    pem: bytes = private_key(kind, which).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        lock or serialization.NoEncryption(),
    )
    return pem


def public_pem(kind: str, which: int = 0) -> bytes:
    pem: bytes = (
        private_key(kind, which)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pem


def key_of(kind: str) -> keys.Key:
    """What the server checks tokens of this kind with."""
    return keys.secret(SECRET) if kind == "HS256" else keys.public(public_pem(kind))


def verifier(kind: str = "HS256", now: float = NOW, **options: Any) -> Verifier:
    return Verifier(OneKey(key_of(kind)), clock=lambda: now, **options)


def token(kind: str = "HS256", which: int = 0, head: Any = None, **claims: Any) -> str:
    """A good token; `head` adds to its header."""
    key = SECRET if kind == "HS256" else private_key(kind, which)
    return jwt.encode({"sub": "ann", **claims}, key, kind, headers=head)


def b64(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def forged(head: dict[str, Any], claims: dict[str, Any] | bytes, secret: bytes | None) -> str:
    """A token put together by hand: no library would sign it."""
    signed = f"{b64(head)}.{b64(claims)}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest() if secret else b""
    return f"{signed}.{b64(signature)}"


def jwk(
    kind: str, kid: str | None, which: int = 0, *, private: bool = False, **more: Any
) -> dict[str, Any]:
    """The public key as an issuer publishes it, or the private one as none should."""
    name = {"RS256": "RS256", "ES256": "ES256", "EdDSA": "EdDSA"}.get(kind, "RS256")
    algorithm = jwt.get_algorithm_by_name(name)
    key = private_key(kind, which)
    found: dict[str, Any] = json.loads(algorithm.to_jwk(key if private else key.public_key()))
    return {**found, **({} if kid is None else {"kid": kid}), **more}
