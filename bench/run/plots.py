"""Plots as SVG, made from numbers alone: readable on light and dark pages, without a library.

Bars for servers, with a line from the lowest run to the highest; points and lines on two
logarithmic axes for growth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bench.run.stats import Spread

WIDTH, COLUMNS, GAP = 900, 2, 24
ROW, NAMES, VALUES = 20, 165, 92
PLOT = 230
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 13px }
.quiet { fill: #59636e; font-size: 11px }
.page { fill: #ffffff }
.peer { fill: #a9b3bf } .ours { fill: #c2410c } .limit { fill: #d9dee4 }
.range, .axis { stroke: #59636e; fill: none } .axis { stroke-opacity: .35 }
.curve { stroke: #c2410c; stroke-width: 2; fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .quiet { fill: #9198a1 } .page { fill: #0d1117 }
.peer { fill: #57606a } .ours { fill: #f0883e } .limit { fill: #30363d }
.range, .axis { stroke: #9198a1 } .curve { stroke: #f0883e }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A server's figure. `kind` is `ours`, `peer` or `limit`; `mark` stands after the value."""

    name: str
    value: Spread
    text: str
    kind: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """A panel of bars, the longest the largest value."""

    title: str
    unit: str
    bars: Sequence[Bar]

    @property
    def height(self) -> int:
        return 46 + ROW * len(self.bars)

    def drawn(self, width: int) -> str:
        most = max((bar.value.high for bar in self.bars), default=0) or 1
        room = width - NAMES - VALUES
        lines = [text(0, 14, self.title, "title"), text(0, 30, self.unit, "quiet")]
        for number, bar in enumerate(self.bars):
            y = 42 + number * ROW
            long = room * bar.value.middle / most
            low, high = (NAMES + room * value / most for value in (bar.value.low, bar.value.high))
            lines.append(text(NAMES - 8, y + 12, bar.name, "", "end"))
            lines.append(
                f'<rect class="{bar.kind}" x="{NAMES}" y="{y}" width="{long:.1f}" height="15"/>'
            )
            if bar.value.runs > 1:
                lines.append(f'<path class="range" d="M{low:.1f} {y + 7.5}H{high:.1f}"/>')
            end = max(NAMES + long, high) + 6
            lines.append(text(end, y + 12, f"{bar.text} {bar.mark}".strip(), ""))
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Growth:
    """A panel of one curve on logarithmic axes."""

    title: str
    unit: str
    points: Sequence[tuple[float, Spread]]

    @property
    def height(self) -> int:
        return PLOT + 60

    def drawn(self, width: int) -> str:
        left, top, right, bottom = 60, 44, width - 16, 44 + PLOT - 20
        xs = [math.log10(x) for x, _ in self.points]
        # Whole powers of ten, and at least one step, so that a level curve looks level.
        y_low = math.floor(min(math.log10(y.low) for _, y in self.points))
        y_high = max(math.ceil(max(math.log10(y.high) for _, y in self.points)), y_low + 1)
        x_low, x_high = min(xs), max(*xs, min(xs) + 1)

        def x_at(value: float) -> float:
            return left + (right - left) * (math.log10(value) - x_low) / (x_high - x_low)

        def y_at(value: float) -> float:
            return bottom - (bottom - top) * (math.log10(value) - y_low) / (y_high - y_low)

        lines = [text(0, 14, self.title, "title"), text(0, 30, self.unit, "quiet")]
        for power in range(y_low, y_high + 1):
            y = y_at(10.0**power)
            lines.append(f'<path class="axis" d="M{left} {y:.1f}H{right}"/>')
            lines.append(text(left - 8, y + 4, number(10.0**power), "quiet", "end"))
        for power in range(math.ceil(x_low), math.floor(x_high) + 1):
            x = x_at(10.0**power)
            lines.append(text(x, bottom + 18, number(10.0**power), "quiet", "middle"))
        curve = "L".join(f"{x_at(x):.1f} {y_at(y.middle):.1f}" for x, y in self.points)
        lines.append(f'<path class="curve" d="M{curve}"/>')
        for size, found in self.points:
            x, low, high = x_at(size), y_at(found.low), y_at(found.high)
            lines.append(
                f'<path class="range" d="M{x:.1f} {low:.1f}V{high:.1f}"/>'
                f'<circle class="ours" cx="{x:.1f}" cy="{y_at(found.middle):.1f}" r="3.5"/>'
            )
        return "\n".join(lines)


def number(value: float) -> str:
    """A power of ten for an axis: `10`, `10k`, `0.1`."""
    for size, name in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{name}"
    return f"{value:g}"


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}{placed}>{escape(words)}</text>'


def page(panels: Sequence[Bars | Growth], title: str) -> str:
    """All panels in one picture, two beside each other; `title` is for those who cannot see it."""
    width = (WIDTH - GAP * (COLUMNS + 1)) // COLUMNS
    drawn, top = [], GAP
    for begin in range(0, len(panels), COLUMNS):
        beside = panels[begin : begin + COLUMNS]
        for number_of, panel in enumerate(beside):
            x = GAP + number_of * (width + GAP)
            drawn.append(f'<g transform="translate({x} {top})">\n{panel.drawn(width)}\n</g>')
        top += max(panel.height for panel in beside) + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="page" width="{WIDTH}" height="{top}" rx="8"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )
