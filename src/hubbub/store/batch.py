"""One batch of drafts on its way into SQLite: deduplicated, numbered, made into rows.

The caller puts a transaction around it, and takes the heads back where that fails.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from hubbub.protocol.draft import Draft
from hubbub.protocol.outgoing import Quote, Reactors
from hubbub.store import conversation, events, rows
from hubbub.store.base import Outcome, Refused, Stored
from hubbub.store.rows import Head, Key


class Batch:
    """The drafts of one turn; `heads` has the head of each log that they are for.

    `deleted`: words were deleted by it.
    """

    def __init__(self, db: sqlite3.Connection, heads: Mapping[str, Head], ts: int) -> None:
        self.deleted = False
        self._db = db
        self._heads = heads
        self._ts = ts
        self._events: list[Any] = []
        self._sent: list[Any] = []

    def run(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Insert them; gives what became of each."""
        heads = self._heads
        keys = [
            (heads[draft.log].id, draft.author, draft.id)
            for draft in drafts
            if draft.id is not None
        ]
        self._known = rows.known(self._db, keys) if keys else {}
        outcomes = events.one_by_one(drafts, self._one)
        self._write()
        return outcomes

    def _one(self, draft: Draft) -> Outcome:
        head = self._heads[draft.log]
        key = (head.id, draft.author, draft.id) if draft.id is not None else None
        if key is not None and key in self._known:
            return self._again(draft, key)
        if draft.reaction is not None:
            return self._react(draft, head, key)
        if draft.target:
            return self._change(draft, head, key)
        quote: Quote | None = None
        if draft.reply_to:
            self._write()  # it may be to a chat of this very batch
            chat = rows.chat(self._db, head.id, draft.reply_to)
            found = conversation.quote(draft.reply_to, chat)
            if isinstance(found, Refused):
                return found
            quote = found
        payload = self._add(draft, head, key, quote)
        return Stored(head.seq, payload)

    def _react(self, draft: Draft, head: Head, key: Key | None) -> Outcome:
        self._write()
        assert draft.reaction is not None
        target, emoji = draft.target, draft.reaction.emoji
        last = rows.reaction(self._db, head.id, target, draft.author, emoji)
        name = None if last is None else conversation.reactor(last)
        new = conversation.react(draft, rows.chat(self._db, head.id, target), name)
        if not isinstance(new, tuple):
            return new
        changed, stand = new
        self._replace(head, target, changed)
        payload = self._add(draft, head, key, stand=stand)
        return Stored(head.seq, payload, changed=changed, answer=events.answer(payload, draft.id))

    def _add(
        self,
        draft: Draft,
        head: Head,
        key: Key | None,
        quote: Quote | None = None,
        stand: Reactors | None = None,
    ) -> bytes:
        seq = head.seq = head.seq + 1
        ts = head.ts = max(head.ts, self._ts)
        payload = events.written(draft, seq, ts, quote, stand)
        target = draft.target or (None if draft.event is None else 0)
        self._events += (head.id, seq, ts, draft.author, target, payload.decode())
        if key is not None:
            digest = None if draft.target else events.digest(draft.text)
            self._sent += (*key, seq, ts, digest)
            self._known[key] = (seq, ts, digest)
        return payload

    def _change(self, draft: Draft, head: Head, key: Key | None) -> Outcome:
        self._write()  # it may be for a chat of this very batch
        there = self._db.execute(
            "SELECT author, payload FROM event WHERE log = ? AND seq = ? AND target IS NULL",
            (head.id, draft.target),
        ).fetchone()
        author: bytes | None
        author, payload = there or (None, b"")
        new = events.change(draft, author, payload, max(head.ts, self._ts))
        if isinstance(new, Refused):
            return new
        self._replace(head, draft.target, new)
        emptied: list[tuple[int, bytes]] = []
        if not draft.text and author is not None:
            emptied = self._take_back(draft, head, author, events.id_of(payload))
        payload = self._add(draft, head, key)
        answer = events.answer(payload, draft.id)
        return Stored(head.seq, payload, changed=new, answer=answer, emptied=emptied)

    def _take_back(
        self, draft: Draft, head: Head, author: bytes, id: str | None
    ) -> list[tuple[int, bytes]]:
        """The words are to be gone from what edited them, too, and from what tells a resend.

        `author` and `id` are the chat's own, whoever deletes it. Gives the edits as they are now.
        """
        self.deleted = True
        edits = self._db.execute(
            "SELECT seq, payload FROM event WHERE log = ? AND target = ?"
            ' AND instr(payload, \'{"type":"edited",\') = 1',
            (head.id, draft.target),
        ).fetchall()
        emptied = [(seq, events.wordless(payload)) for seq, payload in edits]
        replies = rows.replies(self._db, head.id, draft.target, head.seq + 1, -1)
        emptied += [(seq, conversation.unquoted(payload)) for seq, payload in reversed(replies)]
        for seq, payload in emptied:
            self._replace(head, seq, payload)
        if id is not None:
            self._db.execute(
                "UPDATE sent SET digest = NULL WHERE log = ? AND author = ? AND id = ?",
                (head.id, author, id),
            )
            first = (head.id, author, id)
            if first in self._known:
                seq, ts, _ = self._known[first]
                self._known[first] = (seq, ts, None)
        return emptied

    def _replace(self, head: Head, seq: int, payload: bytes) -> None:
        self._db.execute(
            "UPDATE event SET payload = ? WHERE log = ? AND seq = ?",
            (payload.decode(), head.id, seq),
        )

    def _again(self, draft: Draft, key: Key) -> Outcome:
        """The answer to an id that was used before."""
        self._write()
        seq, ts, digest = self._known[key]
        there = self._db.execute(
            "SELECT target, payload FROM event WHERE log = ? AND seq = ?", (key[0], seq)
        ).fetchone()
        if there is None:  # no longer kept; but what it was is known well enough
            target = None if events.is_chat(draft) else draft.target
            payload = events.written(draft, seq, ts)
        else:
            target, payload = there
        if target is None:
            same = events.is_chat(draft) and digest in {None, events.digest(draft.text)}
        elif not target:
            same = draft.event is not None and digest == events.digest(draft.text)
        else:
            same = bool(draft.target) and (there is None or events.same_change(payload, draft))
        if not same:
            return events.reused(seq)
        return Stored(seq, payload, fresh=False, answer=events.answer(payload, draft.id))

    def _write(self) -> None:
        rows.insert(self._db, rows.EVENTS, self._events)
        rows.insert(self._db, rows.SENT, self._sent)
