"""Start and stop: from settings to a server that listens, and back to nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import ssl
import sys
from importlib.metadata import version
from typing import Final

import structlog
from aiohttp import web

from hubbub.access.identity import identify, new_epoch, new_secret
from hubbub.chat.lobby import Lobby
from hubbub.delivery.heartbeat import Heartbeat
from hubbub.delivery.hub import Hub
from hubbub.http.app import application
from hubbub.http.upgrade import Door
from hubbub.protocol.codes import GOING_AWAY
from hubbub.settings import Settings
from hubbub.store.memory import MemoryStore

STOP_WITHIN: Final = 4.0
"""Seconds that clients have to hear the goodbye; then the rest are cut off."""
SPARE_FILES: Final = 64
"""Open files that are not for clients: the log, the page's files, the loop's own."""
KEEPALIVE: Final = 75.0
BACKLOG: Final = 4096


class StartError(Exception):
    """The server cannot start. `message` says what happened, `mend` what to do next."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message}; {mend}")
        self.message = message
        self.mend = mend


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; gives the exit status. Raises `StartError`."""
    tls = _tls(settings)
    sockets = _listen(settings)
    places = _places(settings.max_connections)
    try:
        import uvloop
    except ImportError:  # where there is none, asyncio's own loop does
        factory = asyncio.new_event_loop
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_run(settings, sockets, tls, places))
    return 0


async def _run(
    settings: Settings, sockets: list[socket.socket], tls: ssl.SSLContext | None, places: int
) -> None:
    loop = asyncio.get_running_loop()
    stopped = _on_signals(loop)
    store = MemoryStore(settings, new_epoch)
    lobby = Lobby(settings, new_secret, identify)
    hub = Hub(loop, lobby, store, settings)
    heartbeat = Heartbeat(loop, settings.ping)
    door = Door(hub, heartbeat, settings.max_frame, places, settings.max_connections_per_ip)
    app = application(lobby, door)
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE,
        shutdown_timeout=1.0,
        tcp_keepalive=False,
    )
    await runner.setup()
    for listening in sockets:
        await web.SockSite(runner, listening, ssl_context=tls, backlog=BACKLOG).start()
    heartbeat.start()
    # What exists now lives as long as the server: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    _greet(sockets, tls is not None)
    await stopped.wait()
    await _stop(runner, door, heartbeat)


async def _stop(runner: web.AppRunner, door: Door, heartbeat: Heartbeat) -> None:
    """No new connections, everyone told, all closed."""
    log = structlog.get_logger()
    log.info("stopping", connections=len(heartbeat))
    door.is_open = False
    for site in list(runner.sites):
        await site.stop()
    for connection in heartbeat:
        connection.close(GOING_AWAY, "the server is stopping")
    heartbeat.stop()
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await heartbeat.empty()
    except TimeoutError:
        for connection in heartbeat:
            connection.abort()
    await runner.cleanup()
    log.info("stopped")


def _on_signals(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; the second ends the process at once."""
    stopped = asyncio.Event()

    def hear(number: int) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hear, number)
    return stopped


def _listen(settings: Settings) -> list[socket.socket]:
    """Bound sockets for `addr`, one for each address that its host has. Raises `StartError`."""
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
            listening = socket.socket(family, kind, proto)
            sockets.append(listening)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # With port 0 the system chooses once, and all addresses get that port.
            chosen = sockets[0].getsockname()[1] if len(sockets) > 1 else port
            listening.bind((address[0], chosen, *address[2:]))
            listening.listen(BACKLOG)
    except OSError as problem:
        for listening in sockets:
            listening.close()
        raise _cannot_listen(settings.addr, port, problem) from None
    return sockets


def _cannot_listen(addr: str, port: int, problem: OSError) -> StartError:
    if isinstance(problem, PermissionError):
        return StartError(f"port {port} is only for root", "choose one from 1024 up with --addr")
    if problem.errno == 98:
        return StartError(
            f"{addr} is in use by another program",
            "stop that one, or choose another port with --addr (port 0 finds a free one)",
        )
    return StartError(
        f"cannot listen on {addr}: {problem.strerror}", "choose another address with --addr"
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
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


def _places(wanted: int) -> int:
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


def _greet(sockets: list[socket.socket], secure: bool) -> None:
    """Tell the person at the terminal where to go."""
    scheme = "https" if secure else "http"
    places = " and ".join(f"{scheme}://{_shown(one)}" for one in sockets)
    sys.stdout.write(
        f"Hubbub {version('hubbub')} listens on {places}\n"
        "Open it in two browser tabs and they can talk. Ctrl+C stops it.\n"
    )
    sys.stdout.flush()


def _shown(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
