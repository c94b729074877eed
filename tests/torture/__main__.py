"""`make torture SECONDS=600 SEED=123`: storm after storm, each with the next seed.

Storms over a single server and over a cluster take turns; `CLUSTER=1` has the latter alone, and
`CLUSTER=0` the former.
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

EACH = 8.0
"""Seconds that one storm rages over a single server."""
LONG = 15.0
"""Seconds that one rages over a cluster."""


async def storm(seed: int, is_cluster: bool) -> str:
    with tempfile.TemporaryDirectory(prefix="hubbub-torture-") as folder:
        if is_cluster:
            return await Cluster(seed, Path(folder)).rage(LONG)
        return await Alone(seed, Path(folder)).rage(EACH)


def main(seconds: float, seed: int, cluster: str) -> None:
    end = time.monotonic() + seconds
    while True:
        is_cluster = cluster == "1" if cluster else seed % 2 == 1
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            told = runner.run(storm(seed, is_cluster))
        sys.stdout.write(f"seed {seed}, {'cluster' if is_cluster else 'alone'}: {told}\n")
        sys.stdout.flush()
        seed += 1
        if time.monotonic() >= end:
            break


if __name__ == "__main__":
    given = [*sys.argv[1:], "", "", ""]
    main(float(given[0] or 60), int(given[1] or random.randrange(1_000_000)), given[2])
