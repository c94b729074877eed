"""Short storms over two and three nodes: one that is always the same, and one that never is."""

import random
from pathlib import Path

from tests.torture.cluster import Cluster

SECONDS = 3.0
"""Each rages so long; `make torture CLUSTER=1` does it for as long as one likes."""


async def test_two_nodes_that_lose_each_other_and_redis_keep_their_promises(tmp_path: Path) -> None:
    await Cluster(1, tmp_path, nodes=2, calm=0.7).rage(SECONDS)


async def test_three_nodes_harmed_at_random_keep_their_promises(tmp_path: Path) -> None:
    await Cluster(random.randrange(1_000_000), tmp_path, nodes=3, calm=0.7).rage(SECONDS)
