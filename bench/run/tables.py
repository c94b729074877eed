"""What was measured as tables and sentences: pure text from records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.run import work
from bench.run.results import Record
from bench.run.stats import Spread, exponent, spread

DROPPED, DISORDERED, BEHIND = "†", "‡", "…"
LEGEND = (
    f"{DROPPED} dropped messages, or threw members out. {DISORDERED} messages came out of order, or"
    f" in another order to some. {BEHIND} had not delivered all a second after the end."
)
CORRUPT = ("disordered", "strayed")


def short(value: float) -> str:
    """Three digits that mean something: `1.23`, `0.0456`, `12,300`."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}"


def ranged(found: Spread, scale: float = 1.0) -> str:
    """The median, and the range in brackets."""
    low, high = short(found.low * scale), short(found.high * scale)
    middle = short(found.middle * scale)
    return middle if found.runs == 1 or low == high else f"{middle} ({low} to {high})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def marks(record: Record, case: str, server: str, lost: str = DROPPED) -> str:
    """What a reader must know beside a figure: `lost` stands for what was not delivered."""
    missed = record.sum(case, server, ("dropped", "lost_members")) > 0
    # Who missed something also heard another order; that is told by the other mark.
    corrupt = CORRUPT if missed else (*CORRUPT, "disagreeing")
    return (lost if missed else "") + (DISORDERED if record.sum(case, server, corrupt) else "")


def middle(record: Record, case: str, server: str, name: str) -> float | None:
    values = record.values(case, server, name)
    return spread(values).middle if values else None


def cell(
    record: Record,
    case: str,
    server: str,
    name: str,
    scale: float = 1.0,
    lost: str = DROPPED,
) -> str:
    values = record.values(case, server, name)
    if values:
        return f"{ranged(spread(values), scale)} {marks(record, case, server, lost)}".strip()
    return "failed" if record.of(case, server) else "–"


def label(record: Record, server: str) -> str:
    text = record.servers.get(server, {}).get("label", server)
    return f"**{text}**" if server.startswith("hubbub") else text


def ordered(record: Record, name: str, *, high_is_good: bool) -> list[str]:
    """Servers: Hubbub's, the limit, then peers from the best in the first case on."""
    servers = list(dict.fromkeys(run.server for run in record.runs))
    cases = list(dict.fromkeys(run.case for run in record.runs))

    def place(server: str) -> tuple[int, float]:
        rank = 0 if server.startswith("hubbub") else 1 if server == "limit" else 2
        value = middle(record, cases[0], server, name)
        worst = -1.0 if high_is_good else float("inf")
        value = worst if value is None else value
        return rank, 0.0 if rank == 0 else -value if high_is_good else value

    return sorted(servers, key=place)


Column = tuple[str, str, str, float]
"""Head, case, figure, scale."""


def compared(
    record: Record, columns: Sequence[Column], *, high_is_good: bool, lost: str = DROPPED
) -> str:
    """A row a server, a column a figure."""
    rows = [
        [label(record, server), *(cell(record, c, server, n, s, lost) for _, c, n, s in columns)]
        for server in ordered(record, columns[0][2], high_is_good=high_is_good)
    ]
    return table(["", *(head for head, _, _, _ in columns)], rows)


def fanout(record: Record) -> str:
    columns = [(case.name, case.name, "per_cpu", 1e-6) for case in work.PARTS["fanout"]]
    return compared(record, columns, high_is_good=True) + "\n" + busiest(record)


def busiest(record: Record) -> str:
    shares = [run.figures.get("load_share", 0.0) for run in record.runs]
    over = [run for run in record.runs if run.figures.get("load_share", 0.0) > 0.8]
    text = f"The load client's own share of its core: at most {max(shares, default=0):.0%}"
    if not over:
        return text + ".\n"
    labels = sorted({f"{label(record, run.server)} {run.case}" for run in over})
    return f"{text}; over 80 % in {len(over)} runs ({', '.join(labels)}).\n"


def quick(record: Record, case: work.Case) -> str:
    """What `make bench-quick` prints, for a terminal."""
    limit = middle(record, case.name, "limit", "per_cpu")
    lines = [f"{case.name} (members/senders/messages in flight), million deliveries a CPU-second:"]
    for server in ordered(record, "per_cpu", high_is_good=True):
        values = record.values(case.name, server, "per_cpu")
        name = record.servers[server]["label"]
        if not values:
            lines.append(f"  {name:24} failed")
            continue
        found = spread(values)
        ratio = f"{found.middle / limit:.2f} of the limit" if limit else ""
        figures = f"{found.middle / 1e6:5.2f} ({found.low / 1e6:.2f} to {found.high / 1e6:.2f})"
        lines.append(f"  {name:24} {figures}  {ratio} {marks(record, case.name, server)}".rstrip())
    return "\n".join(lines)


def delays(record: Record, case: str, server: str) -> str:
    """p50, p99 with its range, and p99.9 of one server."""
    found = [middle(record, case, server, name) for name in ("p50", "p999")]
    around = cell(record, case, server, "p99", lost=BEHIND)
    if None in found:
        return around
    return " / ".join((short(found[0] or 0), around, short(found[1] or 0)))


def open_loop(record: Record) -> str:
    cases = work.PARTS["open"]
    rows = [
        [label(record, server), *(delays(record, case.name, server) for case in cases)]
        for server in ordered(record, "p99", high_is_good=False)
    ]
    head = ["p50 / p99 / p99.9, ms", *(f"{case.name}, {case.facts['rate']}/s" for case in cases)]
    highest = [
        (f"{case.name}: messages a second", case.name, "highest", 1.0)
        for case in work.PARTS["open"]
    ]
    return (
        table(head, rows)
        + f"\nThe highest rate at which p99 stays under {work.GOOD_P99:.0f} ms:\n\n"
        + compared(record, highest, high_is_good=True, lost="")
    )


