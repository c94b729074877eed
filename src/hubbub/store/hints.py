"""Hints: Redis says that a log has grown, or who came or went, to whoever listens at that moment.

Laws: a hint may be lost, and then nothing is: whenever the channel was not there, and after a quiet
while, `lost` is called, and everything is looked at. Where Sentinels say that another Redis is
master now, it is listened to that one: the old one may go on for seconds as if nothing were. In a
Redis Cluster any Redis tells what is said in all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from redis.client import PubSub
from redis.exceptions import RedisError

from hubbub.store import redis_client
from hubbub.store.base import StoreError

QUIET: Final = 60.0
"""Seconds without a hint after which it is looked whether there should have been one."""
RETRY: Final = 1.0
"""Seconds until it is listened again, and between two questions who is master."""
LOOK: Final = 0.2
"""Seconds between two looks at whether to stop."""
_whispered = msgspec.msgpack.Decoder(tuple[str, str, str]).decode
_marked = msgspec.msgpack.Decoder(tuple[str, str, str, int]).decode
_moved = msgspec.msgpack.Decoder(tuple[str, str, int, msgspec.Raw]).decode


class Hints:
    """Listens on a thread of its own, and calls there, in the order in which it was said:

    `grown(name, epoch, seq)`, `moved(room, stamp, version, batch)`, `whispered(room, key)`,
    `marked(room, user, seq)`, and `lost()`. That logs have grown by `node`, which is this one, and
    who writes and reads there, is passed over. `master` says where to listen now.
    """

    def __init__(
        self,
        url: str,
        node: str,
        grown: Callable[[str, str, int], None],
        moved: Callable[[str, str, int, bytes], None],
        whispered: Callable[[str, str], None],
        marked: Callable[[str, str, int], None],
        lost: Callable[[], None],
        master: Callable[[], tuple[str, int] | None],
    ) -> None:
        self._url = url
        self._node = node
        self._grown = grown
        self._moved = moved
        self._whispered = whispered
        self._marked = marked
        self._lost = lost
        self._master = master
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hubbub-hints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; the thread is gone after this."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._master()
                self._listen()
            except (RedisError, OSError, StoreError):
                self._stopped.wait(RETRY)

    def _listen(self) -> None:
        with (
            redis_client.connect(self._url, health_check_interval=10) as client,
            redis_client.channel(client) as channel,
        ):
            channel.subscribe(redis_client.HINTS)
            heard = looked = time.monotonic()
            while not self._stopped.is_set():
                if time.monotonic() - looked > RETRY:
                    looked = time.monotonic()
                    if self._has_moved(channel):
                        return
                message = channel.get_message(timeout=LOOK)
                if message is not None and message["type"] == "message":
                    heard = time.monotonic()
                    self._take(message["data"])
                elif message is not None and message["type"] == "subscribe":
                    self._lost()  # also of what was said before we listened
                elif time.monotonic() - heard > QUIET:
                    heard = time.monotonic()
                    self._lost()

    def _take(self, data: bytes) -> None:
        if data.startswith(b"!"):
            room, stamp, version, batch = _moved(data[1:])
            self._moved(room, stamp, version, bytes(batch))
            return
        if data.startswith(redis_client.WHISPER):
            node, room, key = _whispered(data[1:])
            if node != self._node:
                self._whispered(room, key)
            return
        if data.startswith(redis_client.MARKED):
            node, room, user, read = _marked(data[1:])
            if node != self._node:
                self._marked(room, user, read)
            return
        node, epoch, seq, name = data.decode().split(" ", 3)
        if node != self._node:
            self._grown(name, epoch, int(seq))

    def _has_moved(self, channel: PubSub) -> bool:
        try:
            master = self._master()
        except RedisError:  # without Sentinels it is as good as ever
            return False
        connection: Any = channel.connection
        return master is not None and master != (connection.host, connection.port)
