"""A server, from settings to one that listens, and back to nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator
from functools import partial
from ipaddress import ip_address
from typing import Final

import structlog
from aiohttp import web

from hubbub.access.identity import Proofs, new_epoch
from hubbub.access.tokens import KeysError, Verifier, verifier
from hubbub.chat.lobby import Lobby
from hubbub.delivery.follow import Follower, Following
from hubbub.delivery.heartbeat import Heartbeat
from hubbub.delivery.hub import Hub
from hubbub.delivery.keeper import Inline, Keeper, Threaded
from hubbub.delivery.presence import Presence
from hubbub.delivery.records import remember
from hubbub.delivery.wires import wires
from hubbub.http.admission import Admission
from hubbub.http.app import application
from hubbub.http.drain import drain
from hubbub.http.listen import BACKLOG, StartError, listen, places, tls_context
from hubbub.http.patience import Patience
from hubbub.http.reverify import Reverifier
from hubbub.http.upgrade import Door
from hubbub.native import find
from hubbub.protocol.codes import GOING_AWAY
from hubbub.redis_url import masked
from hubbub.settings import Settings
from hubbub.store.base import Heard, News, StoreError
from hubbub.store.memory import MemoryStore

STOP_WITHIN: Final = 4.0
"""Seconds that clients have to hear the goodbye; then the rest are cut off."""
SHORT: Final = 32
"""Bytes below which a secret is too short for HS256 (RFC 7518 section 3.2)."""
KEEPALIVE: Final = 75.0
"""Seconds that an HTTP connection may be idle between two requests."""


class Server:
    """A Hubbub in this process, on the running loop: `start`, and in the end `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        loop = asyncio.get_running_loop()
        self.verifier = _verifier(settings)
        self.lobby = Lobby(settings, Proofs(settings.mod_password))
        self.keeper, self.place = _keeper(settings, loop)
        self.hub = Hub(loop, self.lobby, self.keeper, settings)
        if isinstance(self.keeper, Following):
            self.hub.presence = Presence(
                *(self.hub, self.lobby.share(), self.keeper),
                *(settings.lease, settings.redis_timeout),
            )
            self.keeper.hear = partial(_hear, Follower(self.hub), self.hub.presence)
            self.keeper.typing = self.hub.presence.typing
            self.keeper.has_read = self.hub.markers.tell
            self.hub.markers.others = self.keeper
        if self.verifier is not None:
            self.hub.verify = Reverifier(self.verifier)
        self._heartbeat = Heartbeat(loop, settings.ping)
        self._admission = Admission(settings, places(settings.max_connections), self.verifier)
        self._wires = wires(loop, self.hub)
        most = settings.max_frame
        door = Door(self.hub, self._heartbeat, self._wires, most, self._admission)
        self._runner = web.AppRunner(
            application(self.hub, door, self._admission),
            handle_signals=False,
            shutdown_timeout=0.5,
        )
        self._patience = Patience(
            loop,
            settings.handshake_timeout,
            access_log=None,
            keepalive_timeout=KEEPALIVE,
            tcp_keepalive=False,
        )
        self._listening: list[asyncio.Server] = []

    async def start(self) -> list[str]:
        """Listen; gives the addresses, such as `http://127.0.0.1:3000`. Raises `StartError`."""
        tls = tls_context(self._settings)
        try:
            await remember(self.keeper, self.lobby.standing)
        except StoreError as problem:
            mend = "see that the disk can be read"
            if isinstance(self.keeper, Following):
                mend = "see docs/cluster.md"
            raise StartError(f"{self.place} cannot be read ({problem})", mend) from None
        sockets = listen(self._settings)
        await self._runner.setup()
        assert self._runner.server is not None
        factory = self._patience.start(self._runner.server)
        limit = self._settings.handshake_timeout if tls else None
        loop = asyncio.get_running_loop()
        for one in sockets:
            listening = await loop.create_server(
                factory, sock=one, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=limit
            )
            self._listening.append(listening)
        self._heartbeat.start()
        self.hub.start()
        self.keeper.start()
        if self.hub.presence is not None:
            self.hub.presence.start()
        if self.verifier is not None:
            self.verifier.start()
        log = structlog.get_logger()
        log.info("started", innermost_loops="C" if find("texts") else "Python")
        for line in _warnings(self._settings, sockets):
            log.warning(line)
        return [f"{'https' if tls else 'http'}://{_shown(one)}" for one in sockets]

    async def stop(self) -> None:
        """No new connections, everyone told, all closed: one after the other, with `drain`."""
        log = structlog.get_logger()
        log.info("stopping", connections=len(self._heartbeat), seconds=self._settings.drain)
        self._admission.is_open = False
        self._admission.is_draining = self._settings.drain > 0
        if self._settings.drain:
            await drain(self._heartbeat, self._settings.drain)
        self._admission.is_draining = False
        for one in self._listening:
            one.close()
        for connection in self._heartbeat:
            connection.close(GOING_AWAY, "the server is stopping")
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self._heartbeat.empty()
        except TimeoutError:
            for connection in self._heartbeat:
                connection.abort()
            await self._heartbeat.empty()
        self._heartbeat.stop()
        self._wires.close()
        self.hub.stop()
        await self._runner.cleanup()
        self._patience.stop()
        if self.verifier is not None:
            await self.verifier.close()
        await self.hub.idle()
        if self.hub.presence is not None:
            await self.hub.presence.stop()
        await self.keeper.close()
        log.info("stopped")


