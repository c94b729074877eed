"""What is decided by numbers alone: medians, exponents, the highest rate, the order of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.run import results
from bench.run.plan import Clock, Step, is_enough, span, steps
from bench.run.servers import OURS, Kind, peers
from bench.run.stats import Spread, exponent, highest, spread
from bench.run.work import PARTS, QUICK, Case

KINDS = [*OURS, *peers()]


def test_a_spread_is_the_median_and_the_range() -> None:
    assert spread([3, 1, 9, 2, 4]) == Spread(3, 1, 9, 5)
    with pytest.raises(ValueError, match="no runs"):
        spread([])


@given(
    st.floats(-2, 3), st.floats(0.01, 1e6), st.lists(st.integers(1, 10**6), min_size=2, unique=True)
)
def test_an_exponent_is_that_of_the_law_behind_the_points(
    power: float, factor: float, sizes: list[int]
) -> None:
    points = [(float(size), factor * float(size) ** power) for size in sizes]
    assert exponent(points) == pytest.approx(power, abs=1e-4)


def test_one_size_has_no_exponent() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        exponent([(10, 1), (10, 2)])


@given(st.floats(1, 1e5), st.floats(1, 1e5))
def test_the_highest_rate_is_found_from_any_start(border: float, start: float) -> None:
    asked: list[float] = []

    def good(rate: float) -> bool:
        asked.append(rate)
        return rate <= border

    found = highest(good, start, least=1, most=1e5)
    assert found <= border < found * 2**0.125 * 1.000001 or found == 1e5
    assert len(asked) < 25
    assert all(1 <= rate <= 1e5 for rate in asked)


def test_where_no_rate_is_good_the_highest_is_none() -> None:
    assert highest(lambda _: False, 100, least=1, most=1000) == 0
    assert highest(lambda _: True, 100, least=1, most=1000) == 1000


def case(part: str = "fanout") -> Case:
    return PARTS[part][0]


def test_runs_alternate_and_every_case_runs_five_times_on_each_server() -> None:
    todo = list(steps(PARTS["fanout"], KINDS))
    first = [(step.case.name, step.kind.name) for step in todo[: len(todo) // 5]]
    assert len(set(first)) == len(first) == len(PARTS["fanout"]) * len(KINDS)
    assert [(s.case.name, s.kind.name) for s in todo] == first * 5
    assert [step.round for step in todo] == sorted(step.round for step in todo)


def test_what_is_hubbubs_own_is_measured_on_no_peer() -> None:
    kinds = {step.kind.name for step in steps(PARTS["growth"], KINDS)}
    assert kinds == {"hubbub", "hubbub-sqlite"}


def test_a_slow_server_runs_three_times() -> None:
    assert not is_enough(2, [40, 40])
    assert is_enough(3, [40, 40, 40])
    assert not is_enough(3, [4, 4, 40])


def test_the_time_that_is_left_is_learned_from_the_runs() -> None:
    clock = Clock()
    one, other = (Step(case(), kind, 0) for kind in KINDS[:2])
    guess = case().seconds
    assert clock.left([one, other]) == 2 * guess
    clock.note(one, guess * 3)
    assert clock.left([one, other]) == guess * 6  # all is three times as slow, as far as we know
    clock.note(other, guess)
    assert clock.left([one, other]) == guess * 4
    assert (span(40), span(600)) == ("40 s", "10 min")


def test_all_takes_less_than_an_hour_and_the_quick_one_less_than_45_seconds() -> None:
    quick: list[Kind] = [kind for kind in KINDS if kind.name in {"hubbub", "limit", "bun", "ws"}]
    assert Clock().left(steps(QUICK, quick)) < 45
    planned = [step for cases in PARTS.values() for step in steps(cases, KINDS)]
    assert Clock().left(planned) < 3600


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """For results, and for what is unfinished."""
    return tmp_path / "results", tmp_path / "cache"


def test_a_record_is_read_as_it_was_kept(folders: tuple[Path, Path]) -> None:
    record = results.begin("fanout", "code", folders[1])
    record.runs.append(results.Run("500/1/1", "hubbub", 0, {"per_cpu": 1200000}, 2.2))
    record.runs.append(results.Run("500/1/1", "ws", 0, {"failed": 'it "broke"'}))
    assert results.read(results.keep(record, *folders)) == record
    record.ended = results.now()
    results.keep(record, *folders)
    assert results.all_kept(folders[0]) == {"fanout": record}


def test_a_part_that_was_stopped_goes_on_and_one_that_was_done_begins_anew(
    folders: tuple[Path, Path],
) -> None:
    record = results.begin("fanout", "code", folders[1])
    record.runs.append(results.Run("500/1/1", "hubbub", 0, {}))
    results.keep(record, *folders)
    assert not results.all_kept(folders[0])
    going_on = results.begin("fanout", "code", folders[1])
    assert going_on.has("500/1/1", "hubbub", 0)
    assert not going_on.has("500/1/1", "hubbub", 1)
    assert not results.begin("fanout", "other code", folders[1]).runs
    going_on.ended = results.now()
    results.keep(going_on, *folders)
    assert not results.begin("fanout", "code", folders[1]).runs


def test_a_whole_run_that_was_stopped_passes_over_the_parts_that_are_done(tmp_path: Path) -> None:
    parts = ["fanout", "open"]
    assert results.finished(parts, "code", tmp_path) == []
    results.note_finished(parts, "code", ["fanout"], tmp_path)
    assert results.finished(parts, "code", tmp_path) == ["fanout"]
    assert results.finished(parts, "other code", tmp_path) == []
    assert results.finished(["fanout"], "code", tmp_path) == []
    results.note_finished(parts, "code", parts, tmp_path)
    assert results.finished(parts, "code", tmp_path) == []
