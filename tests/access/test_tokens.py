"""A token proves what its issuer signed, by the one algorithm of the key, and nothing else."""

from typing import Any

import jwt
import pytest

from hubbub.access import keys
from hubbub.access.tokens import TokenError
from hubbub.chat.grants import Grant
from tests.access.signing import (
    NOW,
    SECRET,
    b64,
    forged,
    key_of,
    private_key,
    private_pem,
    public_pem,
    token,
    verifier,
)

KINDS = ["HS256", "RS256", "ES256", "EdDSA"]


async def refused(made: str, kind: str = "HS256", **options: Any) -> TokenError:
    with pytest.raises(TokenError) as problem:
        await verifier(kind, **options).verify(made)
    assert 10 < len(str(problem.value)) < 200
    return problem.value


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_of_the_key_is_its_grant(kind: str) -> None:
    made = token(
        kind,
        name="Ann B.",
        rooms={"general": "rw", "news": "r", "team-*": "rw"},
        mod=["general"],
        exp=NOW + 60,
    )
    assert await verifier(kind).verify(made) == Grant(
        sub="ann",
        name="Ann B.",
        rooms={"general": "rw", "news": "r", "team-*": "rw"},
        mod=("general",),
        ends=NOW + 60,
    )


async def test_a_token_that_says_little_grants_all_rooms_for_ever() -> None:
    assert await verifier().verify(token()) == Grant("ann")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
async def test_a_key_is_used_with_its_own_algorithm_alone(kind: str, other: str) -> None:
    if kind == other:
        made = token(kind, which=1) if kind != "HS256" else forged({"alg": kind}, {}, b"other")
        assert "signature" in str(await refused(made, kind))
    else:
        assert "algorithm" in str(await refused(token(other), kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("none", ["none", "None", "NONE", "", None])
async def test_an_unsigned_token_proves_nothing(kind: str, none: str | None) -> None:
    for end in ("", "AAAA"):
        made = forged({"alg": none}, {"sub": "ann"}, None) + end
        assert (await refused(made, kind)).code == "bad_token"


@pytest.mark.parametrize("kind", ["RS256", "ES256", "EdDSA"])
async def test_the_public_key_is_no_secret_to_sign_with(kind: str) -> None:
    pem = public_pem(kind)
    for secret in (pem, pem.strip(), pem.replace(b"\n", b"")):
        for algorithm in ("HS256", kind):
            made = forged({"alg": algorithm, "typ": "JWT"}, {"sub": "ann"}, secret)
            assert (await refused(made, kind)).code == "bad_token"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "RS512", "PS256", "ES384", "ES256K"])
async def test_other_algorithms_are_not_taken_even_with_a_good_key(algorithm: str) -> None:
    kind = {"H": "HS256", "R": "RS256", "P": "RS256", "E": "ES256"}[algorithm[0]]
    made = f"{b64({'alg': algorithm})}.{b64({'sub': 'ann'})}.{b64(b'x' * 64)}"
    assert "algorithm" in str(await refused(made, kind))


@pytest.mark.parametrize(
    "made",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "a b.c.d",
        "é.é.é",
        "a.b.c\n",
        f"{b64(b'[]')}.e30.AAAA",
        f"{b64(b'{')}.e30.AAAA",
        f"{b64(b'[' * 5000)}.e30.AAAA",
        "x" * 9000,
    ],
)
async def test_what_is_no_token_is_told_so(made: str) -> None:
    assert (await refused(made)).code == "bad_token"


async def test_a_token_has_a_length_that_fits_into_a_request() -> None:
    longest = token(other="x" * 5_900)
    assert 7_900 < len(longest) <= 8_000
    assert (await verifier().verify(longest)).sub == "ann"
    assert "longer" in str(await refused(token(other="x" * 6_000)))


