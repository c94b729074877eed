"""`memory:`: each log's last events, in this process alone.

A log keeps its newest `tail_events` events within `tail_bytes`. A log whose room is empty rests
for `linger` seconds, and all resting logs together stay within `linger_bytes`: the one that has
rested longest goes first. A log that comes back after that is another one: a new epoch, seq 1.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, Protocol

from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.markers import Mark, Unread
from hubbub.protocol.outgoing import Quote, Reactors
from hubbub.store import conversation, events
from hubbub.store.base import PAGE_SIZE, Opened, Outcome, Page, Refused, Stored

EVENT_COST: Final = 200
"""What an event costs beside its JSON: the objects around it (measured, CPython 3.11)."""
LOG_COST: Final = 1500
"""What an empty log costs."""
SPARE: Final = 64
"""Where there are too many events, one in so many of the bound goes beside those."""
MARK_COST: Final = 170
"""What it costs to know how far one user has read: the identity, the number, their place."""


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
    """One room's events: `events` has the JSON of those with `seq` `first` … `seq`.

    `authors` has as many: whose each chat is, and None for what changed a chat.
    """

    __slots__ = (
        "authors",
        "edits",
        "epoch",
        "events",
        "ids",
        "keys",
        "marks",
        "reactions",
        "replies",
        "seq",
        "size",
        "ts",
    )

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.seq = 0
        self.ts = 0
        self.size = 0
        self.events: deque[bytes] = deque()
        self.authors: deque[bytes | None] = deque()
        self.edits: dict[int, list[int]] = {}
        """The `seq` of a chat that is here → those of its edits."""
        self.replies: dict[int, list[int]] = {}
        """The same → those of the replies to it."""
        self.reactions: dict[int, dict[tuple[str, bytes], str]] = {}
        """The same → which emoji is on it and whose → under which name."""
        self.ids: dict[tuple[bytes, str], tuple[int, str | None]] = {}
        """Whose and which → `seq`, and a chat's first text (None once it is deleted)."""
        self.keys: deque[tuple[int, tuple[bytes, str]]] = deque()
        """The ids in order of their events, so that they go when their events go."""
        self.marks: dict[bytes, int] = {}
        """How far users have read."""

    @property
    def first(self) -> int:
        return self.seq - len(self.events) + 1

    @property
    def cost(self) -> int:
        """What it takes of memory, in bytes, near enough to bound it."""
        marks = MARK_COST * len(self.marks)
        return LOG_COST + self.size + EVENT_COST * len(self.events) + marks

    def replace(self, seq: int, payload: bytes) -> None:
        place = seq - self.first
        self.size += len(payload) - len(self.events[place])
        self.events[place] = payload

    def chat(self, seq: int) -> bytes | None:
        """The chat of a `seq`, if there is one."""
        place = seq - self.first
        if 0 <= place < len(self.events) and self.authors[place] is not None:
            return self.events[place]
        return None

    def chats(self, before: int, count: int) -> list[tuple[int, bytes]]:
        """The newest `count` chats before `before`, as `(seq, JSON)`, the newest first."""
        skip = max(0, self.seq + 1 - before)
        found = (
            (self.seq - place, payload)
            for place, (payload, author) in enumerate(
                zip(reversed(self.events), reversed(self.authors), strict=True)
            )
            if place >= skip and author is not None
        )
        return list(islice(found, count))


