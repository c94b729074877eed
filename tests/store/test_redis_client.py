"""What goes to Redis in one write is answered one for one, whatever became of the write before."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as LateError

from hubbub.store import redis_client
from tests.redis import RedisServer, redis_server


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as one:
        yield one


def test_an_error_stands_among_the_answers(server: RedisServer) -> None:
    client = redis_client.connect(server.url)
    commands = [("SET", "a", b"x" * 100_000), ("INCR", "a"), ("STRLEN", "a"), ("GET", "none")]
    first, second, *others = redis_client.ask(client, commands)
    assert (first, others) == (b"OK", [100_000, None])
    assert isinstance(second, ResponseError)
    client.close()


def test_an_answer_that_comes_late_is_not_taken_for_anothers(server: RedisServer) -> None:
    client = redis_client.connect(server.url, socket_timeout=0.2)
    assert redis_client.ask(client, [("PING",)]) == [b"PONG"]
    server.send(signal.SIGSTOP)
    with pytest.raises(LateError):
        redis_client.ask(client, [("ECHO", "one"), ("ECHO", "two")])
    server.send(signal.SIGCONT)
    assert redis_client.ask(client, [("ECHO", "three")]) == [b"three"]
    client.close()


def test_a_redis_that_was_started_anew_is_asked_as_before(server: RedisServer) -> None:
    client = redis_client.connect(server.url)
    assert redis_client.ask(client, [("SET", "a", "1")]) == [b"OK"]
    server.kill()
    server.start()
    assert redis_client.ask(client, [("GET", "a")]) == [b"1"]
    client.close()
