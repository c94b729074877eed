"""A draft on its way into Redis: what its function needs, and what becomes of the answer.

Law: JSON is made by `events`, and only its number and time are put in by Redis.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hubbub.protocol.draft import Draft
from hubbub.store import conversation, events
from hubbub.store.base import Outcome, Refused, Stored


class Ask:
    """A draft as the function takes it, and what becomes of its answer.

    Its JSON is cut where the number and the time go: a quote inside a string has a backslash before
    it, so that what looks like a key is one.
    """

    __slots__ = ("_draft", "_parts", "_seq_first", "packed")

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        blank = events.written(draft, 0, 0)
        wanted = draft.reaction
        if events.is_chat(draft):
            kind, sign = 0, "c" + events.digest(draft.text).hex()
        elif draft.event is not None:
            kind, sign = 1, "e" + events.digest(draft.text).hex()
        elif wanted is not None:
            kind, sign = 4, f"r{draft.target}:{wanted.on:d}{wanted.emoji}"
        elif draft.text:
            kind, sign = 2, f"u{draft.target}:{events.digest(draft.text).hex()}"
        else:
            kind, sign = 3, f"d{draft.target}"
        one, two = blank.index(b'"ts":0') + 5, blank.index(b'"seq":0') + 6
        self._seq_first = two < one
        if self._seq_first:
            one, two = two, one
        self._parts = parts = (blank[:one], blank[one + 1 : two], blank[two + 1 :])
        self.packed: tuple[object, ...] = (
            kind,
            draft.author.hex(),
            draft.id or "",
            sign if draft.id else "",
            *[part.decode() for part in parts],  # Redis' msgpack knows text alone
            self._seq_first,
        )
        if draft.reply_to:
            self.packed += (draft.reply_to,)
        elif wanted is not None:
            emoji = msgspec.json.encode(wanted.emoji).decode()
            name = msgspec.json.encode(draft.username).decode()
            self.packed += (draft.target, emoji, wanted.on, wanted.most, name)
        elif kind >= 2:
            text = msgspec.json.encode(draft.text).decode()
            mentions = ""
            if draft.text and draft.mentions:
                mentions = f',"mentions":{msgspec.json.encode(draft.mentions).decode()}'
            self.packed += (draft.target, text, draft.moderator, mentions)

    def outcome(self, came: int | list[Any], ts: int) -> Outcome:
        """What became of it."""
        draft = self._draft
        if isinstance(came, int):
            return Stored(came, self._written(came, ts))
        seq, what, *more = came
        if what == b"changed":
            payload = self._written(seq, ts)
            answer = events.answer(payload, draft.id)
            return Stored(seq, payload, changed=more[0], answer=answer, emptied=pairs(more[1]))
        if what == b"kept":
            return Stored(seq, more[0])
        if what == b"reacted":
            answer = events.answer(more[1], draft.id)
            return Stored(seq, more[1], changed=more[0], answer=answer)
        if what == b"unled":
            return events.UNLED
        if what == b"again":
            at, payload = more  # without a payload: no longer kept, but we know what it was
            payload = payload or self._written(seq, int(at))
            return Stored(seq, payload, fresh=False, answer=events.answer(payload, draft.id))
        if what == b"reused":
            return events.reused(seq)
        author, payload = (identity(more[0]), more[1]) if more else (None, b"")
        if draft.reply_to:
            refused = conversation.quote(draft.reply_to, payload or None)
            assert isinstance(refused, Refused)
            return refused
        if draft.reaction is not None:
            # Which of the two it was is known in Redis alone: whether it was there.
            name = draft.username if draft.reaction.on == (what == b"unchanged") else None
            unkept = conversation.react(draft, payload or None, name)
            assert not isinstance(unkept, tuple)
            return unkept
        refusal = events.change(draft, author, payload, ts)
        assert isinstance(refusal, Refused)
        return refusal

    def _written(self, seq: int, ts: int) -> bytes:
        event = self._draft.event
        if event is not None:
            event.seq, event.ts = seq, ts
        first, second = (seq, ts) if self._seq_first else (ts, seq)
        before, between, after = self._parts
        return b"%b%d%b%d%b" % (before, first, between, second, after)


def identity(hexed: bytes) -> bytes:
    """An author as Redis has it → as it is."""
    return bytes.fromhex(hexed.decode())


def pairs(flat: list[Any]) -> list[tuple[int, bytes]]:
    """Events as seq and JSON, which came in one list."""
    return list(zip(flat[::2], flat[1::2], strict=True))
