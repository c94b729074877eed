"""`memory:` keeps what it promises, and no more."""

from itertools import count

from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.base import Reused, Stored
from hubbub.store.memory import LOG_COST, MemoryStore


def store(**bounds: float) -> MemoryStore:
    epochs = count(1)
    return MemoryStore(Settings(**bounds), lambda: f"e{next(epochs)}")  # type: ignore[arg-type]


def draft(text: str, id: str | None = None, author: bytes = b"ann", log: str = "red") -> Draft:
    return Draft(log, author, "ann", text, id)


def seqs(kept: MemoryStore, *drafts: Draft, ts: int = 1) -> list[int]:
    return [outcome.seq for outcome in kept.append(drafts, ts)]


def test_each_log_is_numbered_from_one_without_a_hole() -> None:
    kept = store()
    assert seqs(kept, draft("a"), draft("b", log="blue"), draft("c")) == [1, 1, 2]
    assert seqs(kept, draft("d")) == [3]


def test_time_never_goes_back_within_a_log() -> None:
    kept = store()
    (first,) = kept.append([draft("a")], 1000)
    (second,) = kept.append([draft("b")], 900)
    assert isinstance(first, Stored)
    assert isinstance(second, Stored)
    assert b'"ts":1000' in second.payload


def test_an_id_is_kept_once_for_each_author() -> None:
    kept = store()
    first, again, other, changed = kept.append(
        [draft("a", "1"), draft("a", "1"), draft("a", "1", b"bob"), draft("b", "1")], 1
    )
    assert isinstance(first, Stored)
    assert again == Stored(1, first.payload, fresh=False)
    assert isinstance(other, Stored)
    assert other.seq == 2
    assert changed == Reused(1)
    assert kept.log("red").seq == 2


def test_only_the_newest_events_are_kept_and_their_ids_with_them() -> None:
    kept = store(tail_events=3)
    seqs(kept, *(draft(str(number), str(number)) for number in range(5)))
    assert kept.after("red", 0, 10)[0] == 3
    assert len(kept.after("red", 0, 10)[1]) == 3
    assert seqs(kept, draft("4", "4")) == [5], "this id is known"
    assert seqs(kept, draft("0", "0")) == [6], "this one went with its event"


def test_bytes_bound_a_log_too_but_its_newest_word_stays() -> None:
    kept = store(tail_bytes=1000)
    seqs(kept, *(draft("x" * 300) for _ in range(10)))
    assert len(kept.last("red", 10, 10)) == 2
    seqs(kept, draft("x" * 3000))
    assert len(kept.last("red", 10, 11)) == 1


def test_history_ends_where_it_is_asked_to() -> None:
    kept = store()
    seqs(kept, *(draft(str(number)) for number in range(1, 6)))
    assert [b'"text":"3"' in one for one in kept.last("red", 2, 4)] == [True, False]
    assert kept.last("red", 2, 0) == []
    assert len(kept.last("red", 50, 5)) == 5


def test_an_empty_rooms_log_stays_for_a_while_and_then_goes() -> None:
    kept = store(linger=10)
    seqs(kept, draft("a"))
    epoch = kept.log("red").epoch
    kept.rest("red", 100.0)
    kept.tidy(109.0)
    assert kept.log("red").epoch == epoch
    assert kept.log("red").seq == 1
    kept.rest("red", 110.0)
    kept.tidy(120.5)
    assert kept.log("red").epoch != epoch
    assert kept.log("red").seq == 0


def test_a_log_that_woke_up_is_not_let_go() -> None:
    kept = store(linger=10)
    seqs(kept, draft("a"))
    kept.rest("red", 0.0)
    kept.log("red")
    kept.tidy(1000.0)
    assert kept.log("red").seq == 1


def test_all_empty_rooms_stay_within_one_bound() -> None:
    kept = store(linger_bytes=20 * (LOG_COST + 400))
    for number in range(1000):
        seqs(kept, draft("x", log=f"room-{number}"))
        kept.rest(f"room-{number}", float(number))
    assert kept._resting_cost <= 20 * (LOG_COST + 400)
    assert 10 < len(kept._logs) < 40
    assert "room-999" in kept._logs, "who rested longest goes first"


def test_a_room_where_nothing_was_said_leaves_nothing() -> None:
    kept = store()
    kept.log("red")
    kept.rest("red", 0.0)
    kept.rest("never", 0.0)
    assert not kept._logs
