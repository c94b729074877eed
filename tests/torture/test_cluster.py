"""Short storms over nodes: one that is always the same, one that never is, and a failover."""

import random
from pathlib import Path

import pytest

from tests.torture.cluster import Cluster
from tests.torture.failover import Failover

SECONDS = 2.5
"""Each rages so long; `make torture CLUSTER=1` does it for as long as one likes."""
pytestmark = pytest.mark.timeout(150)  # what fails says its seed, and may need its patience for it


async def test_two_nodes_that_lose_each_other_and_redis_keep_their_promises(tmp_path: Path) -> None:
    await Cluster(1, tmp_path, nodes=2, calm=0.7).rage(SECONDS)


async def test_three_nodes_harmed_at_random_keep_their_promises(tmp_path: Path) -> None:
    await Cluster(random.randrange(1_000_000), tmp_path, nodes=3, calm=0.7).rage(SECONDS)


async def test_nodes_whose_redis_is_changed_keep_their_promises(tmp_path: Path) -> None:
    await Failover(random.randrange(1_000_000), tmp_path, nodes=2, calm=1.0).rage(SECONDS / 2)
