"""`python -m tests.fuzz [COUNT] [SEED]`: mutated frames for as long as that takes."""

import asyncio
import random
import sys

import uvloop

from tests.fuzz.frames import run


def main(count: int, seed: int) -> None:
    sys.stdout.write(f"{count} frames with seed {seed}\n")
    sys.stdout.flush()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        grown = runner.run(run(count, seed))
    sys.stdout.write(f"memory grew by {grown} bytes over the later half\n")


if __name__ == "__main__":
    given = [*sys.argv[1:], "", ""]
    main(int(given[0] or 10_000_000), int(given[1] or random.randrange(1_000_000)))
