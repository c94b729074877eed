"""`make torture SECONDS=600 SEED=123`: storm after storm, each with the next seed."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tests.torture.storm import Storm

EACH = 8.0
"""Seconds that one storm rages."""


async def storm(seed: int) -> str:
    with tempfile.TemporaryDirectory(prefix="hubbub-torture-") as folder:
        return await Storm(seed, Path(folder)).rage(EACH)


def main(seconds: float, seed: int) -> None:
    end = time.monotonic() + seconds
    while True:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            told = runner.run(storm(seed))
        sys.stdout.write(f"seed {seed}: {told}\n")
        sys.stdout.flush()
        seed += 1
        if time.monotonic() >= end:
            break


if __name__ == "__main__":
    given = [*sys.argv[1:], "", ""]
    main(float(given[0] or 60), int(given[1] or random.randrange(1_000_000)))
