"""`memory:`: each log's last events, in this process alone.

A log keeps its newest `tail_events` events within `tail_bytes`. A log whose room is empty rests
for `linger` seconds, and all resting logs together stay within `linger_bytes`: the one that has
rested longest goes first. A log that comes back after that is another one: a new epoch, seq 1.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, Protocol

from hubbub.protocol.draft import Draft
from hubbub.protocol.outgoing import Said, encode
from hubbub.store.base import Outcome, Reused, Stored

EVENT_COST: Final = 200
"""What an event costs beside its JSON: the objects around it (measured, CPython 3.11)."""
LOG_COST: Final = 1500
"""What an empty log costs."""


class Bounds(Protocol):
    """How much is kept; `hubbub.settings.Settings` is one such."""

    @property
    def tail_events(self) -> int: ...
    @property
    def tail_bytes(self) -> int: ...
    @property
    def linger(self) -> float: ...
    @property
    def linger_bytes(self) -> int: ...


class _Log:
    """One room's events: `events` has the JSON of those with `seq` `first` … `seq`."""

    __slots__ = ("epoch", "events", "ids", "keys", "seq", "size", "ts")

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.seq = 0
        self.ts = 0
        self.size = 0
        self.events: deque[bytes] = deque()
        self.ids: dict[tuple[bytes, str], tuple[int, str]] = {}
        self.keys: deque[tuple[int, tuple[bytes, str]]] = deque()
        """The ids in order of their events, so that they go when their events go."""

    @property
    def first(self) -> int:
        return self.seq - len(self.events) + 1

    @property
    def cost(self) -> int:
        """What it takes of memory, in bytes, near enough to bound it."""
        return LOG_COST + self.size + EVENT_COST * len(self.events)


class MemoryStore:
    """A `Store` that forgets. `new_epoch()` names a log that begins."""

    def __init__(self, bounds: Bounds, new_epoch: Callable[[], str]) -> None:
        self._logs: dict[str, _Log] = {}
        self._resting: dict[str, tuple[float, int]] = {}
        """Name → since when and at what cost, the longest rest first."""
        self._resting_cost = 0
        self._events = bounds.tail_events
        self._bytes = bounds.tail_bytes
        self._linger = bounds.linger
        self._linger_bytes = bounds.linger_bytes
        self._new_epoch = new_epoch

    def append(self, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        """See `Store.append`."""
        outcomes: list[Outcome] = []
        for draft in drafts:
            log = self._logs.get(draft.log) or self.log(draft.log)
            if draft.id is not None:
                known = log.ids.get((draft.author, draft.id))
                if known is not None:
                    outcomes.append(_again(log, known, draft.text))
                    continue
            seq = log.seq = log.seq + 1
            log.ts = max(log.ts, ts)
            payload = encode(Said(draft.log, draft.username, draft.text, log.ts, seq, draft.id))
            log.events.append(payload)
            log.size += len(payload)
            if draft.id is not None:
                key = (draft.author, draft.id)
                log.ids[key] = (seq, draft.text)
                log.keys.append((seq, key))
            if len(log.events) > self._events or log.size > self._bytes:
                self._trim(log)
            outcomes.append(Stored(seq, payload))
        return outcomes

    def log(self, name: str) -> _Log:
        """See `Store.log`. A log that rested is awake again."""
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = _Log(self._new_epoch())
        elif name in self._resting:
            self._resting_cost -= self._resting.pop(name)[1]
        return log

    def last(self, name: str, count: int, upto: int) -> list[bytes]:
        """See `Store.last`."""
        log = self._logs[name]
        end = max(0, upto - log.first + 1)
        return list(islice(log.events, max(0, end - count), end))

    def after(self, name: str, seq: int, count: int) -> tuple[int, list[bytes]]:
        """See `Store.after`."""
        log = self._logs[name]
        first = max(seq + 1, log.first)
        start = first - log.first
        return first, list(islice(log.events, start, start + count))

    def rest(self, name: str, now: float) -> None:
        """See `Store.rest`."""
        log = self._logs.get(name)
        if log is None:
            return
        if not log.seq:
            del self._logs[name]  # nothing was ever said: nothing to keep
            return
        self._resting[name] = (now, log.cost)
        self._resting_cost += log.cost
        self.tidy(now)

    def tidy(self, now: float) -> None:
        """Let go of logs that rested too long, and of the longest rested while all are too many."""
        while self._resting:
            name, (since, cost) = next(iter(self._resting.items()))
            if since + self._linger > now and self._resting_cost <= self._linger_bytes:
                return
            del self._resting[name]
            del self._logs[name]
            self._resting_cost -= cost

    def _trim(self, log: _Log) -> None:
        # One event always stays, however large, so that a log's newest word can be read back.
        while len(log.events) > 1 and (len(log.events) > self._events or log.size > self._bytes):
            log.size -= len(log.events.popleft())
        first = log.first
        while log.keys and log.keys[0][0] < first:
            del log.ids[log.keys.popleft()[1]]


def _again(log: _Log, known: tuple[int, str], text: str) -> Outcome:
    seq, first_text = known
    if first_text != text:
        return Reused(seq)
    return Stored(seq, log.events[seq - log.first], fresh=False)
