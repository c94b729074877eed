"""Reading logs in Redis, by the functions of `redis_reading.lua`: to any thread."""

from __future__ import annotations

from collections.abc import Sequence

from hubbub.protocol.draft import Authored
from hubbub.store import events
from hubbub.store.base import PAGE_SIZE, Page
from hubbub.store.redis_asking import RedisAsking, all_good
from hubbub.store.redis_draft import identity


class RedisReading(RedisAsking):
    """What a store there has for those who look back."""

    def after(self, name: str, seq: int, count: int) -> Page:
        """See `Store.after`."""
        return Page(*self._one("after", name, seq, count, PAGE_SIZE))

    def before(self, name: str, seq: int, count: int) -> tuple[list[bytes], bool]:
        """See `Store.before`."""
        more, found = self._one("before", name, seq, count)
        return found[1::2][::-1], bool(more)

    def heads(self, names: Sequence[str]) -> list[tuple[int, bytes | None]]:
        """See `Store.heads`."""
        answers = all_good(self._call([("head", name) for name in names]))
        return [(answer[0], answer[1] if len(answer) > 1 else None) for answer in answers]

    def author(self, name: str, seq: int) -> Authored | None:
        """See `Store.author`."""
        found = self._one("author", name, seq)
        if found is None:
            return None
        whose, payload = found
        return events.authored(identity(whose), payload)

    def thread(
        self, name: str, seq: int, before: int, count: int
    ) -> tuple[list[bytes], bool] | None:
        """See `Store.thread`."""
        found = self._one("thread", name, seq, before, count)
        return None if found is None else (found[1:], bool(found[0]))

    def writings(self, name: str, author: bytes, count: int) -> list[int]:
        """See `Store.writings`. Reads the whole log, a piece at a time."""
        found: list[int] = []
        last = 1 << 52
        while last and len(found) < count:
            last, some = self._one("writings", name, author.hex(), last)
            found += some
        return found[:count]
