"""Reading all sockets that have something to be read, without waiting for any."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from hubbub.native import find

if TYPE_CHECKING:
    from select import epoll  # which not all systems have

EVENTS: Final = 256
"""Sockets that are looked at in one go."""
ONE: Final = 65536
"""Bytes that are taken from one of them."""
ALL: Final = 1 << 20
"""Bytes after which the rest waits for the next time."""
IN: Final = 1
OUT: Final = 4
"""What can be done with a socket, as epoll has it (`EPOLLIN`, `EPOLLOUT`)."""

Came = list[tuple[int, bytes | int | None]]
"""By descriptor: bytes (none at the end of the stream), the number of the error that there is
instead (`errno`), or None for one that can be written; that comes before its bytes."""


def receive_in_python(poll: epoll) -> Came:
    """What has come for the sockets that `poll` watches; reading each must not wait."""
    found: Came = []
    total = 0
    for fd, event in poll.poll(0, EVENTS):
        if event & OUT:
            found.append((fd, None))
        if not event & ~OUT:
            continue
        what = read(fd)
        if what is None:
            continue
        found.append((fd, what))
        total += len(what) if isinstance(what, bytes) else 0
        if total >= ALL:
            break
    return found


def read(fd: int) -> bytes | int | None:
    """What has come for one socket: bytes, or the number of an error; None: nothing yet."""
    try:
        return os.read(fd, ONE)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError as problem:
        return problem.errno or errno.EIO


def receiver(poll: epoll) -> Callable[[], Came]:
    """What reads the sockets that `poll` watches, in C where that could be built."""
    native: Callable[[int], Came] | None = find("receive")
    return partial(receive_in_python, poll) if native is None else partial(native, poll.fileno())
