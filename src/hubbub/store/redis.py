"""`redis:`: the logs of all rooms in Redis or Valkey, for many nodes at once.

Laws: whatever a log goes through happens in Redis, in one function (`redis_functions.lua`), so its
order is the same for every node; of an open log a node is told every event once and in order,
whoever appended it: its own by `append`, the others' by the news that come before those.

What was sent to a Redis that then did not answer may be kept or not: it is told as not kept, comes
as news if it was, and is known by its `id` when it is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from secrets import token_hex
from typing import Any, Final, Protocol, cast

import msgspec
from msgspec.structs import replace

from hubbub.protocol.audit import AUDIT
from hubbub.protocol.draft import Draft
from hubbub.protocol.presence import Changes, Snapshot
from hubbub.redis_url import is_clustered
from hubbub.store import events, hints, redis_client
from hubbub.store.base import (
    Ears,
    Foreign,
    Heard,
    News,
    Opened,
    Outcome,
    Refused,
    Stored,
    StoreError,
    unavailable,
)
from hubbub.store.hints import Hints
from hubbub.store.redis_draft import Ask, pairs
from hubbub.store.redis_markers import RedisMarkers
from hubbub.store.redis_presence import RedisPresence
from hubbub.store.redis_reading import RedisReading

MOST: Final = 500
"""Events that come at once as news."""
DAY: Final = 86_400_000

_pack = msgspec.msgpack.Encoder().encode


class Bounds(Protocol):
    """How long it is kept; `hubbub.settings.Settings` is one such."""

    @property
    def keep_days(self) -> float: ...
    @property
    def keep_events(self) -> int: ...
    @property
    def lease(self) -> float: ...
    @property
    def redis_timeout(self) -> float: ...


class _Place:
    """How far this node has come in an open log; events up to `floor` are gone.

    `mark` is that of the event there: which it is, of all that may ever have its number.
    """

    __slots__ = ("epoch", "floor", "mark", "seq")

    def __init__(self, epoch: str, seq: int, floor: int, mark: bytes) -> None:
        self.epoch = epoch
        self.seq = seq
        self.floor = floor
        self.mark = mark


class RedisStore(RedisReading, RedisMarkers):
    """A `Shared` store in the Redis at `url`. Raises `StoreError` if that does not answer."""

    is_untidy: Final = False

    def __init__(self, url: str, bounds: Bounds, new_epoch: Callable[[], str]) -> None:
        self.node = token_hex(8)
        """Which of the nodes this is, in hints."""
        self.url = url
        super().__init__(redis_client.connect(url, socket_timeout=bounds.redis_timeout))
        self._new_epoch = new_epoch
        self._keep_events = bounds.keep_events
        self._keep_time = int(bounds.keep_days * DAY)
        self._places: dict[str, _Place] = {}
        self._news: list[Heard] = []
        self.presence = RedisPresence(self, bounds.lease, self._news_of, self._follow_logs)
        self._hints = Hints(self._redis, self.node, self.master)
        self.load()
        self._is_careful = redis_client.may_lose(self._redis)
        self._is_spread = is_clustered(url)

    def worries(self) -> list[str]:
        """What of this Redis' settings a person should know."""
        return redis_client.worries(self._redis)

    # Writing

    def append(self, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        """See `Store.append`: one call for each log, and one round trip for all of them."""
        if self._is_spread and any(draft.follows for draft in drafts):
            return self._append_in_turn(drafts, ts)
        by_log: dict[str, list[int]] = {}
        for number, draft in enumerate(drafts):
            by_log.setdefault(draft.log, []).append(number)
        asked = {name: [Ask(drafts[number]) for number in by_log[name]] for name in by_log}
        outcomes: list[Outcome | None] = [None] * len(drafts)
        wanted = list(by_log)
        order: bytes | None = None
        if any(draft.follows for draft in drafts):  # then all of it is one call
            place = {name: number for number, name in enumerate(by_log, 1)}
            order = _pack([(place[draft.log], draft.follows) for draft in drafts])
        problem: StoreError | None = None
        kept = 0
        while wanted:
            behind: list[str] = []
            for name, answer in zip(wanted, self._appends(wanted, asked, order, ts), strict=True):
                failure = answer if isinstance(answer, StoreError) else None
                if failure is None and answer[3] is None:  # too far behind to be told in one go
                    failure = self._try_to_catch_up(name)
                    if failure is None:
                        behind.append(name)
                        continue
                if failure is not None:
                    problem = failure
                    for number in by_log[name]:
                        outcomes[number] = Refused("storage_unavailable", unavailable(failure))
                    continue
                kept += 1
                self._appended(name, answer)
                for number, ask, came in zip(by_log[name], asked[name], answer[5], strict=True):
                    outcomes[number] = ask.outcome(came, answer[4])
            wanted = behind
        if problem is not None and not kept:
            raise problem
        return cast("list[Outcome]", outcomes)

    def _append_in_turn(self, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        """A cluster keeps logs in several Redis: there what follows is a call of its own.

        Between the two a Redis, or this process, can fail; then what leads is kept alone. It ends
        where a log would be asked a second time.
        """
        outcomes: list[Outcome] = []
        is_led = True
        used: set[str] = set()
        for follows, some in groupby(drafts, key=lambda draft: draft.follows):
            group = [replace(draft, follows=False) for draft in some]
            if follows and not is_led:
                outcomes += [events.UNLED] * len(group)
                continue
            logs = {draft.log for draft in group}
            if not used.isdisjoint(logs):
                break  # others' words would be told before ours of the first time
            used |= logs
            try:
                outcomes += self.append(group, ts)
            except StoreError as problem:
                if not outcomes:
                    raise
                outcomes += [Refused("storage_unavailable", unavailable(problem))] * len(group)
            last = outcomes[-1]
            if not follows:
                is_led = isinstance(last, Stored) and last.fresh
        return outcomes

    def _appends(
        self, names: list[str], asked: dict[str, list[Ask]], order: bytes | None, ts: int
    ) -> list[Any]:
        requests = [self._request(name, asked[name], ts) for name in names]
        try:
            if order is not None:
                return self._one("append_all", names, order, *requests)  # type: ignore[no-any-return]
            return self._call(
                [("append", name, request) for name, request in zip(names, requests, strict=True)]
            )
        except StoreError as problem:
            return [problem] * len(names)

    def _try_to_catch_up(self, name: str) -> StoreError | None:
        try:
            self._catch_up(name)
        except StoreError as problem:
            return problem
        return None

    def _request(self, name: str, asks: list[Ask], ts: int) -> bytes:
        place = self._places.get(name)
        is_own = name.startswith(" ")  # the server's own logs are kept for ever
        return _pack(
            (
                self.node,
                place.epoch if place is not None else "",
                place.seq if place is not None else -1,
                self._new_epoch(),
                ts,
                MOST,
                0 if is_own else self._keep_events,
                0 if is_own else self._keep_time,
                [ask.packed for ask in asks],
                place.mark.decode() if place is not None else "",
                token_hex(4),
                self._is_careful,
            )
        )

    def _appended(self, name: str, answer: list[Any]) -> None:
        epoch, floor, seen, missed, _, results, mark = answer
        place = self._places.get(name)
        if place is None:
            return
        self._heard(name, place, epoch.decode(), floor, seen, missed)
        place.mark = mark
        fresh = [one if isinstance(one, int) else one[0] for one in results if _is_fresh(one)]
        if fresh:
            place.seq = fresh[-1]

    # What others said

    def _news_of(self, presence: Changes | Snapshot) -> None:
        self._news.append(presence)

    def take_news(self) -> list[Heard]:
        """See `Shared.take_news`."""
        news, self._news = self._news, []
        return news

    def is_news(self, name: str, epoch: str, seq: int) -> bool:
        """See `Shared.is_news`."""
        place = self._places.get(name)
        return place is not None and (seq > place.seq or epoch != place.epoch)

    def follow(self, name: str, epoch: str, seq: int) -> None:
        """See `Shared.follow`."""
        if self.is_news(name, epoch, seq):
            self._catch_up(name)

    def follow_these(self, names: Sequence[str]) -> None:
        """See `Shared.follow_these`."""
        failed: StoreError | None = None
        try:
            self._follow_logs(names)
        except StoreError as problem:
            failed = problem
        self.presence.follow_these(names)
        if failed is not None:
            raise failed

    def follow_all(self) -> None:
        """See `Shared.follow_all`."""
        self.follow_these(list(self._places))

    def _follow_logs(self, names: Sequence[str]) -> None:
        failed: StoreError | None = None
        for at in range(0, len(names), MOST):
            some = [name for name in names[at : at + MOST] if name in self._places]
            answers = self._call([("follow", name, *self._standing(name)) for name in some])
            for name, answer in zip(some, answers, strict=True):
                if isinstance(answer, StoreError):
                    failed = answer  # which takes nothing from the others
                elif self._follow(name, answer):
                    self._catch_up(name)
        if failed is not None:
            raise failed

    def _standing(self, name: str) -> tuple[bytes | str | int, ...]:
        place = self._places[name]
        careful = int(self._is_careful)
        return (place.epoch, place.seq, self._new_epoch(), MOST, place.mark, careful)

    def _catch_up(self, name: str) -> None:
        while name in self._places and self._follow(
            name, self._one("follow", name, *self._standing(name))
        ):
            pass

    def _follow(self, name: str, answer: list[Any]) -> bool:
        """Take an answer; whether there is more."""
        epoch, floor, seen, head, found, mark = answer
        place = self._places[name]
        self._heard(name, place, epoch.decode(), floor, seen, found)
        place.mark = mark
        return place.seq < cast("int", head)

    def _heard(
        self, name: str, place: _Place, epoch: str, floor: int, seen: int, found: list[Any]
    ) -> None:
        is_other = epoch != place.epoch
        place.floor = floor
        if found or is_other or seen > place.seq:
            if self._is_spread and name != AUDIT and any(map(_is_act, found)):
                # Its record has come by another way; it holds before people hear of it.
                self._try_to_catch_up(AUDIT)
            heard = [
                Foreign(one) if isinstance(one, bytes) else Foreign(one[0], one[1], pairs(one[2]))
                for one in found
            ]
            self._news.append(News(name, epoch, is_other, seen + 1, heard))
        place.epoch, place.seq = epoch, seen + len(found)

    # Reading

    def open(self, name: str, count: int) -> Opened:
        """See `Store.open`. From now on there are news of this log."""
        careful = int(self._is_careful)
        self._hints.listen(hints.of_room(name))
        try:
            found = self._one("open", name, self._new_epoch(), count, careful)
            if not name.startswith(" "):
                self.presence.open(name)
        except StoreError:
            self._hints.leave(hints.of_room(name))
            raise
        epoch, floor, seq, chats, mark = found
        self._places[name] = _Place(epoch.decode(), seq, floor, mark)
        return Opened(seq, epoch.decode(), pairs(chats)[::-1])

    def first(self, name: str) -> int:
        """See `Store.first`."""
        return self._places[name].floor + 1

    def whisper(self, room: str, key: str) -> None:
        """See `Shared.whisper`."""
        self.tell(hints.whisper(self.node, room, key))

    def listen(self, ears: Ears) -> None:
        """See `Shared.listen`."""
        self._hints.start(ears)

    def listen_no_more(self) -> None:
        """See `Shared.listen_no_more`."""
        self._hints.stop()

    def attend(self, user: str) -> None:
        """See `Shared.attend`."""
        self._hints.listen(hints.of_user(user))

    def ignore(self, user: str) -> None:
        """See `Shared.ignore`."""
        self._hints.leave(hints.of_user(user))

    # Housekeeping

    def rest(self, name: str, now: float) -> None:
        """See `Store.rest`."""
        self._hints.leave(hints.of_room(name))
        self._places.pop(name, None)
        self.presence.rest(name)

    def tidy(self, now: float) -> bool:
        """See `Store.tidy`: Redis lets go by itself, when something is appended."""
        self._ping()
        return False

    def check(self) -> None:
        """See `Store.check`. What was missed while it did not work comes as news."""
        self._ping()
        # A write, because a full Redis or a replica answers all else.
        self.tell(("SET", f"{redis_client.PREFIX}:check", self.node, "EX", 60))
        self.follow_all()

    def master(self) -> tuple[str, int] | None:
        """See `redis_client.master`; called on any thread."""
        return redis_client.master(self._redis)

    def close(self) -> None:
        """See `Store.close`."""
        self._redis.close()


def _is_fresh(result: int | list[Any]) -> bool:
    return isinstance(result, int) or result[1] in {b"changed", b"kept", b"reacted"}


def _is_act(found: bytes | list[Any]) -> bool:
    return isinstance(found, bytes) and found.startswith(b'{"type":"moderated"')
