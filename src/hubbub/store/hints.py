"""Hints: Redis says that a log has grown, or who came or went, to whoever listens at that moment.

Each room has a channel, on which a node listens while the room is open there; and each user has
one, for what they have read. They are sharded channels: in a Redis Cluster each is where the room
is, and what is said there stays there.

Laws: a hint may be lost, and then nothing is: from when a channel is listened to, and after a quiet
while, what it is about is looked at. A channel that is elsewhere now is listened to there; also one
of a Redis which is master now, as Sentinels say: the old one may go on as if nothing were.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec
from redis.exceptions import MovedError, RedisError

from hubbub.store import redis_client
from hubbub.store.base import Ears, StoreError
from hubbub.store.subscriber import Subscriber

_ROOM: Final = f"{redis_client.PREFIX}:{{"
_USER: Final = f"{redis_client.PREFIX}:user:"
_END: Final = "}:hints"
COMPARE: Final = 10.0
"""Seconds between two questions to a Redis of a cluster who has what."""
WHISPER: Final = b"?"
"""What begins a hint that someone is writing, before msgpack of node and member's key."""
MOVED: Final = b"!"
"""What begins a hint that someone came or went, before msgpack of stamp, version and changes."""

_pack = msgspec.msgpack.Encoder().encode
_grown = msgspec.msgpack.Decoder(tuple[str, str, int]).decode
_whispered = msgspec.msgpack.Decoder(tuple[str, str]).decode
_moved = msgspec.msgpack.Decoder(tuple[str, int, msgspec.Raw]).decode
_marked = msgspec.msgpack.Decoder(tuple[str, str, int]).decode

Publish = tuple[str, str, bytes]
"""The command that says something in a channel."""


def of_room(name: str) -> str:
    """The channel of a room, or of another log; the functions in Redis know it by its keys."""
    return f"{_ROOM}{redis_client.tag(name)}{_END}"


def of_user(name: str) -> str:
    """The channel of a user."""
    return f"{_USER}{name}"


def whisper(node: str, room: str, key: str) -> Publish:
    """Say that a member is writing."""
    return ("SPUBLISH", of_room(room), WHISPER + _pack((node, key)))


def marked(node: str, room: str, user: str, seq: int) -> Publish:
    """Say that a user has read a room up to `seq`."""
    return ("SPUBLISH", of_user(user), _pack((node, room, seq)))


