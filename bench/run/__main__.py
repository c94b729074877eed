"""`python -m bench.run [PART ...]`: measure all parts, or those; then write `docs/performance.md`.

`quick` measures one load with two peers in under 45 s and prints it; `report` only writes the page
anew from what was measured; `rounds=1` is for a first look. What was stopped goes on where it was.
`servers=hubbub,bun` measures these alone, prints the tables and keeps nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from bench.run import load as load_client
from bench.run import machine, report, results, servers, tables, work
from bench.run.plan import Clock, Step, is_enough, span, steps
from bench.run.servers import Kind

OPTIONS = ("rounds=", "servers=")


def told(words: str, *, passing: bool = False) -> None:
    """A line; on a terminal a passing one is written over by the next."""
    if sys.stdout.isatty():
        print("\r\x1b[K" + words, end="" if passing else "\n", flush=True)
    else:
        print(words, flush=True)


def build(kinds: Sequence[Kind]) -> tuple[list[Kind], dict[str, str]]:
    """Build them; gives those that can be measured, and why others cannot."""
    ready, skipped = [], {}
    for kind in kinds:
        lacking = servers.missing(kind)
        if kind.build and not lacking:
            told(f"building {kind.label}", passing=True)
        why = f"it needs {lacking}" if lacking else servers.build(kind)
        if why:
            skipped[kind.name] = why
            told(f"skipped: {kind.label}: {why}")
        else:
            ready.append(kind)
    return ready, skipped


def measured(step: Step, before: Sequence[load_client.Figures]) -> load_client.Figures:
    """One run; what fails is a figure, too."""
    try:
        return step.case.measure(step.kind, before)
    except (load_client.LoadError, machine.NotHereError, OSError) as error:
        return {"failed": str(error)[:200]}


def go(step: Step, record: results.Record, clock: Clock, rest: Sequence[Step]) -> None:
    """Do one run, say so, and keep what it gave."""
    what = f"{step.case.part} {step.case.name}, {step.kind.label}"
    turn = f"run {step.round + 1} of {step.of}"
    told(f"{what}: {turn}; {span(clock.left([step, *rest]))} left", passing=True)
    before = record.of(step.case.name, step.kind.name)
    begun = time.monotonic()
    figures = measured(step, before)
    seconds = time.monotonic() - begun
    clock.note(step, seconds)
    if "failed" in figures:
        told(f"{what}: {figures['failed']}")
    record.runs.append(
        results.Run(step.case.name, step.kind.name, step.round, figures, round(seconds, 2))
    )


def described(kinds: Sequence[Kind]) -> dict[str, dict[str, str]]:
    return {
        kind.name: {"label": kind.label, "says": kind.says, "version": servers.version_of(kind)}
        for kind in kinds
    }


def quick() -> None:
    """Hubbub, the limit and two peers at one load."""
    known = {kind.name: kind for kind in [*servers.OURS, *servers.peers()]}
    kinds, _ = build([known["hubbub"], known["limit"]])
    for name in work.QUICK_PEERS:
        if len(kinds) < 4:
            kinds += build([known[name]])[0]
    record = results.begin("quick", "quick")
    record.runs = []
    record.servers = described(kinds)
    todo, clock = list(steps(work.QUICK, kinds)), Clock()
    for number, step in enumerate(todo):
        go(step, record, clock, todo[number + 1 :])
    told("")
    print(tables.quick(record, work.QUICK[0]))


def full(parts: Sequence[str], rounds: int) -> None:
    """Measure the parts, and write the page after each."""
    kinds, skipped = build([*servers.OURS, *servers.peers()])
    folders = [machine.ROOT / name for name in ("src", "bench/load", "bench/peers")]
    code = machine.digest(*folders)
    done = results.finished(parts, code)
    if done:
        told(f"going on; done are {', '.join(done)}")
    left = [part for part in parts if part not in done]
    records = {part: results.begin(part, code) for part in left}
    todo = {
        part: [
            step
            for step in steps(work.PARTS[part], kinds, rounds)
            if not records[part].has(step.case.name, step.kind.name, step.round)
        ]
        for part in left
    }
    clock = Clock()
    waiting = [step for part in left for step in todo[part]]
    for part in left:
        record = records[part]
        record.servers, record.skipped = described(kinds), skipped
        for step in todo[part]:
            waiting.pop(0)
            if is_enough(step.round, record.seconds(step.case.name, step.kind.name)):
                continue
            go(step, record, clock, waiting)
            results.keep(record)
        record.ended = results.now()
        path = results.keep(record)
        done.append(part)
        results.note_finished(parts, code, done)
        report.write()
        told(f"{part}: done; {path.relative_to(machine.ROOT)}")


def some(parts: Sequence[str], names: Sequence[str], rounds: int) -> None:
    """Print what the parts give for these servers alone."""
    known = {kind.name: kind for kind in [*servers.OURS, *servers.peers()]}
    kinds, _ = build([known[name] for name in names])
    for part in parts:
        record = results.Record(part, machine.described(), "", begun=results.now(), busy=0.0)
        record.servers = described(kinds)
        todo, clock = list(steps(work.PARTS[part], kinds, rounds)), Clock()
        for number, step in enumerate(todo):
            go(step, record, clock, todo[number + 1 :])
        told("")
        print(tables.TABLES[part](record))


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:] if word.startswith(OPTIONS))
    wanted = [word for word in sys.argv[1:] if not word.startswith(OPTIONS)]
    rounds = int(options.get("rounds", work.ROUNDS))
    names = options["servers"].split(",") if "servers" in options else []
    unknown = [part for part in wanted if part not in {*work.PARTS, "quick", "report"}]
    if unknown:
        parts = ", ".join(work.PARTS)
        sys.exit(f"bench: there is no part {unknown[0]}; the parts are {parts}")
    known = [kind.name for kind in [*servers.OURS, *servers.peers()]]
    for name in names:
        if name not in known:
            sys.exit(f"bench: there is no server {name}; the servers are {', '.join(known)}")
    if wanted == ["report"]:
        report.write()
        return
    try:
        machine.prepare()
        load_client.build()
        if wanted == ["quick"]:
            quick()
        elif names:
            some(wanted or list(work.PARTS), names, rounds)
        else:
            full(wanted or list(work.PARTS), rounds)
    except machine.NotHereError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("\nbench: stopped; the same command goes on from here")


if __name__ == "__main__":
    main()
