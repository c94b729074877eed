"""`make bench` as a person meets it: wrong words, failing servers, what is running."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.run import __main__ as command
from bench.run.load import Figures, LoadError
from bench.run.plan import Clock, Step
from bench.run.results import Record
from bench.run.servers import OURS, Kind, running
from bench.run.work import PARTS, Case

ROOT = Path(__file__).parents[2]


def test_a_part_that_is_not_there_is_refused_with_those_that_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.run", "fnaout"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"bench: there is no part fnaout; the parts are {', '.join(PARTS)}\n"


def test_a_server_that_is_not_there_is_refused_with_those_that_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.run", "memory", "servers=hubbub,bnu"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("bench: there is no server bnu; the servers are hubbub, ")


def test_some_servers_alone_are_measured_and_nothing_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(kind: Kind, before: Sequence[Figures]) -> Figures:
        return {"per_cpu": 1e6 * (1 + len(before)) * (2 if kind.is_ours else 1)}

    monkeypatch.setitem(PARTS, "fanout", [Case("fanout", "10/10/1", measured, 2, ours=("hubbub",))])
    monkeypatch.setattr(command, "build", lambda kinds: (list(kinds), {}))
    before = {path: path.read_bytes() for path in (ROOT / "bench" / "results").iterdir()}
    command.some(["fanout"], ["limit", "hubbub"], 3)
    assert before == {path: path.read_bytes() for path in (ROOT / "bench" / "results").iterdir()}
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert table[0] == "|  | 10/10/1 |"
    assert table[2:] == [
        "| **Hubbub, memory** | 4.00 (2.00 to 6.00) |",
        "| the limit (C) | 2.00 (1.00 to 3.00) |",
    ]


def test_a_run_that_fails_is_kept_as_failed_and_the_next_one_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(_kind: Kind, _before: Sequence[Figures]) -> Figures:
        raise LoadError("3 of 500 entered")

    def working(_kind: Kind, before: Sequence[Figures]) -> Figures:
        return {"rounds before": len(before)}

    record, clock = Record("fanout", {}, "code"), Clock()
    for turn, measure in enumerate((working, broken, working)):
        step = Step(Case("fanout", "500/1/1", measure, 2), OURS[0], turn, 3)
        command.go(step, record, clock, [])
    assert record.of("500/1/1", "hubbub") == [
        {"rounds before": 0},
        {"failed": "3 of 500 entered"},
        {"rounds before": 2},
    ]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "fanout 500/1/1, Hubbub, memory: run 1 of 3; 2 s left"
    assert "fanout 500/1/1, Hubbub, memory: 3 of 500 entered" in said


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    def started(kind: Kind, _before: Sequence[Figures]) -> Figures:
        with running(kind, tmp_path):
            return {}

    kind = Kind("broken", "Broken", "plain", "", ("sh", "-c", "echo no such engine; exit 3"))
    step = Step(Case("fanout", "x", started, 1), kind, 0)
    assert command.measured(step, []) == {"failed": "Broken does not start: no such engine"}


def test_a_peer_that_cannot_be_built_is_skipped_with_its_last_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kind = Kind("odd", "Odd", "plain", "", (), build=(("sh", "-c", "echo no network; exit 1"),))
    lacking = Kind("gone", "Gone", "plain", "", (), needs=("a-compiler-of-nothing",))
    ready, skipped = command.build([OURS[0], kind, lacking])
    assert ready == [OURS[0]]
    assert skipped == {
        "odd": "sh -c failed: no network",
        "gone": "it needs a-compiler-of-nothing",
    }
    assert "skipped: Odd: sh -c failed: no network" in capsys.readouterr().out
