"""Any history of appends, faults and crashes leaves the log as a list would have it.

A crash is a copy of the files as they are at that moment, opened anew: what the kernel has of
them is what `kill -9` leaves. (With `--sync full` it is also what a power cut leaves, because
each commit has then been synced.)
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.base import Outcome, Refused, Stored, StoreError, Unchanged
from hubbub.store.sqlite import SqliteStore
from tests.store.kinds import ANN, BOB, new_epoch

ROOMS = st.sampled_from(["red", "blue"])
AUTHORS = st.sampled_from([ANN, BOB])
IDS = st.none() | st.sampled_from(["i1", "i2", "i3", "i4"])
DRAFTS = st.builds(
    Draft,
    ROOMS,
    AUTHORS,
    st.just("name"),
    st.text(max_size=8),
    IDS,
    st.just(0) | st.integers(1, 12),
)


class Failing:
    """A connection whose statement number `left` fails as it does on a full disk."""

    def __init__(self, db: sqlite3.Connection, left: int) -> None:
        self.db = db
        self.left = left

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if self.left == 0 and arguments[0] != "ROLLBACK":
            raise sqlite3.OperationalError("database or disk is full")
        self.left -= 1
        return self.db.execute(*arguments)

    @property
    def in_transaction(self) -> bool:
        return self.db.in_transaction


class Crashing(RuleBasedStateMachine):
    sync: Literal["normal", "full"]

    @initialize(sync=st.sampled_from(["normal", "full"]))
    def begin(self, sync: Literal["normal", "full"]) -> None:
        self.sync = sync
        self.folders = [Path(tempfile.mkdtemp(prefix="hubbub-crash-"))]
        self.stores = [self.new()]
        self.log: dict[str, list[dict[str, Any]]] = {}
        self.authors: dict[tuple[str, int], bytes] = {}
        self.ids: dict[tuple[str, bytes, str], int] = {}
        self.epochs: dict[str, str] = {}
        self.clock = 1

    def new(self) -> SqliteStore:
        return SqliteStore(self.folders[-1] / "chat.db", Settings(sync=self.sync), new_epoch)

    @property
    def store(self) -> SqliteStore:
        return self.stores[-1]

    @rule(drafts=st.lists(DRAFTS, min_size=1, max_size=6))
    def append(self, drafts: list[Draft]) -> None:
        drafts = [draft for draft in drafts if draft.text or draft.target]
        self.clock += 1
        for draft, outcome in zip(drafts, self.store.append(drafts, self.clock), strict=True):
            self.note(draft, outcome)

    def note(self, draft: Draft, outcome: Outcome) -> None:
        """What the model makes of it."""
        assert not isinstance(outcome, Unchanged), "which is for reactions alone"
        log = self.log.setdefault(draft.log, [])
        key = (draft.log, draft.author, draft.id or "")
        if draft.id is not None and key in self.ids:
            if isinstance(outcome, Stored):
                assert (outcome.seq, outcome.fresh) == (self.ids[key], False)
            else:
                assert outcome.code == "id_reused"
            return
        target = log[draft.target - 1] if 0 < draft.target <= len(log) else None
        if draft.target:
            code = None
            if target is None or target["type"] != "chat":
                code = "not_found"
            elif self.authors[draft.log, draft.target] != draft.author:
                code = "forbidden"
            elif target.get("deleted"):
                code = "not_found"
            if code is not None:
                assert isinstance(outcome, Refused)
                assert outcome.code == code
                return
        assert isinstance(outcome, Stored), outcome
        assert (outcome.seq, outcome.fresh) == (len(log) + 1, True)
        log.append(json.loads(outcome.payload))
        self.authors[draft.log, outcome.seq] = draft.author
        if draft.id is not None:
            self.ids[key] = outcome.seq
        if target is not None:
            assert outcome.changed is not None
            log[draft.target - 1] = json.loads(outcome.changed)
            assert log[draft.target - 1]["text"] == draft.text
            if not draft.text:
                for event in log:
                    if event.get("target") == draft.target and event["type"] == "edited":
                        event["text"] = ""
                        event["deleted"] = True

    @rule(drafts=st.lists(DRAFTS, min_size=1, max_size=6), at=st.integers(0, 12))
    def fail(self, drafts: list[Draft], at: int) -> None:
        drafts = [draft for draft in drafts if draft.text or draft.target]
        real = self.store._db
        failing = Failing(real, at)
        self.store._db = failing  # type: ignore[assignment]
        self.clock += 1
        try:
            outcomes = self.store.append(drafts, self.clock)
        except StoreError:
            pass  # then nothing may be there of it, as the invariant sees
        else:
            for draft, outcome in zip(drafts, outcomes, strict=True):
                self.note(draft, outcome)
        finally:
            self.store._db = real

    @rule()
    def crash(self) -> None:
        self.folders.append(Path(tempfile.mkdtemp(prefix="hubbub-crash-")))
        for file in ("chat.db", "chat.db-wal"):
            shutil.copy(self.folders[-2] / file, self.folders[-1] / file)
        self.stores.append(self.new())

    @rule()
    def stop_and_start(self) -> None:
        self.store.close()
        assert sorted(path.name for path in self.folders[-1].iterdir()) == [
            "chat.db",
            "chat.db.lock",
        ]
        self.stores[-1] = self.new()

    @rule(room=ROOMS)
    def rest(self, room: str) -> None:
        self.store.rest(room, 0.0)

    @rule()
    def tidy(self) -> None:
        self.store.tidy(self.clock + 100.0)

    @invariant()
    def the_log_is_what_was_confirmed(self) -> None:
        for room in ("red", "blue"):
            expected = self.log.get(room, [])
            page = self.store.after(room, 0, 1000)
            assert [json.loads(event) for event in page.events] == expected
            opened = self.store.open(room, 3)
            assert opened.seq == len(expected)
            chats = [event for event in expected if event["type"] == "chat"]
            assert [json.loads(chat) for _, chat in opened.history] == chats[-3:]
            if expected:
                assert self.epochs.setdefault(room, opened.epoch) == opened.epoch

    def teardown(self) -> None:
        for store in getattr(self, "stores", []):
            store.close()
        for folder in getattr(self, "folders", []):
            shutil.rmtree(folder)


TestCrashing = Crashing.TestCase
TestCrashing.settings = profile(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("size", [1, 63, 64, 130])
def test_a_batch_that_fails_leaves_nothing_of_it(size: int, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    drafts = [Draft("red", ANN, "ann", str(number), f"i{number}", 0) for number in range(size)]
    real = store._db
    at = 0
    while True:
        store._db = Failing(real, at)  # type: ignore[assignment]
        try:
            store.append(drafts, 1)
        except StoreError:
            store._db = real
            assert store.after("red", 0, 10).events == []
            assert store.open("red", 0).seq == 0
            at += 1
        else:
            break
    store._db = real
    assert at >= 5, "it was tried with each of its statements"
    assert store.open("red", 0).seq == size
    assert len(store.after("red", 0, 1000).events) == size
    store.close()
