"""Pace and the log, as plain objects."""

from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat.cursor import Cursor
from hubbub.chat.limits import Pace
from hubbub.chat.log import Log


def test_a_pace_lets_a_burst_through_and_then_its_rate() -> None:
    pace = Pace(10, 30)
    tat, passed = 0.0, 0
    for tick in range(1000):
        now = 100 + tick / 100
        taken = pace.take(tat, now)
        if taken >= 0:
            tat, passed = taken, passed + 1
        else:
            assert pace.take(tat, now - taken + 1e-6) > 0, "who waits as told is let through"
    assert passed in range(128, 131), "10 s at 10 a second, and a burst of 30"


def test_a_rate_below_one_still_lets_one_through() -> None:
    assert Pace(0.1, 1).take(0.0, 50.0) > 0
    assert Pace(0, 30).take(0.0, 50.0) == 0.0


@given(st.lists(st.one_of(st.integers(1, 40), st.just(0)), max_size=60), st.integers(1, 120))
def test_any_reader_gets_the_log_in_pieces_without_loss(sizes: list[int], most: int) -> None:
    log = Log(10)
    frames = [bytes([65 + place % 26]) * (size or 7) for place, size in enumerate(sizes)]
    for frame, size in zip(frames, sizes, strict=True):
        if size:
            log.keep(frame, log.seq + 1)
        else:
            log.tell(frame)
    cursor = Cursor(log.base, 10)
    heard = b""
    while cursor.offset < log.head:
        piece, cursor.offset = log.since(cursor.offset, most)
        assert piece
        heard += piece
    assert heard == b"".join(frames)
    assert log.seq_before(log.head) == 10 + sum(1 for size in sizes if size)


def test_a_log_that_forgets_still_knows_what_stood_before() -> None:
    log = Log(0)
    for seq in range(1, 11):
        log.keep(b"x" * 10, seq)
    log.bound(4, 1000)
    assert (log.base, len(log), log.seq_before(log.base)) == (6, 4, 6)
    log.bound(4, 25)
    assert (log.base, len(log), log.size) == (8, 2, 20)
    log.forget(log.head)
    assert (len(log), log.size, log.seq_before(log.head), log.seq) == (0, 0, 10, 10)
