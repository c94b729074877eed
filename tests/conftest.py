"""What all tests share: the loop that the server runs on, and how long hypothesis looks."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import uvloop
from hypothesis import HealthCheck, settings

from tests.redis import RedisServer, redis_server
from tests.redis_cluster import RedisCluster, redis_cluster

# A busy machine is no failure: pytest's own timeout is the only one.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=20_000)
settings.load_profile("default")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that `hubbub serve` runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis for the tests of one module, on which each test finds nothing if it flushes first."""
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    """A Redis Cluster for the tests of one module, likewise."""
    with redis_cluster() as servers:
        yield servers
