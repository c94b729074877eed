"""How a Redis is asked: functions of ours, and commands; what goes wrong is a `StoreError`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError, ResponseError

from hubbub.store import redis_client
from hubbub.store.base import StoreError
from hubbub.store.redis_library import LIBRARY, NAME


class RedisAsking:
    """Asks the Redis, or the cluster, behind `client`."""

    def __init__(self, client: redis_client.Client) -> None:
        self._redis = client

    def load(self) -> None:
        """Load our functions into each that can be reached. Raises `StoreError` for the others."""
        failed: Exception | None = None
        for one in redis_client.each(self._redis):
            try:
                one.ping()  # who has no password may not even send as much as follows
                one.function_load(LIBRARY, replace=True)
            except (RedisError, OSError) as problem:
                failed = problem
        if failed is not None:
            raise redis_client.trouble(failed) from failed

    def _ping(self) -> None:
        try:
            redis_client.ping(self._redis)
        except (RedisError, OSError) as problem:
            raise redis_client.trouble(problem) from problem

    def _one(self, function: str, name: str | list[str], *arguments: bytes | str | int) -> Any:
        (answer,) = all_good(self._call([(function, name, *arguments)]))
        return answer

    def _call(self, calls: list[tuple[Any, ...]]) -> list[Any]:
        """Call functions of logs: which, of which log or logs, and with what."""
        return self.call(
            [
                (function, [key for one in _several(name) for key in redis_client.keys(one)], more)
                for function, name, *more in calls
            ]
        )

    def call(self, calls: Sequence[tuple[str, Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Call functions in one round trip; gives each one's answer, or a `StoreError`.

        A function has its name, keys and arguments. Raises `StoreError` where there was no answer.
        """
        commands = [
            ("FCALL", f"{NAME}_{function}", len(keys), *keys, *more)
            for function, keys, more in calls
        ]
        try:
            answers = redis_client.ask(self._redis, commands)
            lost = [at for at, one in enumerate(answers) if _is_unknown(one)]
            if lost:  # a Redis without our functions: it is new, or lost all
                with suppress(StoreError):  # then it is said below, of what it concerns
                    self.load()
                again = redis_client.ask(self._redis, [commands[at] for at in lost])
                for at, one in zip(lost, again, strict=True):
                    answers[at] = one
        except (RedisError, OSError) as problem:
            raise redis_client.trouble(problem) from problem
        return [redis_client.trouble(one) if isinstance(one, Exception) else one for one in answers]

    def tell(self, *commands: tuple[str | bytes | int, ...]) -> list[Any]:
        """Give commands in one round trip; gives their answers, as the client reads them.

        Raises `StoreError`.
        """
        try:
            answers = redis_client.tell(self._redis, commands)
        except (RedisError, OSError) as problem:
            raise redis_client.trouble(problem) from problem
        for answer in answers:
            if isinstance(answer, Exception):
                raise redis_client.trouble(answer) from answer
        return answers


def all_good(answers: list[Any]) -> list[Any]:
    """The answers of `RedisAsking.call`. Raises the first `StoreError` among them."""
    for answer in answers:
        if isinstance(answer, StoreError):
            raise answer
    return answers


def _several(name: str | list[str]) -> list[str]:
    return name if isinstance(name, list) else [name]


def _is_unknown(answer: object) -> bool:
    return isinstance(answer, ResponseError) and "Function not found" in str(answer)
