"""What is measured: the parts, their cases, and how one run of a case goes.

A run has a server of its own, started for it, and gives plain figures. All is checked by the load
client: what was dropped, came out of order or differently to different members is in the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.run import machine, stats
from bench.run.load import Figures, load
from bench.run.servers import Kind, running
from bench.store import fill

ROUNDS = 5
GOOD_P99 = 50.0
"""Milliseconds that 99 of 100 deliveries may take for a rate to count as borne."""
MOST_DELIVERIES = 4_000_000
"""Deliveries a second beyond which no higher rate is tried."""
BESIDE = ("hubbub", "hubbub-sqlite")
"""The stores of Hubbub that are measured beside all peers."""
Measure = Callable[[Kind, Sequence[Figures]], Figures]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. `measure` gets the server and the figures of its earlier rounds."""

    part: str
    name: str
    measure: Measure
    seconds: float
    """What a run takes, about: for the first guess of the time that is left."""
    ours: tuple[str, ...] = BESIDE
    peers: bool = True
    rounds: int = ROUNDS
    facts: dict[str, Any] = field(default_factory=dict)

    def wants(self, kind: Kind) -> bool:
        return kind.name in self.ours if kind.is_ours else self.peers


def checked(figures: Figures) -> Figures:
    """What says whether the figures count."""
    names = ("dropped", "disordered", "strayed", "disagreeing", "lost_members", "refused", "broken")
    found: Figures = {name: figures[name] for name in names if figures.get(name)}
    if figures.get("trouble"):
        found["trouble"] = figures["trouble"]
    found["load_share"] = round(figures["load_cpu"] / max(figures["seconds"], 1e-9), 3)
    found["server_share"] = round(figures["server_cpu"] / max(figures["seconds"], 1e-9), 3)
    return found


# Fan-out: a closed loop. Each sender has so many messages under way.


def fanout(
    numbers: tuple[int, int, int, int],
    kind: Kind,
    _before: Sequence[Figures],
    warm: float = 0.3,
    seconds: float = 1.0,
) -> Figures:
    rooms, members, senders, window = numbers
    with running(kind) as server, load(server) as client:
        client.connect(rooms, members, settle=0.1)
        found = client.tell(
            "closed", senders=senders, window=window, warm=warm, seconds=seconds, grace=10
        )
        delivered, processor = found["delivered"], max(found["server_cpu"], 1e-4)
        return {
            "per_cpu": round(delivered / processor),
            "per_second": round(delivered / found["seconds"]),
            "p50": found["delay_ms"]["p50"],
            "p99": found["delay_ms"]["p99"],
            "said": found["said"],
            **checked(found),
        }


LOADS = (
    (1, 500, 1, 1),
    (1, 500, 4, 1),
    (1, 500, 4, 16),
    (1, 50, 50, 4),
    (1, 10, 10, 1),
    (1000, 5, 5, 1),
)


def load_name(rooms: int, members: int, senders: int, window: int) -> str:
    name = f"{members}/{senders}/{window}"
    return name if rooms == 1 else f"{rooms:,} x {name}"


def fanout_case(
    part: str, numbers: tuple[int, int, int, int], warm: float = 0.3, seconds: float = 1.0
) -> Case:
    facts = dict(zip(("rooms", "members", "senders", "window"), numbers, strict=True))
    return Case(
        part,
        load_name(*numbers),
        partial(fanout, numbers, warm=warm, seconds=seconds),
        1.9 if numbers[0] == 1 else 3.5,
        ours=("hubbub", "hubbub-sqlite", "hubbub-full", "hubbub-redis"),
        facts=facts,
    )


# Open loop: a rate that does not wait for the server.