def _hear(follower: Follower, presence: Presence, news: Heard) -> None:
    """What other nodes did goes where it belongs."""
    if isinstance(news, News):
        follower.hear(news)
    else:
        presence.hear(news)


def _verifier(settings: Settings) -> Verifier | None:
    """What checks tokens, if they are asked for. Raises `StartError`."""
    try:
        return verifier(settings)
    except KeysError as problem:
        raise StartError(problem.message, problem.mend) from None


def _warnings(settings: Settings, sockets: Iterable[socket.socket]) -> Iterator[str]:
    """What a person should know who starts a server with these settings."""
    if settings.auth == "off":
        if any(not ip_address(one.getsockname()[0]).is_loopback for one in sockets):
            yield (
                "anyone who can reach this address can come in and take any free name;"
                " see docs/auth.md to ask for tokens (--auth required)"
            )
        if settings.jwt_secret or settings.jwt_key or settings.jwks:
            yield "a key for tokens is given, but --auth is off: no token is looked at"
    elif settings.jwt_secret is not None and len(settings.jwt_secret.encode()) < SHORT:
        yield (
            f"jwt_secret has fewer than {SHORT} bytes, so it could be guessed from any token;"
            " make a longer one, as by: openssl rand -base64 32"
        )


def _keeper(settings: Settings, loop: asyncio.AbstractEventLoop) -> tuple[Keeper, str]:
    """What `--store` names, and how to call that place. Raises `StartError`."""
    if settings.store == "memory:":
        return Inline(MemoryStore(settings, new_epoch), loop), "memory, until the server stops"
    if not settings.store.startswith("sqlite:"):
        return _in_redis(settings, loop)
    from hubbub.store.database import UnusableError
    from hubbub.store.place import path_of
    from hubbub.store.sqlite import SqliteStore

    try:
        path = path_of(settings.store)
        store = SqliteStore(path, settings, new_epoch)
    except UnusableError as problem:
        raise StartError(problem.message, problem.mend) from None
    if store.was_cut:
        structlog.get_logger().warning(
            "the machine went down without warning: its last events may be gone, so every room has"
            " a new epoch (--sync full would have kept them)"
        )
    return Threaded(store, loop), str(path)


def _in_redis(settings: Settings, loop: asyncio.AbstractEventLoop) -> tuple[Keeper, str]:
    try:
        from hubbub.store.redis import RedisStore
    except ImportError:
        raise StartError(
            "a store in Redis needs redis-py, which is not installed",
            "pip install 'hubbub[cluster]'",
        ) from None
    place = masked(settings.store)
    try:
        store = RedisStore(settings.store, settings, new_epoch)
    except StoreError as problem:
        raise StartError(f"{place} cannot be used ({problem})", "see docs/cluster.md") from None
    for line in store.worries():
        structlog.get_logger().warning(line)
    return Following(store, loop), place


def _shown(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
