"""In which order things are measured, and how long that takes still. Runs alternate: each round has
every case once on every server, so that a machine that changes its pace changes it for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.run.servers import Kind
from bench.run.work import Case


@dataclass(frozen=True, slots=True)
class Step:
    """One run that is to be done."""

    case: Case
    kind: Kind
    round: int


def steps(cases: Sequence[Case], kinds: Sequence[Kind]) -> Iterator[Step]:
    """All runs of one part, in their order."""
    for turn in range(max((case.rounds for case in cases), default=0)):
        for case in cases:
            if turn < case.rounds:
                yield from (Step(case, kind, turn) for kind in kinds if case.wants(kind))


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
