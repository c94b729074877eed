"""Plain sockets without the event loop's transports: one epoll for all that wait to be read.

A transport of uvloop takes over a kilobyte, and a frame passes two turns of the loop on its way. A
`Wire` is what a connection needs of one: it does what `asyncio.Transport` says, for a protocol
that wants to know of every byte that waits (its high-water mark is 0).

Laws: what is written goes out whole and in order; `connection_lost` is called once, in a turn of
its own, and the descriptor is closed after it; a wire that is not read and has nothing to write
costs the loop nothing.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Final

from hubbub.delivery.receiving import IN, OUT, Came, read, receiver
from hubbub.delivery.sending import Sender

if TYPE_CHECKING:
    from hubbub.delivery.connection import Connection
    from hubbub.delivery.hub import Hub

ROUNDS: Final = 16
"""Times that more is looked for before what has come is dealt with."""


class Wires(ABC):
    """All wires of this node; what comes of one round of reading them is one turn of the hub."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hub: Hub) -> None:
        self.loop = loop
        self._hub = hub
        self._wires: list[Wire | None] = []
        """By descriptor."""

    @abstractmethod
    def watch(self, wire: Wire, wanted: int, now: int) -> None:
        """Look at a wire for `wanted` from now on; it was looked at for `now`."""

    @abstractmethod
    def close(self) -> None:
        """Look at none any more."""

    def _know(self, wire: Wire, wanted: int) -> None:
        missing = wire.fd + 1 - len(self._wires)
        if missing > 0:
            self._wires += [None] * missing
        self._wires[wire.fd] = wire if wanted else None

    def _give(self, came: Came) -> None:
        """Let those have it for whom it came."""
        for fd, what in came:
            wire = self._wires[fd]
            if wire is None:
                continue  # one before it was its end
            try:
                if what.__class__ is bytes and what and wire.is_read:
                    wire.reader.data_received(what)  # by far the most
                else:
                    wire.take(what)
            except Exception as problem:  # a fault of ours must not stop the others
                told = {"message": "a connection has a fault", "exception": problem}
                self.loop.call_exception_handler(told)
                wire.abort()