def joins(record: Record) -> str:
    columns: list[Column] = []
    for case in work.PARTS["joins"]:
        columns += [
            (f"{case.name}: seconds", case.name, "seconds", 1.0),
            (f"{case.name}: CPU-seconds", case.name, "cpu", 1.0),
            (f"{case.name}: MB sent", case.name, "megabytes", 1.0),
        ]
    return compared(record, columns, high_is_good=False)


def storm(record: Record) -> str:
    columns = [
        ("seconds until the last is back", "5,000", "seconds", 1.0),
        ("CPU-seconds", "5,000", "cpu", 1.0),
        ("came back", "5,000", "back", 1.0),
    ]
    return compared(record, columns, high_is_good=False)


def memory(record: Record) -> str:
    columns = [
        (f"bytes a connection, {case.name}", case.name, "bytes", 1.0)
        for case in work.PARTS["memory"]
        if case.name != "most"
    ]
    columns.append(("at rest, MB", "1,000", "at_rest", 1e-6))
    text = compared(record, columns, high_is_good=False)
    for figures in record.of("most", "hubbub"):
        if "connections" in figures:
            text += (
                f"\nOne Hubbub held {figures['connections']:,} connections, which came in"
                f" {figures['seconds']:.0f} s, at {figures['bytes']:,} bytes each; the limit on"
                f" open files was {figures['limit']:,}.\n"
            )
    return text


def stopped(record: Record) -> str:
    case = "one of 50"
    rows = []
    for server in ordered(record, "p99", high_is_good=False):
        found = [figures for figures in record.of(case, server) if "heard_share" in figures]
        if not found:
            rows.append([label(record, server), "failed", "", "", ""])
            continue
        heard = spread(figures["heard_share"] for figures in found)
        last = found[-1]
        fate = (
            f"{heard.middle:.0%} of what was said"
            + (", told how much is gone" if last["told_gone"] else "")
            + ("" if last["inside"] else f"; closed ({last['close_code'] or 'without a word'})")
        )
        rows.append(
            [
                label(record, server),
                cell(record, case, server, "p50", lost=BEHIND),
                cell(record, case, server, "p99", lost=BEHIND),
                cell(record, case, server, "megabytes", lost=""),
                fate,
            ]
        )
    head = ["", "others: p50, ms", "others: p99, ms", "memory grew by, MB", "the reader then gets"]
    return table(head, rows)


GROWTHS = {
    "members": "a message, by members of its room",
    "rooms": "a message, by rooms of one member",
    "history": "a join, by events in the room's log (SQLite)",
}


def growth_points(record: Record, of: str) -> list[tuple[float, Spread]]:
    points = []
    for case in work.PARTS["growth"]:
        if case.facts["of"] == of:
            values = record.values(case.name, case.ours[0], "cost")
            if values:
                points.append((float(case.facts["size"]), spread(values)))
    return points


def growth(record: Record) -> str:
    rows = []
    for of, words in GROWTHS.items():
        points = growth_points(record, of)
        if len(points) < 2:
            continue
        power = exponent([(size, found.middle) for size, found in points])
        (least, first), (most, last) = points[0], points[-1]
        rows.append(
            [
                f"CPU of {words}",
                f"{least:,.0f}: {short(first.middle)} µs",
                f"{most:,.0f}: {short(last.middle)} µs",
                f"{power:.2f}",
            ]
        )
    return table(["", "from", "to", "exponent"], rows)


TABLES: dict[str, Callable[[Record], str]] = {
    "fanout": fanout,
    "open": open_loop,
    "joins": joins,
    "storm": storm,
    "memory": memory,
    "stopped": stopped,
    "growth": growth,
}

AHEAD: tuple[tuple[str, str, str, bool], ...] = (
    ("fanout", "per_cpu", "deliveries a CPU-second", True),
    ("open", "p99", "p99 at the fixed rate", False),
    ("open", "highest", "the highest rate", True),
    ("joins", "cpu", "CPU of joining", False),
    ("joins", "seconds", "time of joining", False),
    ("storm", "seconds", "time of coming back", False),
    ("storm", "cpu", "CPU of coming back", False),
    ("memory", "bytes", "memory a connection", False),
    ("stopped", "p99", "others' p99 beside a stopped reader", False),
    ("stopped", "megabytes", "memory beside a stopped reader", False),
    ("stopped", "heard_share", "what a stopped reader gets afterwards", True),
)


def losses(records: dict[str, Record]) -> list[str]:
    """Where a peer that lost nothing is ahead of Hubbub in memory, in a line each."""
    found = []
    for part, name, words, high_is_good in AHEAD:
        record = records.get(part)
        for case in work.PARTS[part] if record else ():
            assert record is not None
            ours = middle(record, case.name, "hubbub", name)
            if ours is None:
                continue
            ahead = []
            for server in record.servers:
                value = middle(record, case.name, server, name)
                if server.startswith("hubbub") or server == "limit" or value is None:
                    continue
                if (value > ours if high_is_good else value < ours) and not marks(
                    record, case.name, server
                ):
                    ahead.append((value, label(record, server)))
            if ahead:
                ahead.sort(reverse=high_is_good)
                named = ", ".join(f"{text} {short(value)}" for value, text in ahead)
                found.append(f"{words}, {case.name}: Hubbub {short(ours)}; {named}")
    return found
