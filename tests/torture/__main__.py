"""`make torture SECONDS=600 SEED=123`: storm after storm, each with the next seed.

The seed says which: over a single server if it can be divided by four, then over a cluster, then
over a cluster with a failover, then over one whose rooms are in a Redis Cluster. `CLUSTER=1` leaves
out the single server (the first kind is then a cluster's, too), and `CLUSTER=0` is that alone.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tests.torture.alone import Alone
from tests.torture.cluster import Cluster
from tests.torture.failover import Failover
from tests.torture.sharded import Sharded

EACH = 8.0
"""Seconds that one storm rages over a single server."""
LONG = 15.0
"""Seconds that one rages over a cluster."""


# A failover takes some seconds of its own.
KINDS: list[tuple[type[Alone | Cluster], float]] = [
    (Alone, EACH),
    (Cluster, LONG),
    (Failover, EACH),
    (Sharded, LONG),
]


def kind(seed: int, cluster: str) -> tuple[type[Alone | Cluster], float]:
    if cluster == "0":
        return KINDS[0]
    at = seed % len(KINDS)
    return KINDS[max(at, 1) if cluster else at]


async def storm(seed: int, what: type[Alone | Cluster], seconds: float) -> str:
    with tempfile.TemporaryDirectory(prefix="hubbub-torture-") as folder:
        return await what(seed, Path(folder)).rage(seconds)


def main(seconds: float, seed: int, cluster: str) -> None:
    end = time.monotonic() + seconds
    while True:
        what, long = kind(seed, cluster)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            told = runner.run(storm(seed, what, long))
        sys.stdout.write(f"seed {seed}, {what.__name__.lower()}: {told}\n")
        sys.stdout.flush()
        seed += 1
        if time.monotonic() >= end:
            break


if __name__ == "__main__":
    given = [*sys.argv[1:], "", "", ""]
    main(float(given[0] or 60), int(given[1] or random.randrange(1_000_000)), given[2])
