"""One Redis that is listened to: a connection with subscriptions to sharded channels, a thread.

Laws: all subscriptions are asked for in the order in which they are wanted, and are asked for anew
when the connection was lost; each that Redis confirms is said to be `heard`, because what was
published before that was not; a channel that this Redis does not have is given back.

Redis documentation, "Redis Pub/Sub", section "Sharded Pub/Sub"; RESP2, as the client speaks it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import ceil
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final, Protocol

import structlog
from redis import ConnectionPool
from redis.exceptions import RedisClusterException, RedisError, ResponseError
from redis.exceptions import TimeoutError as SilentError

from hubbub.store.base import StoreError

QUIET: Final = 60.0
"""Seconds without a word after which it is looked whether there should have been one."""
SWEEP: Final = 300.0
"""Seconds in which each channel is looked at once, however much is said in others."""
RETRY: Final = 1.0
"""Seconds until a Redis is tried again, between two turns of `Listener.turn`, and after which one
that is silent is asked whether it is there."""
SOME: Final = 500
"""Subscriptions that are asked for before it is listened again."""

EXPECTED: Final = (RedisError, RedisClusterException, OSError, StoreError)
"""What may go wrong with a Redis."""
Change = tuple[bool, str]
"""Whether a channel is to be listened to, and its name."""


class Listener(Protocol):
    """What a subscriber tells, on its thread."""

    def said(self, channel: str, data: bytes) -> None:
        """This was published."""
        ...

    def heard(self, channels: Sequence[str]) -> None:
        """These are listened to from now on, or may have been silent for no good reason."""
        ...

    def returned(
        self, subscriber: Subscriber, channels: Sequence[str], problem: Exception | None
    ) -> None:
        """These are listened to no more: this Redis does not have them, or is not there."""
        ...

    def turn(self, subscriber: Subscriber) -> None:
        """This comes about once in `RETRY`."""
        ...

    def is_right(self, connection: Any) -> bool:
        """Whether this connection is still the one to listen on."""
        ...

    def may_end(self, subscriber: Subscriber) -> bool:
        """Whether one that listens to nothing is of no use any more; then it ends."""
        ...


class Subscriber:
    """Listens to the Redis that `pool` leads to, for a `listener`. `name` says which it is."""

    def __init__(self, name: str, pool: Callable[[], ConnectionPool], listener: Listener) -> None:
        self.name = name
        self._pool = pool
        self._listener = listener
        self._changes: deque[Change] = deque()
        self._stopped = threading.Event()
        self._bell, self._button = socket.socketpair()
        self._bell.setblocking(False)
        self._button.setblocking(False)
        self._selector = DefaultSelector()
        self._selector.register(self._bell, EVENT_READ)
        self._channels: dict[str, None] = {}
        self._asked: deque[Change] = deque()
        """What Redis has not answered yet."""
        self._due: list[str] = []
        """Channels that are still to be looked at in this sweep, `_share` of them in a turn."""
        self._share = 0
        self._swept = 0.0
        self._thread = threading.Thread(target=self._run, name="hubbub-hints", daemon=True)
        self._thread.start()

    def listen(self, channels: Iterable[str]) -> None:
        """Listen to these, too; from any thread."""
        self._changes.extend([(True, channel) for channel in channels])
        self._ring()

    def leave(self, channel: str) -> None:
        """Listen to this no more; from any thread."""
        self._changes.append((False, channel))
        self._ring()

    def stop(self) -> None:
        """Listen to nothing any more."""
        self._stopped.set()
        self._ring()

    def join(self) -> None:
        """Wait until the thread is gone."""
        self._thread.join()

    def _ring(self) -> None:
        with suppress(OSError):  # it has been rung for long enough, or has just ended
            self._button.send(b"!")

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                if self._changes:
                    self._listen()
                elif self._has_ended():
                    break
            except Exception:  # a fault of ours must not end the listening
                with suppress(OSError):  # where no descriptor is left, this may need one, too
                    structlog.get_logger().exception("the hints have a fault")
                self._stopped.wait(RETRY)
        self._selector.close()
        self._bell.close()
        self._button.close()

    def _has_ended(self) -> bool:
        """Nothing is wanted of this Redis, and it may be gone: wait until something is."""
        self._selector.select(RETRY)
        self._silence()
        self._listener.turn(self)
        return not self._changes and self._listener.may_end(self)

    def _listen(self) -> None:
        problem: Exception | None = None
        try:
            self._connect()
        except Exception as failure:
            problem = failure
        while self._changes:  # which may never have got to Redis
            self._changed(self._changes.popleft())
        channels = list(self._channels)
        self._channels.clear()
        self._asked.clear()
        self._listener.returned(self, channels, problem)
        if problem is not None:
            if not isinstance(problem, EXPECTED):
                raise problem
            self._stopped.wait(RETRY)

    def _connect(self) -> None:
        pool = self._pool()
        connection: Any = pool.get_connection()
        there = connection._sock
        try:
            self._selector.register(there, EVENT_READ)
            self._exchange(connection)
        finally:
            with suppress(KeyError, ValueError):  # it was not registered
                self._selector.unregister(there)
            connection.disconnect()
            pool.release(connection)

    def _exchange(self, connection: Any) -> None:
        now = time.monotonic()
        turned = answered = said = self._swept = now
        self._due.clear()
        is_asked = is_more = False
        while not self._stopped.is_set():
            self._ask(connection)
            # What was read already is no reason for it to come back.
            self._selector.select(0 if self._changes or is_more else RETRY)
            self._silence()
            now = time.monotonic()
            found = self._answers(connection)
            is_more = len(found) == SOME
            if found:
                answered, is_asked = now, False
                if sum(map(self._take, found)):
                    said = now
                self._confirm(found)
            elif is_asked and now - answered > connection.socket_timeout:
                raise SilentError("it is silent")
            elif not is_asked and now - answered >= RETRY:
                is_asked = True
                connection.send_command("PING", check_health=False)
            if now - said > QUIET:
                said = now
                self._listener.heard(list(self._channels))
            if now - turned >= RETRY:
                turned = now
                self._sweep(now)
                self._listener.turn(self)
                if not self._listener.is_right(connection):
                    return

    def _sweep(self, now: float) -> None:
        """Have each channel looked at once in `SWEEP`, some at a time: one may have gone deaf."""
        if not self._due and now - self._swept >= SWEEP:
            self._swept, self._due = now, list(self._channels)
            self._share = ceil(len(self._due) * RETRY / SWEEP)
        if self._due:
            some = self._due[-self._share :]
            del self._due[-self._share :]
            self._listener.heard([channel for channel in some if channel in self._channels])

    def _silence(self) -> None:
        try:
            self._bell.recv(4096)
        except BlockingIOError:
            pass

    def _ask(self, connection: Any) -> None:
        commands: list[tuple[str, str]] = []
        while self._changes and len(commands) < SOME:
            is_wanted, channel = change = self._changes.popleft()
            if self._changed(change):
                self._asked.append(change)
                commands.append(("SSUBSCRIBE" if is_wanted else "SUNSUBSCRIBE", channel))
        if commands:  # apart: in a cluster the channels of one command have to be in one place
            packed = b"".join(connection.pack_commands(commands))
            connection.send_packed_command([packed], check_health=False)

    def _changed(self, change: Change) -> bool:
        """Note what is wanted; whether it was not already so."""
        is_wanted, channel = change
        if is_wanted == (channel in self._channels):
            return False
        if is_wanted:
            self._channels[channel] = None
        else:
            del self._channels[channel]
        return True

    def _answers(self, connection: Any) -> list[Any]:
        found: list[Any] = []
        while len(found) < SOME and connection.can_read(0):
            try:
                found.append(connection.read_response())
            except ResponseError as problem:
                found.append(problem)
        return found

    def _take(self, answer: Any) -> bool:
        """Take one answer; whether something was said."""
        if isinstance(answer, ResponseError):
            if not self._asked:
                raise answer
            is_wanted, channel = self._asked.popleft()
            if is_wanted:
                self._give_back(channel, answer)
            return False
        if not isinstance(answer, list) or answer[0] == b"pong":
            return False
        kind, channel, data = answer[0], answer[1].decode(), answer[2]
        if kind == b"smessage":
            self._listener.said(channel, data)
            return True
        change = (kind == b"ssubscribe", channel)
        if self._asked and self._asked[0] == change:
            self._asked.popleft()
        elif kind == b"sunsubscribe":  # as Redis says it where the slot went to another
            self._give_back(channel, None)
        return False

    def _give_back(self, channel: str, problem: Exception | None) -> None:
        if channel in self._channels:
            self._listener.returned(self, [channel], problem)
            del self._channels[channel]

    def _confirm(self, answers: list[Any]) -> None:
        confirmed = [
            channel
            for one in answers
            if isinstance(one, list)
            and one[0] == b"ssubscribe"
            and (channel := one[1].decode()) in self._channels
        ]
        if confirmed:
            self._listener.heard(confirmed)
