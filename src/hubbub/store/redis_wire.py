"""Commands written to a Redis at once, and what it answers to each.

It is the client's pipeline without what that does beside, which takes a third of the time that a
message takes. What pieces of a write come apart, Redis would sync to its disk apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import ConnectionPool
from redis.exceptions import ResponseError

Command = tuple[Any, ...]


class Asked:
    """Commands on their way on one connection of `pool`; `answers` has to be called."""

    def __init__(self, pool: ConnectionPool, commands: Sequence[Command]) -> None:
        self._pool = pool
        self._count = len(commands)
        connection: Any = pool.get_connection()
        self._connection = connection
        try:
            connection.send_packed_command([b"".join(connection.pack_commands(commands))])
        except BaseException:
            self._give_up()
            raise

    def answers(self) -> list[Any]:
        """What Redis says to each, errors among it."""
        found: list[Any] = []
        try:
            for _ in range(self._count):
                try:
                    found.append(self._connection.read_response())
                except ResponseError as problem:
                    found.append(problem)
        except BaseException:
            self._give_up()
            raise
        self._pool.release(self._connection)
        return found

    def _give_up(self) -> None:
        self._connection.disconnect()  # an answer that comes late is not to be taken for another's
        self._pool.release(self._connection)
