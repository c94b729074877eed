"""One socket: bytes in, frames out, and what happens when it is slow or dies.

Laws: what was begun is written whole and in order (what a socket does not take at once waits in
the transport, and nothing goes past it); at most `FULL` bytes of answers wait for a reader that
does not read, then nothing more is read from it; its rooms are left once, at the first sign of
its end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from hubbub.chat.grants import Grant
from hubbub.chat.session import Session, Tell
from hubbub.delivery import progress
from hubbub.delivery.sending import Send
from hubbub.delivery.wires import Wire, Wires
from hubbub.protocol.codes import FAULTS, STALLED, UNRULY
from hubbub.protocol.incoming import Chat, Delete, Edit, Join, Leave, React, UnreadableError, decode
from hubbub.protocol.outgoing import Error
from hubbub.store.base import StoreError
from hubbub.websocket.frames import close_frame, ping_frame, pong_frame
from hubbub.websocket.parser import Close, Failure, Item, Parser, Ping, Pong
from hubbub.websocket.texts import texts

if TYPE_CHECKING:
    from hubbub.delivery.feed import Feed
    from hubbub.delivery.heartbeat import Heartbeat
    from hubbub.delivery.hub import Hub

FULL: Final = 65536
"""Bytes of answers that may wait for a reader before we stop reading from it."""
GRACE: Final = 2.0
"""Seconds that a peer has to answer a close."""
BATCH: Final = 64
"""Frames of one client that are dealt with in one go, before the others have their turn."""
SMALL: Final = 4096
"""A rest up to this size is copied, so that it does not hold on to a large piece."""

_numbers = count(1)
_PING: Final = ping_frame()


@dataclass(frozen=True, slots=True)
class House:
    """What all connections of a server have in common.

    `max_message` bounds a message in bytes; `gone(remote)` is called when a connection has ended.
    """

    heartbeat: Heartbeat
    wires: Wires
    max_message: int
    gone: Callable[[str], None]


class Connection(asyncio.Protocol):
    """A WebSocket after its handshake. `id` names it on every log line."""

    __slots__ = (
        "_acked",
        "_closing",
        "_fd",
        "_held",
        "_house",
        "_hub",
        "_parser",
        "_pinged",
        "_reason",
        "_remote",
        "_rests",
        "_since",
        "_stuck",
        "_transport",
        "_waits",
        "feeds",
        "heard",
        "is_full",
        "number",
        "returning",
        "send",
        "session",
    )

    def __init__(
        self,
        hub: Hub,
        house: House,
        grant: Grant | None = None,
        address: str = "",
    ) -> None:
        self._hub = hub
        self._house = house
        self._parser: Parser | None = None
        """Who has the beginning of something of which the rest has not come; mostly nobody."""
        self._held: list[Item] | None = None
        self._waits = False
        self._rests = False
        """It is not read from for a while, because it sent too much that nobody can refuse."""
        self._closing = False
        self._reason = ""
        self._pinged = False
        self._acked = 0
        self._stuck: tuple[float, tuple[int, int]] | None = None
        """Since when its full socket has taken nothing, and what it had taken then."""
        self._since = time.monotonic()
        self.number = next(_numbers)
        self.session = Session(self, address)
        self.session.grant = grant
        self.feeds: tuple[Feed, ...] = ()
        self.heard = True
        """Something came from the peer since the heartbeat last looked."""
        self.returning = 0
        """Rooms that it comes back to by `since`, and has not had the replay of."""
        self.is_full = False
        """Bytes wait in the transport: nothing may be sent past them."""

    @property
    def id(self) -> str:
        """The name of this connection on log lines."""
        return f"c{self.number:x}"

    @property
    def fd(self) -> int:
        """The socket's descriptor, which is the transport's to close."""
        return self._transport.fd if isinstance(self._transport, Wire) else self._fd

    @property
    def is_open(self) -> bool:
        """Whether frames may still be written."""
        return not self._closing

    @property
    def is_there(self) -> bool:
        """Whether the peer is, also while nothing is read from it."""
        return self.is_open and not progress.has_ended(self.fd)

    def start(
        self,
        transport: asyncio.Transport,
        remote: str,
        greeting: bytes,
        rest: bytes,
    ) -> None:
        """Take the socket over, and answer the handshake with `greeting`.

        `rest` is what came after the handshake already.
        """
        self._remote = remote
        # Any byte that waits means full: from there on the cursor, not the buffer, remembers.
        if transport.get_extra_info("sslcontext") is None and not transport.get_write_buffer_size():
            wire = Wire(self._house.wires, transport, self)
            self._transport: asyncio.Transport | Wire = wire
            self.send: Send = wire
        else:
            self._transport = transport
            self._fd = transport.get_extra_info("socket").fileno()
            self.send = self._send_through
            transport.set_write_buffer_limits(high=1)  # here the limit itself counts as over it
            transport.set_protocol(self)
        self._house.heartbeat.add(self)
        self._hub.expiry.watch(self)
        self._hub.log.info("connect", conn_id=self.id, remote=remote)
        self.write(greeting)
        if rest:
            self.data_received(rest)

    # What comes in

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer."""
        self.heard = True
        wait = 0.0
        lobby = self._hub.lobby
        if lobby.weighs:
            wait = lobby.weigh(self.session, len(data), time.monotonic())
        # By far the most bring one whole text frame.
        found = texts(data, self._house.max_message) if self._parser is None else None
        items: Sequence[Item] = self._parse(data) if found is None else found
        if wait and 2 * sum(len(item) for item in items if isinstance(item, str)) < len(data):
            self._rest(wait)
        if items:
            self._take(items, wait)

    def _parse(self, data: bytes) -> list[Item]:
        parser = self._parser or Parser(self._house.max_message)
        items = parser.feed(data)
        self._parser = None if parser.is_idle else parser
        return items

    def _rest(self, seconds: float) -> None:
        """Bytes that say nothing, or not yet, came too soon: they get no error, but are slowed."""
        if not (self._rests or self._closing):
            self._rests = True
            self._transport.pause_reading()
            self._hub.later(seconds, self._rested)

    def _rested(self) -> None:
        self._rests = False
        self.heard = True
        self.go_on()

    def _take(self, items: Sequence[Item], wait: float = 0.0) -> None:
        """Deal with what came; with `wait`, it came so many seconds too soon."""
        hub = self._hub
        if self._closing:
            items = [item for item in items if not isinstance(item, str)]
        if len(items) > BATCH:
            self._hold([*items[BATCH:]])
            items = items[:BATCH]
            hub.soon(self.go_on)
        now = time.monotonic()
        for place, item in enumerate(items):
            if not isinstance(item, str):
                self._control(item)
                continue
            if self._closing:
                continue
            try:
                frame = decode(item)
            except UnreadableError as problem:
                refusal = hub.lobby.hurry(self.session, problem.id, now)
                invalid = Error(str(problem), "invalid", problem.id)
                hub.put(refusal or Tell(self.session, invalid))
                continue
            if wait:
                hub.put(hub.lobby.too_fast(self.session, wait, frame.id, now))
                continue
            if type(frame) is Chat:
                said = hub.lobby.chat(self.session, frame, now)
                if said is not None:
                    hub.put(said)
                continue
            if isinstance(frame, Join | Leave | Edit | Delete | React) and self._must_wait(
                frame, now
            ):
                self._hold([*items[place:], *(self._held or ())])
                return
            if hub.decide(self, frame, now):
                self._waits = True
                self._hold([*items[place + 1 :], *(self._held or ())])
                return
        if hub.is_behind and not self._closing:
            self._hold(self._held or [])
            hub.park(self)

    def _must_wait(self, frame: Join | Leave | Edit | Delete | React, now: float) -> bool:
        """Whether a frame has to be held: a connection goes on by itself when it need not be."""
        if self.returning or self._hub.fanout.is_lagging(self):
            # Its answers to changes have to wait for their place; so that not many of them do, no
            # change is made by who is far behind.
            return True
        if self.is_full and isinstance(frame, Join | Leave):
            return True  # whoever comes or goes has first had all that was said before
        if not isinstance(frame, Join) or self._hub.lobby.hurries(self.session, now):
            return False  # who comes too soon is refused before anything is opened
        self._waits = not self._hub.doors.ready(frame.room, self._opened)
        return self._waits

    def _opened(self, problem: StoreError | None) -> None:
        """The log of the room that the first held frame wants to join is open now, or is not."""
        self._waits = False
        if problem is not None and self._held:
            join = self._held.pop(0)
            assert isinstance(join, str)
            self._hub.refuse(self, problem, decode(join).id)
        self.go_on()

    def answered(self) -> None:
        """What this connection waited for has come."""
        self._waits = False
        self.go_on()

    def _control(self, item: Ping | Pong | Close | Failure) -> None:
        if isinstance(item, Ping):
            if self._closing:
                return
            hurry = self._hub.lobby.hurry(self.session, None, time.monotonic())
            if hurry is not None:
                self._hub.put(hurry)
            else:
                self.write(pong_frame(item.payload))
        elif isinstance(item, Close):
            if self._closing:
                self._transport.close()
                return
            code = 1000 if item.code == 1005 else item.code
            self._end(f"closed {item.code}", close_frame(code, item.reason))
            self._transport.close()
        elif isinstance(item, Failure):
            self.close(item.code, item.reason)

    def eof_received(self) -> None:
        """The peer will send no more: without a close frame that is the end."""
        self._leave("end of stream")

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._leave("reset" if exc is not None else "lost")
        self._house.heartbeat.remove(self)
        self._hub.expiry.forget(self)
        self._house.gone(self._remote)
        seconds = round(time.monotonic() - self._since, 1)
        self._hub.log.info("disconnect", conn_id=self.id, reason=self._reason, seconds=seconds)

    # What goes out

    def write(self, data: bytes) -> None:
        """Send whole frames, after all that was sent before."""
        if self._closing:
            return
        if self.is_full:
            self._transport.write(data)
            if self._is_flooded():
                self._transport.pause_reading()
            return
        try:
            sent = self.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.lose("reset")
            return
        if sent != len(data):
            self.overflow(data, sent)

    def overflow(self, data: bytes, sent: int) -> None:
        """The socket took only `sent` bytes of `data`; the transport keeps the rest."""
        left = len(data) - sent
        self._transport.write(data[sent:] if left <= SMALL else memoryview(data)[sent:])

    def _send_through(self, data: bytes) -> int:
        """`send` where TLS stands between: the transport takes all, and says when it is full."""
        self._transport.write(data)
        return len(data)

    def pause_writing(self) -> None:
        """Bytes wait in the transport."""
        self.is_full = True
        self._stuck = None
        self._hub.fanout.choke(self)

    def resume_writing(self) -> None:
        """The socket has taken all that waited."""
        self.is_full = False
        self._hub.fanout.catch_up(self)

    def _hold(self, items: list[Item]) -> None:
        """Deal with these later, and read no more until then."""
        self._held = items
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on, beginning with what was held, unless too many answers wait already."""
        if self._closing or self._waits or self._rests or self._is_flooded():
            return
        held, self._held = self._held, None
        self._transport.resume_reading()
        if held:
            self._take(held)

    def _is_flooded(self) -> bool:
        return self.is_full and self._transport.get_write_buffer_size() > FULL

    # How it ends

    def close(self, code: int, reason: str) -> None:
        """Say goodbye with a close frame, and see that the socket goes."""
        if self._closing:
            return
        self._end(f"closed by us {code} {reason}", close_frame(code, reason))
        if code == UNRULY:
            # It will not stop, and is not read any more: so the cost of it is its own.
            self._transport.pause_reading()
        elif code in FAULTS and self._transport.can_write_eof():
            # Nothing more of what it says is understood; but its bytes must be read and thrown
            # away, or the kernel would answer them with a reset that overtakes our close frame.
            self._transport.write_eof()
        self._hub.later(GRACE, self.abort)

    def abort(self) -> None:
        """Cut the socket off."""
        self._leave("cut off")
        self._transport.abort()

    def lose(self, reason: str) -> None:
        """The peer is as good as gone: end it without a word."""
        if not self._closing:
            self._leave(reason)
            self._transport.abort()

    def _end(self, reason: str, farewell: bytes) -> None:
        self.write(farewell)
        self._leave(reason)
        self._held = None
        self._transport.resume_reading()

    def _leave(self, reason: str) -> None:
        if not self._closing:
            self._closing = True
            self._reason = reason
            # What it is out of is felt later; from here on it is sent nothing (section 5.5.1).
            self._hub.fanout.choke(self)
            self._hub.drop(self)

    # Is it alive?

    def beat(self) -> None:
        """Look for a sign of life since the last look; ask for one, or give up."""
        if self.is_full and not self._closing:
            self._watch()  # a ping would only wait behind what waits already
            return
        if self.heard or self._rests:
            self.heard = self._pinged = False
            return
        acked = progress.acknowledged(self.fd)
        if self._pinged:
            if acked <= self._acked + progress.NOISE:
                if self._closing:
                    self._transport.abort()
                else:
                    self.lose("no sign of life")
                return
        else:
            self._pinged = True
            self.write(_PING)
        self._acked = acked

    def _watch(self) -> None:
        """See whether a reader whose socket is full takes anything; if not for long, it goes."""
        moved = (progress.acknowledged(self.fd), -self._transport.get_write_buffer_size())
        now = time.monotonic()
        if self._stuck is None or moved > self._stuck[1]:
            self._stuck = (now, moved)
        elif now - self._stuck[0] >= self._hub.stall_timeout:
            self.close(STALLED, "you took nothing for too long; come back with since")
