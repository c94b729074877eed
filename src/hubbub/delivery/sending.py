"""Sending to sockets without waiting for any: the loop that everything else is built around."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from hubbub.native import find

T = TypeVar("T")
Send = Callable[[bytes], int]
"""Sends as much as a socket takes at once, and gives how many bytes that were."""


def send_all_in_python(ready: Mapping[Send, T], data: bytes) -> list[tuple[Send, int]]:
    """Send `data` to each in `ready`; gives those who did not get it whole, and how much they got.

    -1: the socket is broken. `ready` may not change meanwhile.
    """
    size = len(data)
    slow: list[tuple[Send, int]] = []
    # Keys alone: to touch the values too would cost a cache miss for each of them.
    for send in ready:
        try:
            sent = send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            sent = -1
        if sent != size:
            slow.append((send, sent))
    return slow


send_all: Callable[[dict[Send, T], bytes], list[tuple[Send, int]]] = (
    find("send_all") or send_all_in_python
)


class SenderInPython:
    """Sends to one socket, and never waits, since the socket does not."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __call__(self, data: bytes) -> int:
        return os.write(self.fd, data)

    def detach(self) -> None:
        """The descriptor is somebody else's from now on."""
        self.fd = -1


if TYPE_CHECKING:
    Sender = SenderInPython
else:
    Sender = find("Sender") or SenderInPython
"""`send_all` in C knows its own kind by sight, and calls none of them."""