class MemoryStore:
    """A `Store` that forgets. `new_epoch()` names a log that begins."""

    is_untidy: Final = False

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
        self._now = 0
        """The time of the batch that is kept, in Unix milliseconds."""

    def append(self, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        """See `Store.append`."""
        self._now = ts
        return events.one_by_one(drafts, self._one)

    def _one(self, draft: Draft) -> Outcome:
        log = self._logs.get(draft.log) or self._awake(draft.log)
        if draft.id is not None:
            known = log.ids.get((draft.author, draft.id))
            if known is not None:
                return _again(log, known, draft)
        if draft.reaction is not None:
            return self._react(log, draft)
        if draft.target:
            return self._change(log, draft)
        quote: Quote | None = None
        if draft.reply_to:
            found = conversation.quote(draft.reply_to, log.chat(draft.reply_to))
            if isinstance(found, Refused):
                return found
            quote = found
            log.replies.setdefault(draft.reply_to, []).append(log.seq + 1)
        payload = self._add(log, draft, quote)
        return Stored(log.seq, payload)

    def _add(
        self,
        log: _Log,
        draft: Draft,
        quote: Quote | None = None,
        stand: Reactors | None = None,
    ) -> bytes:
        seq = log.seq = log.seq + 1
        if log.ts < self._now:  # noqa: PLR1730 - a call of `max` for each message
            log.ts = self._now
        payload = events.written(draft, seq, log.ts, quote, stand)
        log.events.append(payload)
        log.size += len(payload)
        if not draft.target:
            log.authors.append(draft.author if draft.event is None else None)
        else:
            log.authors.append(None)
            if draft.text:
                log.edits.setdefault(draft.target, []).append(seq)
        if draft.id is not None:
            key = (draft.author, draft.id)
            log.ids[key] = (seq, draft.text)
            log.keys.append((seq, key))
        if len(log.events) > self._events or log.size > self._bytes:
            self._trim(log)
        return payload

    def _change(self, log: _Log, draft: Draft) -> Outcome:
        place = draft.target - log.first
        there = 0 <= place < len(log.events)
        author = log.authors[place] if there else None
        new = events.change(
            draft, author, log.events[place] if there else b"", max(log.ts, self._now)
        )
        if isinstance(new, Refused):
            return new
        log.replace(draft.target, new)
        emptied: list[tuple[int, bytes]] = []
        if not draft.text:
            first = events.id_of(new)
            if first is not None and author is not None:
                log.ids[author, first] = (draft.target, None)
            for seq in log.edits.pop(draft.target, ()):
                payload = events.wordless(log.events[seq - log.first])
                emptied.append((seq, payload))
                log.replace(seq, payload)
            log.reactions.pop(draft.target, None)
            for seq in log.replies.get(draft.target, ()):
                payload = conversation.unquoted(log.events[seq - log.first])
                emptied.append((seq, payload))
                log.replace(seq, payload)
        payload = self._add(log, draft)
        answer = events.answer(payload, draft.id)
        return Stored(log.seq, payload, changed=new, answer=answer, emptied=emptied)

    def _react(self, log: _Log, draft: Draft) -> Outcome:
        wanted, target = draft.reaction, draft.target
        assert wanted is not None
        here = log.reactions.get(target, {})
        key = (wanted.emoji, draft.author)
        new = conversation.react(draft, log.chat(target), here.get(key))
        if not isinstance(new, tuple):
            return new
        changed, stand = new
        log.replace(target, changed)
        if wanted.on:
            log.reactions.setdefault(target, here)[key] = draft.username
        else:
            del here[key]
        payload = self._add(log, draft, stand=stand)
        return Stored(log.seq, payload, changed=changed, answer=events.answer(payload, draft.id))

    def open(self, name: str, count: int) -> Opened:
        """See `Store.open`. A log that rested is awake again."""
        log = self._awake(name)
        return Opened(log.seq, log.epoch, log.chats(log.seq + 1, count)[::-1])

    def first(self, name: str) -> int:
        """See `Store.first`."""
        return self._logs[name].first

    def after(self, name: str, seq: int, count: int) -> Page:
        """See `Store.after`."""
        log = self._logs[name]
        first = max(seq + 1, log.first)
        start = first - log.first
        events: list[bytes] = []
        size = 0
        for payload in islice(log.events, start, start + count):
            size += len(payload)
            if size > PAGE_SIZE and events:
                break
            events.append(payload)
        return Page(first, events)

    def before(self, name: str, seq: int, count: int) -> tuple[list[bytes], bool]:
        """See `Store.before`."""
        found = [payload for _, payload in self._logs[name].chats(seq, count + 1)]
        return found[:count][::-1], len(found) > count

    def author(self, name: str, seq: int) -> Authored | None:
        """See `Store.author`."""
        log = self._logs[name]
        place = seq - log.first
        author = log.authors[place] if 0 <= place < len(log.events) else None
        return None if author is None else events.authored(author, log.events[place])

    def thread(
        self, name: str, seq: int, before: int, count: int
    ) -> tuple[list[bytes], bool] | None:
        """See `Store.thread`."""
        log = self._logs[name]
        chat = log.chat(seq)
        if chat is None:
            return None
        replies = [one for one in log.replies.get(seq, ()) if one < before]
        newest = replies[max(0, len(replies) - count) :]
        return [chat, *(log.events[one - log.first] for one in newest)], len(replies) > count

    def writings(self, name: str, author: bytes, count: int) -> list[int]:
        """See `Store.writings`."""
        log = self._logs[name]
        found = (
            seq
            for seq, payload in log.chats(log.seq + 1, len(log.events))
            if log.authors[seq - log.first] == author
            and not events.authored(author, payload).deleted
        )
        return list(islice(found, count))

    def heads(self, names: Sequence[str]) -> list[tuple[int, bytes | None]]:
        """See `Store.heads`."""
        logs = map(self._logs.get, names)
        last = [(log.seq, log.chats(log.seq + 1, 1)) if log else (0, []) for log in logs]
        return [(seq, chats[0][1] if chats else None) for seq, chats in last]

    def mark(self, marks: Sequence[Mark]) -> list[int | None]:
        """See `Store.mark`."""
        return [self._mark(mark) for mark in marks]

    def _mark(self, mark: Mark) -> int | None:
        log = self._logs.get(mark.log)
        if log is None or mark.seq > log.seq:
            return None
        log.marks[mark.user] = max(mark.seq, log.marks.get(mark.user, 0))
        return log.marks[mark.user]

    def unread(self, user: bytes, names: Sequence[str], most: int) -> list[Unread | None]:
        """See `Store.unread`."""
        logs = map(self._logs.get, names)
        return [None if log is None else _unread(log, user, most) for log in logs]

    def read_by(self, user: bytes) -> list[str]:
        """See `Store.read_by`."""
        return [name for name, log in self._logs.items() if user in log.marks]

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

    def tidy(self, now: float) -> bool:
        """Let go of logs that rested too long, and of the longest rested while all are too many."""
        while self._resting:
            name, (since, cost) = next(iter(self._resting.items()))
            if since + self._linger > now and self._resting_cost <= self._linger_bytes:
                break
            del self._resting[name]
            del self._logs[name]
            self._resting_cost -= cost
        return False

    def check(self) -> None:
        """See `Store.check`: memory works."""

    def close(self) -> None:
        """See `Store.close`."""
        self._logs.clear()

    def _awake(self, name: str) -> _Log:
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = _Log(self._new_epoch())
        elif name in self._resting:
            self._resting_cost -= self._resting.pop(name)[1]
        return log

    def _trim(self, log: _Log) -> None:
        # One event always stays, however large, so that a log's newest word can be read back.
        events, authors, size = log.events, log.authors, log.size
        old = len(events)
        # Some more go than have to, so that it need not be done for each message.
        most = self._events - self._events // SPARE if old > self._events else old
        while (len(events) > most or size > self._bytes) and len(events) > 1:
            size -= len(events.popleft())
            authors.popleft()
        log.size = size
        if log.edits or log.replies or log.reactions:
            for seq in range(log.seq + 1 - old, log.first):
                for ties in (log.edits, log.replies, log.reactions):
                    ties.pop(seq, None)
        if log.keys:
            first = log.first
            while log.keys and log.keys[0][0] < first:
                del log.ids[log.keys.popleft()[1]]


def _unread(log: _Log, user: bytes, most: int) -> Unread | None:
    read = log.marks.get(user)
    if read is None:
        return None
    after = zip(range(log.seq, read, -1), reversed(log.events), reversed(log.authors), strict=False)
    found = (
        payload
        for _, payload, author in after
        if author not in {None, user} and not events.authored(b"", payload).deleted
    )
    chats = list(islice(found, most))
    return Unread(read, len(chats), list(filter(events.calls, chats)))


def _again(log: _Log, known: tuple[int, str | None], draft: Draft) -> Outcome:
    """The answer to an `id` that was used before."""
    seq, first_text = known
    payload = log.events[seq - log.first]
    if log.authors[seq - log.first] is not None:
        same = events.is_chat(draft) and first_text in {None, draft.text}
    elif not events.target_of(payload):
        same = draft.event is not None and first_text == draft.text
    else:
        same = bool(draft.target) and events.same_change(payload, draft)
    if not same:
        return events.reused(seq)
    return Stored(seq, payload, fresh=False, answer=events.answer(payload, draft.id))
