"""What the kernel knows of a peer: how much has arrived there, and whether it is still there."""

import select
import socket
import struct
import sys
from typing import Final

NOISE: Final = 64
"""Bytes of progress that prove nothing: our own ping and its TLS record."""

_BYTES_ACKED: Final = 120
"""Where `tcpi_bytes_acked` (RFC 4898 tcpEStatsAppHCThruOctetsAcked) stands in Linux' tcp_info."""


def acknowledged(fd: int) -> int:
    """How many bytes the peer's TCP has acknowledged so far; 0 where the kernel does not say."""
    if sys.platform != "linux":
        return 0
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED + 8)
    except OSError:
        return 0  # it is no TCP
    finally:
        sock.detach()
    if len(info) < _BYTES_ACKED + 8:
        return 0
    acked: int = struct.unpack_from("=Q", info, _BYTES_ACKED)[0]
    return acked


def has_ended(fd: int) -> bool:
    """Whether the peer has closed its side, also where what it sent before was not read yet.

    False where the kernel does not say (not Linux).
    """
    if sys.platform != "linux":
        return False
    look = select.poll()
    look.register(fd, select.POLLRDHUP)
    return bool(look.poll(0))
