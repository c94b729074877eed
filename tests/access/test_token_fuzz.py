"""Whatever is done to a token, it grants what was signed, or nothing, and never surprises."""

import base64
import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.access.claims import TokenError, read
from hubbub.access.keys import published
from hubbub.access.tokens import Verifier
from hubbub.chat.grants import Grant
from tests.access.signing import NOW, SECRET, b64, forged, jwk, token, verifier

CLAIMS = {"name": "Ann", "rooms": {"general": "rw", "x*": "r"}, "mod": ["x"], "exp": NOW + 60}
KINDS = ["HS256", "RS256", "ES256", "EdDSA"]
EXAMPLES = settings().max_examples
LETTERS = "ABab01-_.=+/ \n\0é"


def changed(made: str, dice: random.Random) -> str:
    """A token after some accidents."""
    parts = list(made)
    for _ in range(dice.choice((1, 1, 2, 8))):
        place = dice.randrange(len(parts) or 1)
        match dice.randrange(5):
            case 0:
                parts[place : place + 1] = dice.choice(LETTERS)
            case 1:
                parts[place:place] = dice.choice(LETTERS)
            case 2:
                del parts[place : place + dice.choice((1, 1, 5, 50))]
            case 3:
                other = dice.randrange(len(parts) or 1)
                parts[place:place] = parts[other : other + 20]
            case _:
                flipped = bytearray("".join(parts).encode())
                if flipped:
                    flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(7)
                parts = list(flipped.decode(errors="replace"))
    return "".join(parts)


def is_short(problem: TokenError) -> bool:
    """What is told to a client does not grow with what it sent."""
    return len(str(problem)) < 250


def verify_now(checking: Verifier) -> Callable[[str], Grant | None]:
    """The check without a loop: with one key nothing is waited for."""

    def verify(made: str) -> Grant | None:
        try:
            checking.verify(made).send(None)
        except StopIteration as done:
            grant: Grant = done.value
            return grant
        except TokenError as problem:
            return None if is_short(problem) else Grant("a refusal as long as a token")
        raise AssertionError("it waited")

    return verify


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_token_grants_what_was_signed_or_nothing(kind: str) -> None:
    verify = verify_now(verifier(kind))
    made = token(kind, **CLAIMS)  # type: ignore[arg-type]
    signed = verify(made)
    assert signed is not None
    dice = random.Random(kind)
    refused = 0
    for _ in range(150 * EXAMPLES):
        other = changed(made, dice)
        grant = verify(other)
        assert grant in (None, signed), other
        refused += grant is None
    assert refused > 120 * EXAMPLES


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["r", "rw", "ann", "*", "a*", " ", "\u200b", NOW, NOW * 1000])
    | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = ["sub", "name", "rooms", "mod", "exp", "nbf", "iat", "aud", "iss", "other"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
@settings(max_examples=5 * EXAMPLES)
def test_any_claims_are_a_grant_of_their_words_or_a_refusal(claims: dict[str, object]) -> None:
    try:
        grant = read(json.dumps(claims).encode("utf-8", "surrogatepass"), NOW, None, None)
    except TokenError as problem:
        refusal: TokenError = problem
    else:
        granted(grant, claims)
        return
    assert is_short(refusal)


def granted(grant: Grant, claims: dict[str, object]) -> None:
    assert grant.sub == claims["sub"]
    assert grant.rooms == claims.get("rooms")
    assert grant.ends is None or grant.ends > NOW
    mod = claims.get("mod", False)
    assert grant.mod == (tuple(mod) if isinstance(mod, list) else mod)


@given(st.binary(max_size=200))
@settings(max_examples=20 * EXAMPLES)
def test_any_payload_is_a_grant_or_a_refusal(payload: bytes) -> None:
    try:
        read(payload, NOW, None, None)
    except TokenError:
        pass


@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "zip"]), JSON))
@settings(max_examples=5 * EXAMPLES)
def test_any_header_signed_or_not_is_a_grant_or_a_refusal(head: dict[str, object]) -> None:
    verify = verify_now(verifier())
    try:
        made = forged(head, {"sub": "ann"}, SECRET.encode())
    except UnicodeEncodeError:
        return
    assert verify(made) in (None, Grant("ann"))
    verify(f"{b64(head)}.{base64.urlsafe_b64encode(b'{}').decode()}.AAAA")


@given(
    st.sampled_from(["RS256", "ES256", "EdDSA"]),
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops", "d"]),
        JSON | st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB", "sig"]),
    ),
)
@settings(max_examples=5 * EXAMPLES)
def test_any_published_key_is_one_or_is_passed_over(kind: str, odd: dict[str, object]) -> None:
    found = published({**jwk(kind, "k"), **odd})
    assert found is None or found[1].algorithm in ("RS256", "ES256", "EdDSA")
    published(odd)
