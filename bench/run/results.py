"""What was measured, as `bench/results/PART.json`: kept after each run, so that all can go on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.run import machine
from bench.run.load import Figures

RESULTS = machine.ROOT / "bench" / "results"


@dataclass(slots=True)
class Run:
    """One run of one case on one server; `figures` has `failed` where there are none."""

    case: str
    server: str
    round: int
    figures: Figures
    seconds: float = 0.0


@dataclass(slots=True)
class Record:
    """All runs of a part."""

    part: str
    machine: dict[str, str]
    code: str
    begun: str = ""
    ended: str = ""
    """Empty while runs are missing."""
    busy: float = 0.0
    """The load of the machine when it began: 0 is a quiet one."""
    servers: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def of(self, case: str, server: str) -> list[Figures]:
        """The figures of one server in one case, in the order of their rounds."""
        return [run.figures for run in self.runs if (run.case, run.server) == (case, server)]

    def seconds(self, case: str, server: str) -> list[float]:
        """What its runs took."""
        return [run.seconds for run in self.runs if (run.case, run.server) == (case, server)]

    def has(self, case: str, server: str, turn: int) -> bool:
        return any((r.case, r.server, r.round) == (case, server, turn) for r in self.runs)

    def values(self, case: str, server: str, name: str) -> list[float]:
        """One figure of all runs that did not fail."""
        return [figures[name] for figures in self.of(case, server) if name in figures]

    def sum(self, case: str, server: str, names: Iterable[str]) -> float:
        wanted = tuple(names)
        return float(sum(figures.get(n, 0) for figures in self.of(case, server) for n in wanted))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def path_of(part: str, folder: Path) -> Path:
    return folder / f"{part}.json"


def written(record: Record) -> str:
    """The record as JSON, with a line for each run."""
    head: dict[str, Any] = {
        name: getattr(record, name)
        for name in ("part", "begun", "ended", "busy", "code", "machine", "servers", "skipped")
    }
    text = json.dumps(head, indent=1, ensure_ascii=False)
    lines = ",\n  ".join(
        json.dumps([run.case, run.server, run.round, run.seconds, run.figures], ensure_ascii=False)
        for run in record.runs
    )
    return f'{text[:-2]},\n "runs": [\n  {lines}\n ]\n}}\n'


def read(path: Path) -> Record:
    told = json.loads(path.read_text())
    runs = [
        Run(case, server, turn, figures, seconds)
        for case, server, turn, seconds, figures in told.pop("runs")
    ]
    return Record(**told, runs=runs)


def keep(record: Record, results: Path = RESULTS, cache: Path = machine.CACHE) -> Path:
    """Write it, whole or not at all: into the cache, and to the results when it has ended."""
    folder = results if record.ended else cache
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(record.part, folder)
    new = path.with_suffix(".new")
    new.write_text(written(record))
    new.replace(path)
    if record.ended:
        path_of(record.part, cache).unlink(missing_ok=True)
    return path


def begin(part: str, code: str, cache: Path = machine.CACHE) -> Record:
    """The unfinished record of the part, if it is of this machine and code; else a new one."""
    here = machine.described()
    path = path_of(part, cache)
    if path.exists():
        old = read(path)
        if (old.machine, old.code) == (here, code):
            return old
    return Record(part, here, code, begun=now(), busy=round(machine.busy(), 2))


def finished(parts: Sequence[str], code: str, folder: Path = machine.CACHE) -> list[str]:
    """Parts that were done by a run of all these parts which has not come to its end."""
    path = folder / "unfinished.json"
    told = json.loads(path.read_text()) if path.exists() else {}
    same = (told.get("parts"), told.get("code")) == (list(parts), code)
    return list(told["done"]) if same else []


def note_finished(
    parts: Sequence[str], code: str, done: Sequence[str], folder: Path = machine.CACHE
) -> None:
    """Remember which parts are done; all of them: forget it, the next run is a new one."""
    path = folder / "unfinished.json"
    if set(done) >= set(parts):
        path.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"parts": list(parts), "code": code, "done": list(done)}))


def all_kept(folder: Path = RESULTS) -> dict[str, Record]:
    return {path.stem: read(path) for path in sorted(folder.glob("*.json"))}
