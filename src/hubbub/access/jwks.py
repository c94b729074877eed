"""Keys that an issuer publishes at an address (a JWK set, RFC 7517), fetched and kept.

Laws: whatever clients send, the address is asked at most once in `again` seconds; an answer that
is late, large, elsewhere or no key set changes nothing, and the keys we have stay; a key that the
issuer has withdrawn is gone within `age` seconds of its answering.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog

from hubbub.access.claims import TokenError
from hubbub.access.keys import Key, header, payload, published

AGAIN: Final = 10.0
"""Seconds between two requests, at least."""
AGE: Final = 600.0
"""Seconds after which the keys are fetched anew, asked for or not."""
TIMEOUT: Final = 5.0
"""Seconds that a request may take."""
SIZE: Final = 262_144
"""Bytes that a key set may have."""


class PublishedKeys:
    """The keys at `url`."""

    def __init__(
        self, url: str, *, again: float = AGAIN, age: float = AGE, timeout: float = TIMEOUT
    ) -> None:
        self._url = url
        self._again = again
        self._age = age
        self._timeout = timeout
        self._keys: list[tuple[str | None, Key]] | None = None
        """What was fetched last; None: nothing yet."""
        self._fetch: asyncio.Task[None] | None = None
        self._asked: float | None = None
        """When the last request began, by the loop's clock."""
        self._care: asyncio.Task[None] | None = None
        self._log = structlog.get_logger()

    def start(self) -> None:
        """Fetch the keys, now and again."""
        self._care = asyncio.create_task(self._keep_fresh())

    async def close(self) -> None:
        """Stop fetching."""
        for task in (self._care, self._fetch):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def payload(self, token: str) -> bytes:
        """The payload of a token that a published key signed. Raises `TokenError`."""
        said = header(token)
        kid, algorithm = said.get("kid"), said.get("alg")
        key = self._find(kid, algorithm)
        if key is None:
            await self._refresh()
            key = self._find(kid, algorithm)
        if key is not None:
            return payload(token, key)
        if self._keys is None:
            raise TokenError(
                "keys_unavailable", "the keys to check tokens with cannot be fetched; try later"
            )
        raise TokenError("bad_token", "the token is signed by none of the published keys (kid)")

    def _find(self, kid: object, algorithm: object) -> Key | None:
        """The key that a token means: by its `kid`; without one, the only key of its kind."""
        fitting = [
            key
            for name, key in self._keys or ()
            if key.algorithm == algorithm and (kid is None or name == kid)
        ]
        return fitting[0] if len(fitting) == 1 else None

    async def _keep_fresh(self) -> None:
        while True:
            await self._refresh()
            await asyncio.sleep(self._again if self._keys is None else self._age)

    async def _refresh(self) -> None:
        """Ask anew if it may be, or wait for what is asked already."""
        if self._fetch is None:
            now = asyncio.get_running_loop().time()
            if self._asked is not None and now - self._asked < self._again:
                return
            self._asked = now
            self._fetch = asyncio.create_task(self._ask())
        # One client that goes must not end it for those who wait with it.
        await asyncio.shield(self._fetch)

    async def _ask(self) -> None:
        try:
            self._keys = _parse(await self._read())
            self._log.debug("keys fetched", host=urlsplit(self._url).netloc, keys=len(self._keys))
        except Exception as problem:  # whatever it is, those who wait go on with what we have
            reason = str(problem) or type(problem).__name__
            self._log.warning(
                "keys cannot be fetched", host=urlsplit(self._url).netloc, reason=reason
            )
        finally:
            self._fetch = None

    async def _read(self) -> bytes:
        timeout = aiohttp.ClientTimeout(total=self._timeout)
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(self._url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise ValueError(f"the answer is {answer.status}, not 200")
            body = bytearray()
            async for piece in answer.content.iter_chunked(SIZE):
                body += piece
                if len(body) > SIZE:
                    raise ValueError(f"the answer is larger than {SIZE} bytes")
            return bytes(body)


def _parse(body: bytes) -> list[tuple[str | None, Key]]:
    """The keys of a set that are of use. Raises `ValueError` where there is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("the answer is not JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError("the answer is not a JWK set")
    keys = [key for one in listed[:100] if (key := published(one)) is not None]
    if not keys:
        raise ValueError("the answer has no key for RS256, ES256 or EdDSA")
    return keys
