"""Medians, spreads and growth: pure numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """What several runs of the same gave."""

    middle: float
    low: float
    high: float
    runs: int


def spread(values: Iterable[float]) -> Spread:
    """The median and the range; at least one value is needed (ValueError)."""
    found = sorted(values)
    if not found:
        raise ValueError("no runs, no spread")
    return Spread(median(found), found[0], found[-1], len(found))


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """`b` of y = a·xᵇ that fits best: least squares on logarithms. Two different `x` are needed."""
    xs = [math.log(x) for x, _ in points]
    ys = [math.log(y) for _, y in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    over = sum((x - x_mean) ** 2 for x in xs)
    if over == 0:
        raise ValueError("a growth needs two sizes")
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / over


def highest(
    good: Callable[[float], bool], start: float, *, least: float, most: float, halvings: int = 3
) -> float:
    """The highest rate that is good, to a factor of 2^(1/2^halvings); 0 if none from `least` on is.

    Doubles or halves from `start` until good and bad are neighbours, then halves the gap on the
    logarithmic scale. `good` is asked at most once a rate, and only within `least` and `most`.
    """
    rate = above = min(max(start, least), most)
    if good(rate):
        while rate < most:
            above = min(rate * 2, most)
            if not good(above):
                break
            rate = above
        else:
            return rate
    else:
        while True:
            if above <= least:
                return 0.0
            rate = max(above / 2, least)
            if good(rate):
                break
            above = rate
    for _ in range(halvings):
        between = math.sqrt(rate * above)
        if good(between):
            rate = between
        else:
            above = between
    return rate