async def test_extensions_that_must_be_understood_are_refused() -> None:
    for head in (
        {"alg": "HS256", "crit": ["exp2"], "exp2": 1},
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "b64": False},
        {"alg": "HS256", "crit": []},
    ):
        assert (await refused(forged(head, {"sub": "ann"}, SECRET.encode()))).code == "bad_token"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": NOW + 1}, None),
        ({"exp": NOW + 0.5}, None),
        ({"exp": NOW}, "token_expired"),
        ({"exp": NOW - 1}, "token_expired"),
        ({"exp": 0}, "token_expired"),
        ({"nbf": NOW + 30}, None),
        ({"nbf": NOW + 31}, "token_not_yet_valid"),
        ({"iat": NOW + 30}, None),
        ({"iat": NOW + 31}, "token_not_yet_valid"),
        ({"iat": NOW - 10**8}, None),
        ({"exp": NOW - 1, "nbf": NOW + 99}, "token_expired"),
        ({"exp": (NOW + 60) * 1000}, "bad_token"),
        ({"exp": -1}, "bad_token"),
        ({"exp": True}, "bad_token"),
        ({"exp": str(NOW + 60)}, "bad_token"),
        ({"exp": None}, "bad_token"),
        ({"exp": 10**40}, "bad_token"),
        ({"nbf": []}, "bad_token"),
        ({"iat": "now"}, "bad_token"),
    ],
)
async def test_a_token_is_good_for_its_time_with_leeway_for_its_beginning_alone(
    claims: dict[str, Any], code: str | None
) -> None:
    made = forged({"alg": "HS256"}, {"sub": "ann", **claims}, SECRET.encode())
    if code is None:
        assert (await verifier().verify(made)).ends == claims.get("exp")
    else:
        assert (await refused(made)).code == code


@pytest.mark.parametrize(
    ("audience", "given", "fits"),
    [
        (None, {}, True),
        (None, {"aud": "hubbub"}, False),
        ("hubbub", {}, False),
        ("hubbub", {"aud": "hubbub"}, True),
        ("hubbub", {"aud": ["x", "hubbub"]}, True),
        ("hubbub", {"aud": ["x"]}, False),
        ("hubbub", {"aud": "hub"}, False),
        ("hubbub", {"aud": "hubbubs"}, False),
        ("hubbub", {"aud": {"hubbub": 1}}, False),
        ("hubbub", {"aud": None}, False),
    ],
)
async def test_a_token_for_others_is_not_for_us(
    audience: str | None, given: dict[str, Any], fits: bool
) -> None:
    made = forged({"alg": "HS256"}, {"sub": "ann", **given}, SECRET.encode())
    if fits:
        await verifier(audience=audience).verify(made)
    else:
        assert "aud" in str(await refused(made, audience=audience))


async def test_only_the_named_issuer_is_believed() -> None:
    await verifier(issuer="https://a").verify(token(iss="https://a"))
    await verifier().verify(token(iss="https://a"))
    for made in (token(), token(iss="https://b"), token(iss="https://a/")):
        assert "iss" in str(await refused(made, issuer="https://a"))


@pytest.mark.parametrize("kind", ["RS256", "ES256", "EdDSA"])
def test_a_private_key_file_signs_what_its_public_one_checks(kind: str) -> None:
    made = keys.sign(b'{"sub":"ann"}', keys.private(private_pem(kind)))
    assert keys.payload(made, key_of(kind)) == b'{"sub":"ann"}'
    assert jwt.decode(made, private_key(kind).public_key(), [kind]) == {"sub": "ann"}


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        (lambda: private_pem("RS256"), "private key"),
        (lambda: public_pem("weak"), "1024 bits"),
        (lambda: public_pem("P-384"), "kind that is not taken"),
        (lambda: b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key"),
        (lambda: b"secret", "no public key"),
        (lambda: b"", "no public key"),
    ],
)
def test_a_key_that_will_not_do_is_refused_at_the_start(pem: Any, told: str) -> None:
    with pytest.raises(keys.KeyFileError, match=told):
        keys.public(pem())


def test_a_public_key_is_no_secret() -> None:
    with pytest.raises(keys.KeyFileError, match="no secret"):
        keys.secret(public_pem("RS256").decode())


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_does_not_show_itself(kind: str) -> None:
    assert repr(key_of(kind)) == f"Key(algorithm='{kind}')"
