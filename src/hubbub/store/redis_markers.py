"""How far users have read, in Redis: the part of a store there that nothing else of it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hubbub.protocol.markers import Mark, Unread
from hubbub.store import hints, redis_client
from hubbub.store.base import StoreError
from hubbub.store.redis_asking import RedisAsking, all_good


class RedisMarkers(RedisAsking):
    """Keeps and counts what is read, by the functions of `redis_markers.lua`."""

    node: str

    def mark(self, marks: Sequence[Mark]) -> list[int | None]:
        """See `Store.mark`. The other nodes are told by a hint."""
        answers = self._ask([("mark", one.log, (one.user.hex(), one.seq)) for one in marks])
        said: list[tuple[str | bytes | int, ...]] = []
        for one, answer in zip(marks, answers, strict=True):
            if answer is not None and not isinstance(answer, StoreError):
                # Each time, so that it is mended by the next one where it failed.
                said.append(("SADD", redis_client.read_key(one.user), one.log))
                if answer[1]:
                    said.append(hints.marked(self.node, one.log, one.name, one.seq))
        if said:
            self.tell(*said)
        return [answer and answer[0] for answer in all_good(answers)]

    def read_by(self, user: bytes) -> list[str]:
        """See `Store.read_by`."""
        (found,) = self.tell(("SMEMBERS", redis_client.read_key(user)))
        return [name.decode() for name in found]

    def unread(self, user: bytes, names: Sequence[str], most: int) -> list[Unread | None]:
        """See `Store.unread`. Of a long log it asks a piece at a time."""
        found: list[Unread | None] = [None] * len(names)
        wanted = [(place, 1 << 52) for place in range(len(names))]
        while wanted:
            asked = [
                ("unread", names[place], (user.hex(), last, most - _count(found[place])))
                for place, last in wanted
            ]
            on: list[tuple[int, int]] = []
            for (place, _), answer in zip(wanted, all_good(self._ask(asked)), strict=True):
                if answer is None:
                    continue
                read, last, count, calling = answer
                before = found[place]
                if before is not None:
                    count, calling = before.count + count, [*before.calling, *calling]
                found[place] = Unread(read, count, calling)
                if last:
                    on.append((place, last))
            wanted = on
        return found

    def _ask(self, calls: Sequence[tuple[str, str, tuple[Any, ...]]]) -> list[Any]:
        return self.call(
            [(function, redis_client.marker_keys(name), more) for function, name, more in calls]
        )


def _count(found: Unread | None) -> int:
    return found.count if found is not None else 0
