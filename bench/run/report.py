"""`docs/performance.md` and its plots, from what is kept in `bench/results`."""

from __future__ import annotations

from pathlib import Path

from bench.run import machine, plots, results, tables, work
from bench.run.results import Record
from bench.run.stats import spread

PAGE = machine.ROOT / "docs" / "performance.md"
PICTURES = machine.ROOT / "docs" / "images" / "performance"
BEGIN, END = "<!-- figures: made by make bench -->\n", "<!-- end of figures -->\n"

TITLES = {
    "fanout": "Fan-out",
    "open": "Delay at a fixed rate",
    "joins": "Joining one room",
    "storm": "Everyone comes back at once",
    "memory": "Memory",
    "stopped": "One reader stops",
    "growth": "How Hubbub's own costs grow",
}
ABOUT = {
    "fanout": (
        "Million deliveries a CPU-second of the server; a closed loop. Loads are members/senders/"
        "messages in flight for each sender; the last one is a thousand rooms."
    ),
    "open": (
        "Messages of ten senders at a fixed rate that does not wait for the server. A delay counts"
        " from when the message was due."
    ),
    "joins": "So many join one room, 32 at a time, until nothing more is told.",
    "storm": "5,000 members of 50 rooms lose their connections, and all connect again at once.",
    "memory": "Growth of the server's resident memory, rooms of 100 idle members.",
    "stopped": (
        "800 messages a second of 3,900 bytes to 50 members, one of whom reads nothing for 3 s,"
        " then reads again."
    ),
    "growth": "CPU time of the server; the exponent b of cost = a·sizeᵇ that fits best.",
}
BARS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "fanout": (("per_cpu", "million deliveries a CPU-second; more is better", 1e-6),),
    "open": (("highest", "messages a second with p99 under 50 ms; more is better", 1.0),),
    "joins": (("cpu", "CPU-seconds; less is better", 1.0),),
    "storm": (
        ("seconds", "seconds until the last is back; less is better", 1.0),
        ("cpu", "CPU-seconds; less is better", 1.0),
    ),
    "memory": (("bytes", "bytes a connection; less is better", 1.0),),
    "stopped": (
        ("p99", "p99 of the others, ms; less is better", 1.0),
        ("megabytes", "memory grew by, MB; less is better", 1.0),
    ),
}


PANELS = {"joins": "{} join", "storm": "{} come back", "memory": "{} connections"}
"""What a part's panels are called, where the case's name alone says too little."""


def panel(record: Record, case: str, name: str, unit: str, scale: float) -> plots.Bars:
    bars = []
    for server in record.servers:
        values = record.values(case, server, name)
        if values:
            found = spread(value * scale for value in values)
            kind = (
                "ours" if server.startswith("hubbub") else "limit" if server == "limit" else "peer"
            )
            label = record.servers[server]["label"]
            mark = tables.marks(record, case, server)
            bars.append(plots.Bar(label, found, tables.short(found.middle), kind, mark))
    more = "more is better" in unit
    bars.sort(key=lambda bar: -bar.value.middle if more else bar.value.middle)
    return plots.Bars(PANELS.get(record.part, "{}").format(case), unit, bars)


def picture(record: Record) -> str:
    """The plot of a part, as SVG."""
    panels: list[plots.Bars | plots.Growth] = []
    if record.part == "growth":
        for of, words in tables.GROWTHS.items():
            points = tables.growth_points(record, of)
            if len(points) > 1:
                panels.append(plots.Growth(f"CPU of {words}", "µs", points))
    else:
        cases = [case.name for case in work.PARTS[record.part] if case.peers]
        for name, unit, scale in BARS[record.part]:
            panels += [panel(record, case, name, unit, scale) for case in cases]
    return plots.page(panels, TITLES[record.part])


def measured_on(record: Record) -> str:
    here, turns = record.machine, max(run.round for run in record.runs) + 1
    return (
        f"Measured {record.begun[:10]} in {turns} runs of each on {here['processor']},"
        f" {here['cores']} cores (core 0 shares with {here['core 0 shares with']}),"
        f" {here['memory']}, {here['system']}, kernel {here['kernel']}, Python {here['python']},"
        f" uvloop {here['uvloop']}, Hubbub's part in C {here['part in C']};"
        f" load of the machine at the start {record.busy:.1f}.\n"
    )


def about_servers(records: dict[str, Record]) -> str:
    told: dict[str, list[str]] = {}
    skipped: dict[str, str] = {}
    for record in records.values():
        skipped |= record.skipped
        for name, server in record.servers.items():
            told[name] = [server["label"], server["says"], server["version"]]
    text = tables.table(["", "as measured", "version"], told.values())
    for name, why in skipped.items():
        text += f"\nNot measured: {name}: {why}.\n"
    return text


def figures(records: dict[str, Record]) -> str:
    """The part of the page that is made: all between its two marks."""
    kept = {part: records[part] for part in TITLES if part in records and records[part].runs}
    if not kept:
        return "\nNothing has been measured yet.\n\n"
    text = f"\n{tables.LEGEND}\nMedians, with the lowest and the highest run in brackets.\n"
    for part, record in kept.items():
        text += f"\n## {TITLES[part]}\n\n{ABOUT[part]}\n\n{tables.TABLES[part](record)}"
        text += f"\n![{TITLES[part]}](images/performance/{part}.svg)\n\n{measured_on(record)}"
    text += "\n## Where a peer is ahead\n\n"
    lost = tables.losses(kept)
    text += "".join(f"- {line}\n" for line in lost) or "Nowhere in these figures.\n"
    return text + "\n## What was measured\n\n" + about_servers(kept) + "\n"


def page(old: str, records: dict[str, Record]) -> str:
    """The page with its figures anew; what people wrote around them stays."""
    before, _, rest = old.partition(BEGIN)
    after = rest.partition(END)[2]
    return before + BEGIN + figures(records) + END + after


def write(folder: Path = results.RESULTS) -> None:
    """Write the page and its plots."""
    records = results.all_kept(folder)
    PAGE.write_text(page(PAGE.read_text(), records))
    PICTURES.mkdir(parents=True, exist_ok=True)
    for part, record in records.items():
        if part in TITLES and record.runs:
            (PICTURES / f"{part}.svg").write_text(picture(record))
