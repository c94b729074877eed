"""Several processes on one port (`--workers`): this one starts them, and watches them.

Laws: the workers listen, each for itself, and the kernel gives every connection to one of them
(SO_REUSEPORT); this process has no loop, no thread and no store, so that it can be forked at any
time; a worker that dies comes back, later each time; one whose parent is gone stops; SIGTERM and
SIGINT go on to all of them.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, NoReturn

import structlog

from hubbub import logs
from hubbub.http.listen import StartError, at_port, reserve
from hubbub.settings import Settings

FIRST: Final = 0.5
MOST: Final = 30.0
"""Seconds until a worker that died is started again: the first time, and at most."""
STEADY: Final = 60.0
"""Seconds after which a worker that dies has not died at once."""
SIGNALS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}

Told = Callable[[list[str], str], None]
Run = Callable[[Settings, Told, int, int], int]


def backoff(deaths: int) -> float:
    """Seconds to wait after so many deaths, one soon after the other."""
    return min(MOST, FIRST * 2.0 ** min(deaths - 1, 10))


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int = 0
    """0: it does not run."""
    pipe: int = -1
    """What it says when it is ready, or why it cannot start."""
    said: bytes = b""
    began: float = 0.0
    deaths: int = 0
    due: float | None = None
    """When it is started again."""


class Workers:
    """`settings.workers` processes that each `run(settings, ready, number, pipe)`."""

    def __init__(self, settings: Settings, run: Run) -> None:
        self._settings = settings
        self._run = run
        self._workers = [_Worker(number) for number in range(1, settings.workers + 1)]
        self._ready: set[int] = set()
        self._stopping = False
        self._failed: StartError | None = None
        self._status = 0
        self._held: list[socket.socket] = []

    def serve(self, announce: Told) -> int:
        """Until told to stop, and all have ended; gives the exit status. Raises `StartError`.

        `announce` is called once, when all listen.
        """
        logs.configure(self._settings.log_level, self._settings.log_format)
        self._log = structlog.get_logger()
        self._announce: Told | None = announce
        self._held = reserve(self._settings)
        port = self._held[0].getsockname()[1]
        self._settings = replace(self._settings, addr=at_port(self._settings.addr, port))
        # Whoever holds the reading end sees its end when this process is gone, however it ended.
        self._lifeline, self._alive = os.pipe()
        self._selector = selectors.DefaultSelector()
        heard, waker = socket.socketpair()
        heard.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        for one in SIGNALS:
            signal.signal(one, _hear)
        self._selector.register(heard, selectors.EVENT_READ)
        for worker in self._workers:
            self._start(worker)
        while any(worker.pid or worker.due is not None for worker in self._workers):
            for key, _ in self._selector.select(self._patience()):
                if isinstance(key.data, _Worker):
                    self._listen(key.data)
                else:
                    for number in heard.recv(4096):
                        self._signalled(number)
            self._reap()
            for worker in self._workers:
                if worker.due is not None and worker.due <= time.monotonic():
                    self._start(worker)
        for held in self._held:
            held.close()
        if self._failed is not None:
            raise self._failed
        return self._status

    def _patience(self) -> float | None:
        due = [worker.due for worker in self._workers if worker.due is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _start(self, worker: _Worker) -> None:
        pipe, telling = os.pipe()
        # A signal between the fork and the worker's own handlers would be heard here.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if not pid:
            os.close(pipe)
            self._work(worker, telling, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(telling)
        worker.pid, worker.pipe, worker.said = pid, pipe, b""
        worker.began, worker.due = time.monotonic(), None
        self._selector.register(pipe, selectors.EVENT_READ, worker)
        self._log.info("worker starts", worker=worker.number, pid=pid)

    def _work(self, worker: _Worker, telling: int, before: Iterable[int]) -> NoReturn:
        """What a worker does, in its own process, which ends here."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.setpgid(0, 0)  # Ctrl-C in a terminal comes from the parent, and once
            os.close(self._alive)
            self._selector.close()
            for held in self._held:
                held.close()
            for other in self._workers:
                if other.pipe >= 0:
                    os.close(other.pipe)

            def ready(addresses: list[str], place: str) -> None:
                os.write(telling, json.dumps({"addresses": addresses, "place": place}).encode())
                os.close(telling)

            try:
                status = self._run(self._settings, ready, worker.number, self._lifeline)
            except StartError as error:
                os.write(telling, json.dumps({"what": error.message, "mend": error.mend}).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(status)

    def _listen(self, worker: _Worker) -> None:
        """A worker says something, or is done with it."""
        said = os.read(worker.pipe, 65536)
        worker.said += said
        if said:
            return
        self._selector.unregister(worker.pipe)
        os.close(worker.pipe)
        worker.pipe = -1
        told = json.loads(worker.said or b"{}")
        if "addresses" in told:
            self._ready.add(worker.number)
            self._log.info("worker serves", worker=worker.number, pid=worker.pid)
            if self._announce is not None and len(self._ready) == len(self._workers):
                self._announce(told["addresses"], told["place"])
                self._announce = None
        elif "what" in told:
            error = StartError(told["what"], told["mend"])
            self._log.error("worker cannot start", worker=worker.number, reason=str(error))
            if self._announce is not None:  # it is the start of all, and a mistake of a person's
                self._failed = self._failed or error
                self._stop(signal.SIGTERM)

    def _signalled(self, number: int) -> None:
        if number != signal.SIGCHLD:
            self._log.info("workers are stopped", signal=signal.Signals(number).name)
            self._stop(signal.Signals(number))

    def _stop(self, number: signal.Signals) -> None:
        self._stopping = True
        for worker in self._workers:
            worker.due = None
            if worker.pid:
                os.kill(worker.pid, number)

    def _reap(self) -> None:
        for worker in self._workers:
            if worker.pid:
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if pid:
                    self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: _Worker, status: int) -> None:
        pid, worker.pid = worker.pid, 0  # from here on the number may be another process's
        while worker.pipe >= 0:  # its last words
            self._listen(worker)
        if self._stopping:
            self._status = self._status or (128 - status if status < 0 else status)
            self._log.info("worker stopped", worker=worker.number, pid=pid, status=status)
            return
        lived = time.monotonic() - worker.began
        worker.deaths = 1 if lived > STEADY else worker.deaths + 1
        wait = backoff(worker.deaths)
        worker.due = time.monotonic() + wait
        self._log.error(
            "worker died", worker=worker.number, pid=pid, status=status, restart_in=wait
        )


def _hear(number: int, frame: object) -> None:
    """It is read from the waker; but without a handler there would be nothing there."""