class EpollWires(Wires):
    """Where there is epoll: all are read in one go, from as many as there are."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hub: Hub) -> None:
        super().__init__(loop, hub)
        self._epoll = select.epoll()
        self._receive = receiver(self._epoll)
        loop.add_reader(self._epoll.fileno(), self._come)

    def watch(self, wire: Wire, wanted: int, now: int) -> None:
        """See `Wires`."""
        if not now:
            self._epoll.register(wire.fd, wanted)
        elif wanted:
            self._epoll.modify(wire.fd, wanted)
        else:
            self._epoll.unregister(wire.fd)
        self._know(wire, wanted)

    def close(self) -> None:
        """See `Wires`."""
        if not self._epoll.closed:
            self.loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _come(self) -> None:
        """Some can be read or written. More is looked for at once: fewer turns are fewer sends."""
        hub = self._hub
        is_due = hub.gather()
        for _ in range(ROUNDS):
            came = self._receive()
            self._give(came)
            if not came or hub.has_enough:
                break
        if is_due:
            hub.turn()


class LoopWires(Wires):
    """Where there is no epoll: the loop looks at each."""

    def watch(self, wire: Wire, wanted: int, now: int) -> None:
        """See `Wires`."""
        fd, changed = wire.fd, wanted ^ now
        if changed & IN and wanted & IN:
            self.loop.add_reader(fd, self._read, fd)
        elif changed & IN:
            self.loop.remove_reader(fd)
        if changed & OUT and wanted & OUT:
            ready: Came = [(fd, None)]
            self.loop.add_writer(fd, self._give, ready)
        elif changed & OUT:
            self.loop.remove_writer(fd)
        self._know(wire, wanted)

    def close(self) -> None:
        """See `Wires`."""

    def _read(self, fd: int) -> None:
        what = read(fd)
        if what is not None:
            self._give([(fd, what)])


def wires(loop: asyncio.AbstractEventLoop, hub: Hub) -> Wires:
    """What this system has for them."""
    return EpollWires(loop, hub) if hasattr(select, "epoll") else LoopWires(loop, hub)


class _Rest:
    """What waits to be written: pieces, `size` bytes in all; `ends`: then no more is."""

    __slots__ = ("ends", "pieces", "size")

    def __init__(self) -> None:
        self.pieces: deque[bytes | memoryview] = deque()
        self.size = 0
        self.ends = False


class Wire(Sender):
    """One plain socket, taken over from a transport of the loop; it is its own `Send`.

    It has what `asyncio.Transport` has, but does not come of it: that would take its place.
    """

    __slots__ = ("_closing", "_rest", "_seen", "_wires", "is_read", "reader")

    def __init__(self, wires: Wires, transport: asyncio.Transport, reader: Connection) -> None:
        """`transport` has nothing more to write; it is ended, and the socket lives on."""
        super().__init__(os.dup(transport.get_extra_info("socket").fileno()))
        self._wires = wires
        self.reader = reader
        self._rest: _Rest | None = None
        self._closing = False
        transport.set_protocol(_NOBODY)
        transport.abort()
        self.is_read = True
        self._seen = 0
        self._watch()

    def _watch(self) -> None:
        wanted = (IN if self.is_read else 0) | (OUT if self._rest is not None else 0)
        if wanted != self._seen:
            self._wires.watch(self, wanted, self._seen)
            self._seen = wanted

    def take(self, what: bytes | int | None) -> None:
        """What has come; see `receiving.Came`."""
        if what is None:
            self._drain()
        elif not self.is_read:
            pass  # it has been ended since
        elif isinstance(what, int):
            self._cut(OSError(what, os.strerror(what)))
        elif what:
            self.reader.data_received(what)
        else:
            self.reader.eof_received()
            self.close()

    def _drain(self) -> None:
        """It can be written."""
        rest = self._rest
        if rest is None:
            return
        try:
            while rest.pieces:
                piece = rest.pieces[0]
                sent = os.write(self.fd, piece)
                rest.size -= sent
                if sent < len(piece):
                    rest.pieces[0] = memoryview(piece)[sent:]
                    return
                rest.pieces.popleft()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as problem:
            self._cut(problem)
            return
        self._rest = None
        self._watch()
        if rest.ends:
            self._shut()
        if self._closing:
            self._wires.loop.call_soon(self._lose, None)
        else:
            self.reader.resume_writing()

    def _cut(self, problem: Exception | None) -> None:
        """It is of no use any more, and what waits is lost."""
        if self._closing and self._rest is None:
            return  # its end is on its way
        self._closing, self.is_read, self._rest = True, False, None
        self._watch()
        self._wires.loop.call_soon(self._lose, problem)

    def _lose(self, problem: Exception | None) -> None:
        fd = self.fd
        if fd < 0:
            return
        try:
            self.reader.connection_lost(problem)
        finally:
            del self.reader  # they hold each other
            self.detach()
            os.close(fd)

    def _shut(self) -> None:
        borrowed = socket.socket(fileno=self.fd)
        try:
            borrowed.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer is gone, which is told where it is read
        finally:
            borrowed.detach()

    # What `asyncio.Transport` says

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Have this sent after what waits; what could be sent at once was."""
        if self._closing or not data:
            return
        rest = self._rest
        if rest is None:
            rest = self._rest = _Rest()
            self._watch()
        rest.pieces.append(data if isinstance(data, bytes | memoryview) else bytes(data))
        rest.size += len(data)
        if rest.size == len(data):
            self.reader.pause_writing()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return self._rest.size if self._rest is not None else 0

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """After what waits, nothing more comes from here."""
        if self._rest is not None:
            self._rest.ends = True
        elif not self._closing:
            self._shut()

    def pause_reading(self) -> None:
        """Read nothing until further notice."""
        self.is_read = False
        self._watch()

    def resume_reading(self) -> None:
        """Read on."""
        if not self._closing:
            self.is_read = True
            self._watch()

    def is_closing(self) -> bool:
        """Whether it has ended or is about to."""
        return self._closing

    def close(self) -> None:
        """End it when what waits is written."""
        if self._closing:
            return
        self._closing, self.is_read = True, False
        self._watch()
        if self._rest is None:
            self._wires.loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """End it at once."""
        self._cut(None)


_NOBODY: Final = asyncio.Protocol()
"""Whose the transports are that were ended."""
