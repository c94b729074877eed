"""Keys that tokens are signed with, and the look at a signature (RFC 7515), by PyJWT.

Laws: a key knows the one algorithm that it is used with, by its kind, and what a token says of
itself cannot change that; `none` is no algorithm; nothing here shows a key. Only what needs PyJWT
imports this file, which comes with the extra `tokens`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import HMACAlgorithm

from hubbub.access.claims import TokenError

Algorithm = Literal["HS256", "RS256", "ES256", "EdDSA"]

LONGEST: Final = 8000
"""Characters that a token may have: what fits into a header and into a request line."""
SHORTEST_RSA: Final = 2048
"""Bits (RFC 7518 section 3.3)."""
_FORM: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class KeyFileError(Exception):
    """What was to be a key is none that will do. `what` goes on from its name, `mend` says more."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the algorithm that it is for."""

    algorithm: Algorithm
    value: Any = field(repr=False)


class _Hmac(HMACAlgorithm):
    def check_key_length(self, key: bytes) -> None:  # the start speaks of short secrets, once
        return None


def _reader() -> jwt.PyJWS:
    jws = jwt.PyJWS(algorithms=["RS256", "ES256", "EdDSA"])
    jws.register_algorithm("HS256", _Hmac(HMACAlgorithm.SHA256))
    return jws


_JWS: Final = _reader()


def header(token: str) -> dict[str, Any]:
    """What a token says of its signature; nothing of it is proved. Raises `TokenError`."""
    if len(token) > LONGEST:
        raise TokenError("bad_token", f"the token is longer than {LONGEST} characters")
    if not _FORM.fullmatch(token):
        raise TokenError("bad_token", "the token is not a signed JWT (three parts with dots)")
    try:
        return _JWS.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenError("bad_token", "the token's header cannot be read") from None


def payload(token: str, key: Key) -> bytes:
    """The payload of a token that this key signed. Raises `TokenError`."""
    said = header(token).get("alg")
    if said != key.algorithm:
        raise TokenError(
            "bad_token", f"the token is signed by another algorithm than {key.algorithm} (alg)"
        )
    try:
        signed = _JWS.decode_complete(token, key.value, algorithms=[key.algorithm])["payload"]
    except jwt.InvalidSignatureError:
        raise TokenError("bad_token", "the token's signature is not by this server's key") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenError("bad_token", "the token cannot be read") from None
    assert isinstance(signed, bytes)
    return signed


def sign(claims: bytes, key: Key) -> str:
    """A token with these claims (a JSON object). The key is a secret or a private key."""
    return _JWS.encode(claims, key.value, algorithm=key.algorithm)


def secret(text: str) -> Key:
    """A key of HS256. Raises `KeyFileError` for what is a key of another kind."""
    try:
        return Key("HS256", _Hmac(HMACAlgorithm.SHA256).prepare_key(text.encode()))
    except jwt.InvalidKeyError:
        raise KeyFileError(
            "is a public key or certificate, which is no secret", "give its file as jwt_key"
        ) from None


def public(pem: bytes) -> Key:
    """The public key in a PEM file. Raises `KeyFileError`."""
    if b"PRIVATE KEY-----" in pem:
        raise KeyFileError(
            "is a private key, which only who makes tokens should have",
            "give the public one: openssl pkey -in FILE -pubout",
        )
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            "is no public key in PEM",
            "give a file that begins with -----BEGIN PUBLIC KEY-----",
        ) from None
    return Key(_algorithm(key), key)


def private(pem: bytes) -> Key:
    """The private key in a PEM file, to sign with. Raises `KeyFileError`."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise KeyFileError(
            "is locked by a password", "give one without: openssl pkey -in FILE"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            "is no private key in PEM",
            "make one: openssl genpkey -algorithm ed25519 -out FILE",
        ) from None
    return Key(_algorithm(key), key)


def published(jwk: object) -> tuple[str | None, Key] | None:
    """A key of a JWK set (RFC 7517) with its `kid`; None if it is not one to check tokens with."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("kty") not in ("RSA", "EC", "OKP") or "d" in jwk:
        return None  # a secret, or a private key, that anyone could fetch proves nothing
    kid, said = jwk.get("kid"), jwk.get("alg")
    if not isinstance(kid, str | None):
        return None
    try:
        wanted = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[jwk["kty"]]
        value = jwt.PyJWK(jwk, wanted).key
        key = Key(_algorithm(value), value)
    except Exception:  # whatever is odd about one key, the others are of use
        return None
    return (kid, key) if said in (None, key.algorithm) else None


def _algorithm(key: object) -> Algorithm:
    match key:
        case rsa.RSAPublicKey() | rsa.RSAPrivateKey():
            if key.key_size < SHORTEST_RSA:
                raise KeyFileError(
                    f"is an RSA key of {key.key_size} bits, which is too weak",
                    f"make one of {SHORTEST_RSA} bits or more",
                )
            return "RS256"
        case ec.EllipticCurvePublicKey() | ec.EllipticCurvePrivateKey() if isinstance(
            key.curve, ec.SECP256R1
        ):
            return "ES256"
        case ed25519.Ed25519PublicKey() | ed25519.Ed25519PrivateKey():
            return "EdDSA"
    raise KeyFileError("is of a kind that is not taken", "give RSA, ECDSA on P-256 or Ed25519")
