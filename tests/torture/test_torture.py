"""Short storms: one that is always the same, and two that never are."""

import random
from pathlib import Path

from tests.torture.alone import Alone

SECONDS = 1.5
"""Each rages so long; `make torture` does it for as long as one likes."""


async def test_killed_cut_and_stalled_it_keeps_its_promises(tmp_path: Path) -> None:
    await Alone(14, tmp_path).rage(SECONDS)


async def test_killed_at_random_it_keeps_its_promises(tmp_path: Path) -> None:
    await Alone(random.randrange(1_000_000), tmp_path).rage(SECONDS)


async def test_killed_with_full_sync_it_keeps_its_promises(tmp_path: Path) -> None:
    await Alone(random.randrange(1_000_000), tmp_path, sync="full").rage(SECONDS)
