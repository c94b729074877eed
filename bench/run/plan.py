"""In which order things are measured, and how long that takes still. Runs alternate: each round has
every case once on every server, so that a machine that changes its pace changes it for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.run.servers import Kind
from bench.run.work import ROUNDS, Case

FEW, SLOW = 3, 15.0
"""Runs that have to do where one takes longer than so many seconds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One run that is to be done."""

    case: Case
    kind: Kind
    round: int
    of: int = ROUNDS
    """How many rounds there are."""


def steps(cases: Sequence[Case], kinds: Sequence[Kind], rounds: int = ROUNDS) -> Iterator[Step]:
    """All runs of one part, in their order; no case is run more often than `rounds`."""
    for turn in range(rounds):
        for case in cases:
            if turn < case.rounds:
                of = min(case.rounds, rounds)
                yield from (Step(case, kind, turn, of) for kind in kinds if case.wants(kind))


def is_enough(turn: int, took: Sequence[float]) -> bool:
    """Whether a server whose runs took so many seconds needs no more: slow ones run three times."""
    return turn >= FEW and bool(took) and median(took) > SLOW


@dataclass(slots=True)
class Clock:
    """What is left, from what runs took so far: the same case and server, else the case's guess."""

    took: dict[tuple[str, str, str], float] = field(default_factory=dict)
    guessed: float = 0.0
    """What was guessed for all that ran so far, and what it took: a slow machine is slow in all."""
    spent: float = 0.0

    def note(self, step: Step, seconds: float) -> None:
        self.took[step.case.part, step.case.name, step.kind.name] = seconds
        self.guessed += step.case.seconds
        self.spent += seconds

    def left(self, rest: Iterable[Step]) -> float:
        """Seconds that these steps will take."""
        slower = self.spent / self.guessed if self.guessed else 1.0
        return sum(
            self.took.get(
                (step.case.part, step.case.name, step.kind.name), step.case.seconds * slower
            )
            for step in rest
        )


def span(seconds: float) -> str:
    """A time as people say it: `40 s`, `3 min`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