def open_loop(members: int, rate: float, kind: Kind, before: Sequence[Figures]) -> Figures:
    senders = min(members, 10)
    with running(kind) as server, load(server) as client:
        client.connect(1, members)
        client.tell("open", senders=senders, rate=rate, seconds=0.3)  # warm
        fixed = client.tell("open", senders=senders, rate=rate, seconds=1.2)
        client.tell("settle", settle=0.05, within=5)
        shares: dict[float, float] = {}

        def good(tried: float) -> bool:
            found = client.tell("open", senders=senders, rate=tried, seconds=0.4, grace=0.4)
            shares[tried] = found["load_cpu"] / found["seconds"]
            fine = found["delay_ms"]["p99"] < GOOD_P99 and not (
                found["dropped"] or found["lost_members"]
            )
            if not fine:
                client.tell("settle", settle=0.05, within=5)
            return fine and found["delivered"] > 0

        known = [figures["highest"] for figures in before if figures.get("highest")]
        highest = stats.highest(
            good,
            known[-1] * 0.8 if known else rate * 2,
            least=min(rate, 2),
            most=MOST_DELIVERIES / members,
            halvings=2,
        )
        return {
            "rate": rate,
            "p50": fixed["delay_ms"]["p50"],
            "p99": fixed["delay_ms"]["p99"],
            "p999": fixed["delay_ms"]["p999"],
            "highest": highest,
            "highest_load_share": round(shares.get(highest, 0.0), 3),
            **checked(fixed),
        }


# Coming


def joins(members: int, kind: Kind, _before: Sequence[Figures]) -> Figures:
    # A crowd's roster comes once a second; the peers tell nothing after the last welcome.
    settle = 1.2 if kind.is_ours else 0.3
    with running(kind) as server, load(server) as client:
        found = client.connect(1, members, settle=settle, within=60)
        return {
            "seconds": round(found["entered_in"], 4),
            "cpu": round(found["server_cpu"], 4),
            "megabytes": round(found["bytes_in"] / 1e6, 3),
            **checked(found),
        }


def storm(rooms: int, members: int, kind: Kind, _before: Sequence[Figures]) -> Figures:
    with running(kind) as server, load(server) as client:
        client.connect(rooms, members)
        client.tell("drop", abruptly=1)
        found = client.tell("return", within=30, settle=0.5)
        return {
            "seconds": round(found["entered_in"], 4),
            "cpu": round(found["server_cpu"], 4),
            "back": found["entered"],
            "of": rooms * members,
            **checked(found),
        }


# Memory


def memory(count: int, kind: Kind, _before: Sequence[Figures]) -> Figures:
    """`count` 0: as many as this machine lets one process hold, or come within two minutes."""
    members = 100
    limit = machine.prepare() - 200
    rooms = (count or limit) // members
    with running(kind) as server, load(server) as client:
        at_rest = server.memory()
        found = client.tell("connect", rooms=rooms, members=members, within=120)
        inside = found["entered"]
        return {
            "connections": inside,
            "limit": limit,
            "bytes": round((server.memory() - at_rest) / max(inside, 1)),
            "at_rest": at_rest,
            "seconds": round(found["entered_in"], 3),
            **checked(found),
        }


# A reader that stops


def stopped(kind: Kind, _before: Sequence[Figures]) -> Figures:
    members, rate, seconds, text = 50, 800, 3.0, 3900
    with running(kind) as server, load(server, text) as client:
        client.connect(1, members)
        at_rest = server.memory()
        client.tell("deaf", member=members - 1)
        found = client.tell("open", senders=1, rate=rate, seconds=seconds)
        grown = server.memory() - at_rest
        heard = client.tell("listen", member=members - 1, settle=0.7, within=10)
        return {
            "p50": found["delay_ms"]["p50"],
            "p99": found["delay_ms"]["p99"],
            "megabytes": round(grown / 1e6, 2),
            "said": found["said"],
            "heard_share": round(heard["heard"] / max(found["said"], 1), 4),
            "told_gone": heard["gaps"],
            "inside": heard["inside"],
            "close_code": heard["close_code"],
            **checked(found),
        }


# Growth of Hubbub alone


