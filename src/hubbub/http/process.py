"""A process that serves until it is told to stop: alone, or as one of several workers."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version

from hubbub import logs
from hubbub.http.server import Server
from hubbub.settings import Settings


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; gives the exit status. Raises `StartError`."""
    if settings.workers > 1:
        from hubbub.http.workers import Workers

        return Workers(settings, run).serve(announce)
    return run(settings, announce)


def run(
    settings: Settings,
    ready: Callable[[list[str], str], None],
    worker: int | None = None,
    parent: int | None = None,
) -> int:
    """Serve in this process; `ready` is told the addresses and where it is kept.

    `worker` is its number, and `parent` a pipe at whose end it stops: its parent is gone.
    """
    logs.configure(settings.log_level, settings.log_format, worker=worker)
    try:
        import uvloop
    except ImportError:  # where there is none, asyncio's own loop does
        factory = asyncio.new_event_loop
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(settings, ready, parent))
    return 0


def announce(addresses: list[str], place: str) -> None:
    """Tell the person who started it."""
    sys.stdout.write(
        f"Hubbub {version('hubbub')} listens on {' and '.join(addresses)}\n"
        "Open it in two browser tabs and they can talk. Ctrl+C stops it.\n"
        f"What is said is kept in {place}.\n"
    )
    sys.stdout.flush()


async def _serve(
    settings: Settings, ready: Callable[[list[str], str], None], parent: int | None
) -> None:
    loop = asyncio.get_running_loop()
    stopped = _on_signals(loop)
    if parent is not None:
        loop.add_reader(parent, _orphaned, loop, parent, stopped)
    server = Server(settings)
    addresses = await server.start()
    # What exists now lives as long as the server: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    ready(addresses, server.place)
    await stopped.wait()
    await server.stop()


def _orphaned(loop: asyncio.AbstractEventLoop, parent: int, stopped: asyncio.Event) -> None:
    loop.remove_reader(parent)
    stopped.set()


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