class Hints:
    """What `client`'s Redis say, told to `ears` in the order in which each says it.

    That logs have grown by `node`, which is this one, and who writes and reads there, is passed
    over. `master` says which Redis is master now.
    """

    def __init__(
        self,
        client: redis_client.Client,
        node: str,
        master: Callable[[], tuple[str, int] | None],
    ) -> None:
        self._client = client
        self._node = node
        self._master = master
        self._ears: Ears | None = None
        self._lock = threading.Lock()
        self._places: dict[str, Subscriber | None] = {}
        """Who listens to each channel; None: nobody can at the moment."""
        self._homeless: dict[str, None] = {}
        """Channels to which nobody can listen at the moment."""
        self._subscribers: dict[str, Subscriber] = {}
        self._sent_on: set[str] = set()
        """Channels that one Redis said another one has, since the last turn."""
        self._changes = 0
        """How much was known when all places were compared with it."""
        self._compared: dict[str, float] = {}
        """When each Redis was asked last who has what."""

    def start(self, ears: Ears) -> None:
        """Listen from now on, also to channels that were asked for before."""
        with self._lock:
            self._ears = ears
            self._place(list(self._places))

    def stop(self) -> None:
        """Listen no more; no thread is left after this."""
        with self._lock:
            self._ears = None
            ending = list(self._subscribers.values())
            self._subscribers.clear()
            self._places = dict.fromkeys(self._places)  # rooms are closed after this, too
        for one in ending:
            one.stop()
        for one in ending:
            one.join()

    def listen(self, channel: str) -> None:
        """Listen to a channel, too; from any thread."""
        with self._lock:
            if channel not in self._places:
                self._places[channel] = None
                if self._ears is not None:
                    self._place([channel])

    def leave(self, channel: str) -> None:
        """Listen to a channel no more; from any thread."""
        with self._lock:
            listening = self._places.pop(channel, None)
            self._homeless.pop(channel, None)
            # One that gives it back at this moment may have been told to listen again.
            for one in self._subscribers.values() if listening is None else [listening]:
                one.leave(channel)

    def _place(self, channels: Sequence[str]) -> None:
        """Let each be listened to where it is; who calls this has the lock."""
        parts: dict[Subscriber, list[str]] = {}
        for channel in channels:
            try:
                name = redis_client.home(self._client, channel)
                if name not in self._subscribers:
                    pool = partial(redis_client.pool, self._client, name)
                    self._subscribers[name] = Subscriber(name, pool, self)
            except (StoreError, OSError, RuntimeError):  # no descriptor is left, or no thread
                self._places[channel] = None
                self._homeless[channel] = None
                continue
            self._homeless.pop(channel, None)
            listening = self._places[channel] = self._subscribers[name]
            parts.setdefault(listening, []).append(channel)
        for listening, some in parts.items():
            listening.listen(some)

    # What subscribers tell

    def returned(
        self, subscriber: Subscriber, channels: Sequence[str], problem: Exception | None
    ) -> None:
        """See `Listener.returned`."""
        is_known = redis_client.learn(self._client, subscriber.name, problem)
        with self._lock:
            ours = [one for one in channels if self._places.get(one) is subscriber]
            if self._ears is None:
                return
            if isinstance(problem, MovedError):
                # Two may name each other for a while: who was sent on waits for a turn then.
                is_known = self._sent_on.isdisjoint(ours)
                self._sent_on.update(ours)
            if is_known:
                self._place(ours)
                return
            self._places.update(dict.fromkeys(ours))
            self._homeless.update(dict.fromkeys(ours))

    def turn(self, subscriber: Subscriber) -> None:
        """See `Listener.turn`: who can listen now, or should elsewhere, does."""
        now = time.monotonic()
        if now - self._compared.setdefault(subscriber.name, now) > COMPARE:
            self._compared[subscriber.name] = now
            with suppress(RedisError, OSError):
                redis_client.compare(self._client, subscriber.name)
        if self._homeless:
            redis_client.look(self._client)
        with self._lock:
            if self._ears is None:
                return
            self._sent_on.clear()
            if self._homeless:
                self._place(list(self._homeless))
            changes = redis_client.changes(self._client)
            if changes != self._changes:
                self._changes = changes
                self._place(self._left_behind())

    def _left_behind(self) -> list[str]:
        """Channels that are elsewhere now, to which nobody listens any more where they were."""
        found: list[str] = []
        for channel, listening in self._places.items():
            with suppress(StoreError):  # nobody has it now: so it stays where it is
                if listening is not None and listening.name != redis_client.home(
                    self._client, channel
                ):
                    found.append(channel)
                    listening.leave(channel)
        return found

    def may_end(self, subscriber: Subscriber) -> bool:
        """See `Listener.may_end`: where its Redis is not in the cluster any more."""
        with self._lock:
            if redis_client.is_known(self._client, subscriber.name) or any(
                listening is subscriber for listening in self._places.values()
            ):
                return False
            if self._subscribers.get(subscriber.name) is subscriber:
                del self._subscribers[subscriber.name]
            return True

    def is_right(self, connection: Any) -> bool:
        """See `Listener.is_right`."""
        try:
            master = self._master()
        except (RedisError, StoreError):  # without Sentinels it is as good as ever
            return True
        return master is None or master == (connection.host, connection.port)

    def heard(self, channels: Sequence[str]) -> None:
        """See `Listener.heard`."""
        ears = self._ears
        logs = [_room(one) for one in channels if one.startswith(_ROOM)]
        if ears is not None and logs:
            ears.missed(logs)

    def said(self, channel: str, data: bytes) -> None:
        """See `Listener.said`."""
        ears = self._ears
        if ears is not None:
            with suppress(msgspec.MsgspecError, UnicodeError):  # it was no hint of ours
                self._tell(ears, channel, data)

    def _tell(self, ears: Ears, channel: str, data: bytes) -> None:
        if channel.startswith(_USER):
            node, room, seq = _marked(data)
            if node != self._node:
                ears.marked(room, channel[len(_USER) :], seq)
        elif data.startswith(MOVED):
            stamp, version, batch = _moved(data[1:])
            ears.moved(_room(channel), stamp, version, bytes(batch))
        elif data.startswith(WHISPER):
            node, key = _whispered(data[1:])
            if node != self._node:
                ears.whispered(_room(channel), key)
        else:
            node, epoch, seq = _grown(data)
            if node != self._node:
                ears.grown(_room(channel), epoch, seq)


def _room(channel: str) -> str:
    return redis_client.name_of(channel[len(_ROOM) : -len(_END)])
