"""What a server needs of the system before it starts: sockets, a certificate, open files."""

from __future__ import annotations

import errno
import resource
import socket
import ssl
import sys
from dataclasses import replace
from typing import Final

from hubbub.settings import Settings

BACKLOG: Final = 4096
"""Connections that may wait to be accepted; the kernel may allow fewer."""
SPARE_FILES: Final = 64
"""Open files that are not for clients: the log, the page's files, the loop's own."""


class StartError(Exception):
    """The server cannot start. `message` says what happened, `mend` what to do next."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message}; {mend}")
        self.message = message
        self.mend = mend


def listen(settings: Settings) -> list[socket.socket]:
    """Sockets for `addr` that listen, one for each address of its host. Raises `StartError`.

    With `workers` others may share them.
    """
    sockets = _bound(settings, shared=settings.workers > 1)
    try:
        for one in sockets:
            one.listen(BACKLOG)
    except OSError as problem:
        _close(sockets)
        raise _cannot_listen(settings, problem) from None
    return sockets


def reserve(settings: Settings) -> list[socket.socket]:
    """Hold the port of `addr` for workers. Raises `StartError`.

    These sockets do not listen, so that no connection comes to them; they hold the port that the
    system chose, also while no worker is there.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise StartError("this system cannot share a port", "start one worker")
    first = _bound(settings, shared=False)  # which shows whether another program has it
    port = first[0].getsockname()[1]
    _close(first)
    return _bound(replace(settings, addr=at_port(settings.addr, port)), shared=True)


def at_port(addr: str, port: int) -> str:
    """An address with another port."""
    return f"{addr.rpartition(':')[0]}:{port}"


def _bound(settings: Settings, *, shared: bool) -> list[socket.socket]:
    host, port = settings.listen
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as problem:
        raise StartError(
            f"there is no address {host}: {problem.strerror}", "choose another with --addr"
        ) from None
    sockets: list[socket.socket] = []
    try:
        for family, kind, proto, _, address in dict.fromkeys(found):
            one = socket.socket(family, kind, proto)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # With port 0 the system chooses once, and all addresses get that port.
            chosen = sockets[0].getsockname()[1] if len(sockets) > 1 else port
            one.bind((address[0], chosen, *address[2:]))
    except OSError as problem:
        _close(sockets)
        raise _cannot_listen(settings, problem) from None
    return sockets


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _cannot_listen(settings: Settings, problem: OSError) -> StartError:
    addr, port = settings.addr, settings.listen[1]
    if isinstance(problem, PermissionError):
        return StartError(f"port {port} is only for root", "choose one from 1024 up with --addr")
    if problem.errno == errno.EADDRINUSE:
        return StartError(
            f"{addr} is in use by another program",
            "stop that one, or choose another port with --addr (port 0 finds a free one)",
        )
    return StartError(
        f"cannot listen on {addr}: {problem.strerror}", "choose another address with --addr"
    )


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The certificate and its key, loaded; None where TLS is off. Raises `StartError`."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    for path in (settings.tls_cert, settings.tls_key):
        try:
            path.read_bytes()
        except OSError as problem:
            raise StartError(
                f"cannot read {path}: {problem.strerror}",
                "see that the file is there and that this user may read it",
            ) from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (ssl.SSLError, ValueError) as problem:
        raise StartError(
            f"{settings.tls_cert} and {settings.tls_key} are not a certificate and its key "
            f"({getattr(problem, 'reason', None) or problem})",
            "give PEM files that belong together, the key without a password",
        ) from None
    return context


def places(wanted: int) -> int:
    """How many clients there is room for: `wanted` (0: any number), within the open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            pass  # the system has its reasons; the soft limit it is
    most = sys.maxsize if soft == resource.RLIM_INFINITY else max(1, soft - SPARE_FILES)
    return min(wanted, most) if wanted else most
