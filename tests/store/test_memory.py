"""`memory:` forgets as it says, and no sooner."""

import time
from pathlib import Path
from typing import Any

from hubbub.store.memory import LOG_COST, MemoryStore
from tests.store.kinds import delete, edit, keep, memory, say, stored


def store(**bounds: Any) -> MemoryStore:
    return memory(Path(), **bounds)


def test_only_the_newest_events_are_kept_and_their_ids_with_them() -> None:
    kept = store(tail_events=3)
    keep(kept, *(say(str(number), str(number)) for number in range(5)))
    assert kept.first("red") == 3
    page = kept.after("red", 0, 10)
    assert (page.first, len(page.events)) == (3, 3)
    known, unknown = kept.append([say("4", "4"), say("0", "0")], 1)
    assert (stored(known).seq, stored(known).fresh) == (5, False)
    assert (stored(unknown).seq, stored(unknown).fresh) == (6, True), "it went with its event"


def test_deleting_many_messages_is_as_cheap_for_each_as_deleting_one() -> None:
    kept = store(tail_events=20_000)
    keep(kept, *(say(str(number)) for number in range(5_000)))
    keep(kept, *(edit(number + 1, "y") for number in range(0, 5_000, 5)))
    began = time.process_time()
    keep(kept, *(delete(number + 1) for number in range(5_000)))
    assert time.process_time() - began < 2, "a look through the log for each took 20 s"
    payloads = kept.after("red", 5_000, 1_000).events
    assert all(b'"text":""' in payload for payload in payloads), "no edit has its words"


def test_what_is_known_of_edits_goes_with_their_messages() -> None:
    kept = store(tail_events=10)
    for number in range(1, 200, 2):
        keep(kept, say("x"), edit(number, "y"))
    (log,) = kept._logs.values()
    assert len(log.edits) <= 10


def test_bytes_bound_a_log_too_but_its_newest_word_stays() -> None:
    kept = store(tail_bytes=1000)
    keep(kept, *(say("x" * 300) for _ in range(10)))
    assert len(kept.after("red", 0, 10).events) == 2
    keep(kept, say("x" * 3000))
    assert len(kept.after("red", 0, 10).events) == 1


def test_an_empty_rooms_log_stays_for_a_while_and_then_goes() -> None:
    kept = store(linger=10)
    keep(kept, say("a"))
    epoch = kept.open("red", 0).epoch
    kept.rest("red", 100.0)
    kept.tidy(109.0)
    assert kept.open("red", 0).epoch == epoch
    assert kept.open("red", 0).seq == 1
    kept.rest("red", 110.0)
    kept.tidy(120.5)
    assert kept.open("red", 0).epoch != epoch
    assert kept.open("red", 0).seq == 0


def test_a_log_that_woke_up_is_not_let_go() -> None:
    kept = store(linger=10)
    keep(kept, say("a"))
    kept.rest("red", 0.0)
    kept.open("red", 0)
    kept.tidy(1000.0)
    assert kept.open("red", 0).seq == 1


def test_all_empty_rooms_stay_within_one_bound() -> None:
    kept = store(linger_bytes=20 * (LOG_COST + 400))
    for number in range(1000):
        keep(kept, say("x", log=f"room-{number}"))
        kept.rest(f"room-{number}", float(number))
    assert kept._resting_cost <= 20 * (LOG_COST + 400)
    assert 10 < len(kept._logs) < 40
    assert "room-999" in kept._logs, "who rested longest goes first"


def test_a_room_where_nothing_was_said_leaves_nothing() -> None:
    kept = store()
    kept.open("red", 0)
    kept.rest("red", 0.0)
    kept.rest("never", 0.0)
    assert not kept._logs
