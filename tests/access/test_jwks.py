"""Published keys: rotated, asked for with restraint, and kept when their address is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from hubbub.access import jwks
from hubbub.access.jwks import PublishedKeys
from hubbub.access.tokens import TokenError, Verifier
from tests.access.signing import NOW, SECRET, b64, forged, jwk, public_pem, token
from tests.server import PATIENCE, unlogged


class Issuer:
    """Publishes `keys`, or does what `answer` says; counts how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [jwk("RS256", "one")]
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self._publish
        self.asked = 0
        self.heard: asyncio.Queue[None] = asyncio.Queue()
        self.url = ""

    async def _publish(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"keys": self.keys})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.heard.put_nowait(None)
        return await self.answer(request)

    def says(self, **response: Any) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(**response)

        self.answer = answer


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    unlogged()
    here = Issuer()
    app = web.Application()
    app.router.add_get("/jwks", here.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    yield here
    await runner.cleanup()


@asynccontextmanager
async def checking(issuer: Issuer, **options: Any) -> AsyncIterator[Verifier]:
    """A verifier that asks only when a token needs it, unless it is started."""
    verifier = Verifier(PublishedKeys(issuer.url, **options), clock=lambda: NOW)
    try:
        async with asyncio.timeout(PATIENCE):
            yield verifier
    finally:
        await verifier.close()


def signed(kid: str | None, kind: str = "RS256", which: int = 0) -> str:
    return token(kind, which, head=None if kid is None else {"kid": kid})


async def code(verifier: Verifier, made: str) -> str:
    with pytest.raises(TokenError) as problem:
        await verifier.verify(made)
    return problem.value.code


async def test_a_token_of_a_published_key_is_taken_and_the_address_asked_once(
    issuer: Issuer,
) -> None:
    issuer.keys = [jwk("RS256", "r"), jwk("ES256", "e", alg="ES256"), jwk("EdDSA", "d", use="sig")]
    async with checking(issuer) as verifier:
        for _ in range(3):
            for kid, kind in (("r", "RS256"), ("e", "ES256"), ("d", "EdDSA")):
                assert (await verifier.verify(signed(kid, kind))).sub == "ann"
                assert (await verifier.verify(signed(None, kind))).sub == "ann"
    assert issuer.asked == 1


async def test_a_started_one_has_the_keys_before_the_first_token(issuer: Issuer) -> None:
    async with checking(issuer) as verifier:
        verifier.start()
        await issuer.heard.get()
        await verifier.verify(signed("one"))
        assert issuer.asked == 1


async def test_a_new_key_is_fetched_when_a_token_names_it(issuer: Issuer) -> None:
    async with checking(issuer, again=0) as verifier:
        await verifier.verify(signed("one"))
        issuer.keys = [jwk("RS256", "one"), jwk("RS256", "two", which=1)]
        assert (await verifier.verify(signed("two", which=1))).sub == "ann"
        assert issuer.asked == 2
        await verifier.verify(signed("one"))
        assert issuer.asked == 2


async def test_a_withdrawn_key_is_forgotten_within_its_age(issuer: Issuer) -> None:
    async with checking(issuer, again=0, age=0.01) as verifier:
        verifier.start()
        await verifier.verify(signed("one"))
        issuer.keys = [jwk("RS256", "two", which=1)]
        for _ in range(issuer.heard.qsize() + 2):
            await issuer.heard.get()
        assert await code(verifier, signed("one")) == "bad_token"


async def test_a_storm_of_unknown_keys_asks_once(issuer: Issuer) -> None:
    async with checking(issuer) as verifier:
        await verifier.verify(signed("one"))
        codes = await asyncio.gather(
            *(code(verifier, signed(f"k{number}")) for number in range(200))
        )
        assert set(codes) == {"bad_token"}
        assert issuer.asked == 1  # the first token's request was a moment ago


async def test_those_who_wait_for_keys_wait_for_one_request(issuer: Issuer) -> None:
    gate = asyncio.Event()
    publish = issuer.answer

    async def answer(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return await publish(request)

    issuer.answer = answer
    async with checking(issuer, again=0) as verifier:
        waiting = [asyncio.create_task(verifier.verify(signed("one"))) for _ in range(50)]
        await issuer.heard.get()
        waiting[0].cancel()
        gate.set()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert {grant.sub for grant in done[1:] if not isinstance(grant, BaseException)} == {"ann"}
        assert len(done) == 50
        assert issuer.asked == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 500},
        {"status": 302, "headers": {"Location": "/jwks"}},
        {"body": json.dumps({"keys": [jwk("RS256", "two")], "x": "x" * jwks.SIZE}).encode()},
        {"body": b"<html>"},
        {"body": b"[" * 10_000},
        {"body": b"{}"},
        {"body": b'{"keys":{}}'},
        {"body": b'{"keys":[]}'},
        {"body": b'{"keys":[1,null,{},{"kty":"RSA"},{"kty":"EC","crv":"P-256","x":"","y":""}]}'},
    ],
)
async def test_an_answer_that_is_no_key_set_changes_nothing(
    issuer: Issuer, wrong: dict[str, Any]
) -> None:
    publish = issuer.answer
    issuer.says(**wrong)
    async with checking(issuer, again=0) as verifier:
        assert await code(verifier, signed("one")) == "keys_unavailable"
        issuer.answer = publish
        await verifier.verify(signed("one"))
        issuer.says(**wrong)
        asked = issuer.asked
        assert await code(verifier, signed("two")) == "bad_token"
        assert issuer.asked == asked + 1
        await verifier.verify(signed("one"))


