"""Sending to sockets without waiting for any: the loop that everything else is built around."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

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
_native_sender = find("Sender")


def sender(fd: int) -> Send:
    """What sends to a socket that does not block; `send_all` in C knows its own kind by sight."""
    if _native_sender is not None:
        return cast("Send", _native_sender(fd))
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd).send


def detach(send: Send) -> None:
    """The socket of `send` is closed: its number will soon be another's."""
    if _native_sender is not None and isinstance(send, _native_sender):
        send.detach()
    elif isinstance(sock := getattr(send, "__self__", None), socket.socket):
        sock.detach()
