"""A short storm over nodes whose rooms are in a Redis Cluster."""

import random
from pathlib import Path

import pytest

from tests.torture.sharded import Sharded

pytestmark = pytest.mark.timeout(150)  # what fails says its seed, and may need its patience for it


async def test_nodes_with_a_redis_cluster_keep_their_promises(tmp_path: Path) -> None:
    await Sharded(random.randrange(1_000_000), tmp_path, nodes=2, calm=0.7).rage(2.5)