def growth_members(size: int, kind: Kind, _before: Sequence[Figures]) -> Figures:
    """Processor time of a message to so many."""
    with running(kind) as server, load(server) as client:
        client.connect(1, size)
        found = client.tell("closed", senders=1, window=1, warm=0.2, seconds=0.8)
        messages = max(found["delivered"] / size, 1e-9)
        return {"size": size, "cost": found["server_cpu"] / messages * 1e6, **checked(found)}


def growth_rooms(size: int, kind: Kind, _before: Sequence[Figures]) -> Figures:
    """Processor time of a message at a fixed rate, with so many rooms of one member.

    Past a thousand rooms the members are in several each, so that open files are no limit.
    """
    connections = min(size, 1000)
    with running(kind) as server, load(server) as client:
        client.connect(connections, 1, spread=size / connections, within=120)
        found = client.tell("open", senders=1, rate=2000, seconds=1)
        return {
            "size": size,
            "cost": found["server_cpu"] / max(found["delivered"], 1) * 1e6,
            **checked(found),
        }


def growth_history(size: int, kind: Kind, _before: Sequence[Figures]) -> Figures:
    """Processor time of a join, in a room with so many events."""
    folder: Path = machine.CACHE / f"history-{size}"
    if not (folder / "filled").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "chat.db").unlink(missing_ok=True)
        fill(folder / "chat.db", size, 1)
        (folder / "filled").touch()
    with running(kind, folder) as server, load(server) as client:
        found = client.connect(1, 100, together=1)
        return {"size": size, "cost": found["server_cpu"] / 100 * 1e6, **checked(found)}


def powers(first: int, last: int) -> list[int]:
    return [10**power for power in range(round(math.log10(first)), round(math.log10(last)) + 1)]


def growth_cases() -> list[Case]:
    alone = partial(Case, "growth", peers=False)
    return [
        *(
            alone(
                name=f"members {size:,}",
                measure=partial(growth_members, size),
                seconds=2 + size / 2500,
                ours=("hubbub",),
                facts={"of": "members", "size": size},
            )
            for size in (10, 30, 100, 300, 1000, 3000, 10_000)
        ),
        *(
            alone(
                name=f"rooms {size:,}",
                measure=partial(growth_rooms, size),
                seconds=2 + size / 6000,
                ours=("hubbub",),
                facts={"of": "rooms", "size": size},
            )
            for size in powers(1, 100_000)
        ),
        *(
            alone(
                name=f"history {size:,}",
                measure=partial(growth_history, size),
                seconds=2,
                ours=("hubbub-sqlite",),
                facts={"of": "history", "size": size},
            )
            for size in powers(1000, 1_000_000)
        ),
    ]


PARTS: dict[str, list[Case]] = {
    "fanout": [fanout_case("fanout", numbers) for numbers in LOADS],
    "open": [
        Case(
            "open",
            f"{members:,} members",
            partial(open_loop, members, rate),
            4 + members / 2000,
            facts={"members": members, "rate": rate},
        )
        for members, rate in ((100, 500), (500, 100), (5000, 10))
    ],
    "joins": [
        Case("joins", f"{members:,}", partial(joins, members), 1 + members / 3500)
        for members in (1000, 10_000)
    ],
    "storm": [Case("storm", "5,000", partial(storm, 50, 100), 4)],
    "memory": [
        *(
            Case("memory", f"{count:,}", partial(memory, count), 1 + count / 4000)
            for count in (1000, 8000)
        ),
        Case("memory", "most", partial(memory, 0), 15, ours=("hubbub",), peers=False, rounds=1),
    ],
    "stopped": [Case("stopped", "one of 50", stopped, 5.5)],
    "growth": growth_cases(),
}
"""In the order of their weight."""

QUICK = [fanout_case("quick", (1, 500, 4, 1), warm=0.2, seconds=0.5)]
QUICK_PEERS = ("bun", "ws", "websockets", "starlette")
"""The first two that can be built stand beside Hubbub and the limit."""