async def test_an_answer_that_does_not_end_is_given_up(issuer: Issuer) -> None:
    async def forever(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    issuer.answer = forever
    async with checking(issuer, timeout=0.1) as verifier:
        assert await code(verifier, signed("one")) == "keys_unavailable"


async def test_an_address_that_is_away_is_not_asked_by_every_token(issuer: Issuer) -> None:
    issuer.says(status=503)
    async with checking(issuer) as verifier:
        for _ in range(20):
            assert await code(verifier, signed("one")) == "keys_unavailable"
        assert issuer.asked == 1
    gone = Issuer()
    gone.url = "http://127.0.0.1:1/jwks"
    async with checking(gone) as verifier:
        assert await code(verifier, signed("one")) == "keys_unavailable"


async def test_keys_that_prove_nothing_are_passed_over(issuer: Issuer) -> None:
    issuer.keys = [
        {"kty": "oct", "kid": "secret", "k": b64(SECRET.encode())},
        jwk("EdDSA", "private", private=True),
        jwk("RS256", "encrypts", use="enc"),
        jwk("RS256", "other", alg="PS256"),
        jwk("weak", "weak"),
        jwk("RS256", "one"),
    ]
    async with checking(issuer) as verifier:
        await verifier.verify(signed("one"))
        for kid, kind in (
            ("secret", "HS256"),
            ("private", "EdDSA"),
            ("encrypts", "RS256"),
            ("other", "RS256"),
        ):
            assert await code(verifier, signed(kid, kind)) == "bad_token"


async def test_a_published_key_is_not_taken_for_a_secret_or_another_kind(issuer: Issuer) -> None:
    issuer.keys = [jwk("RS256", "one"), jwk("ES256", "two")]
    async with checking(issuer) as verifier:
        for secret in (public_pem("RS256"), issuer.keys[0]["n"].encode()):
            for algorithm in ("HS256", "RS256", "ES256", "none"):
                made = forged({"alg": algorithm, "kid": "one"}, {"sub": "ann"}, secret)
                assert await code(verifier, made) == "bad_token"
        assert await code(verifier, signed("one", "ES256")) == "bad_token"
        assert await code(verifier, signed("two", "RS256")) == "bad_token"
        odd: tuple[object, ...] = (7, None, [], {})
        for kid in odd:
            head = {"alg": "RS256", "kid": kid}
            made = f"{b64(head)}.{b64({'sub': 'ann'})}.{b64(b'x')}"
            assert await code(verifier, made) == "bad_token"


async def test_a_token_without_kid_needs_a_single_key_of_its_kind(issuer: Issuer) -> None:
    issuer.keys = [jwk("RS256", "one"), jwk("RS256", "two", which=1), jwk("ES256", None)]
    async with checking(issuer) as verifier:
        assert await code(verifier, signed(None)) == "bad_token"
        await verifier.verify(signed(None, "ES256"))
