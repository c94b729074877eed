"""A hundred thousand mutated frames in each run of the tests; `make fuzz` has ten million."""

import random

from tests.fuzz.frames import run

COUNT = 100_000
GROWTH = 24 << 20
"""Bytes: what an allocator may keep, far below what 100,000 kept frames would take."""


async def test_no_frame_crashes_the_server_and_each_that_is_wrong_is_answered() -> None:
    seed = random.randrange(1_000_000)
    try:
        grown = await run(COUNT, seed)
    except BaseException as problem:
        problem.add_note(f"seed {seed}")
        raise
    assert grown < GROWTH, f"{grown} bytes with seed {seed}"
