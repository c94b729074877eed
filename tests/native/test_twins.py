"""The loops in C do what their twins in Python do, to the byte."""

from __future__ import annotations

import contextlib
import errno
import json
import select
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from hubbub.delivery.receiving import ALL, EVENTS, IN, ONE, OUT, Came, receive_in_python
from hubbub.delivery.sending import Send, SenderInPython, send_all_in_python
from hubbub.native import find
from hubbub.websocket.texts import texts_in_python
from tests.command import serving

texts_in_c = find("texts")
send_all_in_c = find("send_all")
receive_in_c = find("receive")
Sender = find("Sender")


def frame(first: int, payload: bytes, mask: bytes, width: int = 0, claims: int = 0) -> bytes:
    """A masked frame; `width` 2 or 8 spells the length out, `claims` adds to what it says."""
    size = len(payload) + claims
    width = width or (0 if size < 126 else 2 if size < 65536 else 8)
    head = {
        0: bytes((first, 0x80 | size & 0x7F)),
        2: bytes((first, 0xFE)) + (size & 0xFFFF).to_bytes(2, "big"),
        8: bytes((first, 0xFF)) + size.to_bytes(8, "big"),
    }[width]
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


PAYLOADS = st.text(max_size=300).map(str.encode) | st.binary(max_size=40)
FRAMES = st.builds(
    frame,
    st.sampled_from([0x81] * 12 + [0x01, 0x80, 0x82, 0x88, 0x89, 0xC1]),
    PAYLOADS,
    st.binary(min_size=4, max_size=4),
    st.sampled_from([0] * 8 + [2, 8]),
    st.sampled_from([0] * 12 + [1, 7]),
)
STREAMS = st.lists(FRAMES, max_size=6).map(b"".join) | st.binary(max_size=60)


@given(STREAMS, st.integers(0, 320), st.integers(0, 400))
@example(b"", 10, 0)
@example(frame(0x81, b"x" * 252, b"abcd"), 300, 0)
@example(frame(0x81, b"\xed\xa0\x80", b"abcd"), 300, 0)
@example(frame(0x81, b"x" * 65535, b"abcd"), 1 << 20, 0)
@example(frame(0x81, b"x" * 65536, b"abcd"), 1 << 20, 0)
def test_the_same_bytes_are_the_same_texts(data: bytes, most: int, cut: int) -> None:
    for piece in (data, data[:cut], data[cut:]):
        assert texts_in_c(piece, most) == texts_in_python(piece, most)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 1023, 1024, 1025, 5000])
def test_every_byte_is_unmasked(size: int) -> None:
    text = ("0123456789abcdefg" * (size // 17 + 1))[:size]
    data = frame(0x81, text.encode(), b"\x01\x80\xff\x7e")
    assert texts_in_c(data * 2, size) == texts_in_python(data * 2, size) == [text, text]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (texts_in_c, (b"x",)),
        (texts_in_c, ("x", 1)),
        (texts_in_c, (b"x", "1")),
        (texts_in_c, (bytearray(b"x"), 1)),
        (send_all_in_c, ({},)),
        (send_all_in_c, ([], b"x")),
        (send_all_in_c, ({}, "x")),
        (receive_in_c, ("x",)),
        (Sender, ()),
        (Sender, ("x",)),
    ],
)
def test_what_is_no_argument_is_an_error(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(TypeError):
        function(*arguments)


class Ends:
    """Pairs of sockets: `near` sends without waiting, `far` is who reads."""

    def __init__(self, count: int) -> None:
        self.near, self.far = zip(*(socket.socketpair() for _ in range(count)), strict=True)
        for near in self.near:
            near.setblocking(False)

    def fill(self, which: int) -> int:
        """Leave no room in one; gives how many bytes wait in it."""
        waiting = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting += self.near[which].send(b"x" * 4096)
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting += self.near[which].send(b"x")
        return waiting

    def close(self) -> None:
        for one in (*self.near, *self.far):
            one.close()


class Derived(Sender):  # type: ignore[misc, valid-type]
    """As `Wire` is one: it is known by sight, too, and never called."""

    __slots__ = ()

    def __call__(self, data: bytes) -> int:
        raise AssertionError("called")


@pytest.fixture(params=["C", "C, derived", "Python", "C, with senders of Python's"])
def sending(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    send_all = send_all_in_python if request.param == "Python" else send_all_in_c
    kinds = {"C": Sender, "C, derived": Derived}
    kind = kinds.get(request.param, SenderInPython)
    return send_all, lambda sock: kind(sock.fileno())


@pytest.mark.parametrize("count", [1, 5, 64, 65, 200])
def test_who_can_take_it_gets_it_and_the_others_are_told(
    count: int, sending: tuple[Any, Any]
) -> None:
    send_all, sender = sending
    ends = Ends(count)
    full, broken, brief = count // 2, count - 1, count // 3
    data = b"for everyone" * 20_000  # more than a socket takes at once
    ready: dict[Send, int] = {sender(near): number for number, near in enumerate(ends.near)}
    keys = list(ready)
    waiting = ends.fill(full)
    if count > 3:
        ends.far[broken].close()
    told = {ready[key]: sent for key, sent in send_all(ready, data)}
    assert list(ready) == keys
    assert told.pop(full) == 0
    assert len(ends.far[full].recv(waiting + 10)) == waiting
    if count > 3:
        assert told.pop(broken) == -1
        assert brief in told
    for number, sent in told.items():
        assert 0 < sent < len(data)
        assert (
            ends.far[number].recv(len(data), socket.MSG_WAITALL if sent == 0 else 0)[:12]
            == data[:12]
        )
    small = {key: number for key, number in ready.items() if number not in {full, broken}}
    for number in small.values():
        ends.far[number].setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while ends.far[number].recv(1 << 20):
                pass
    assert send_all(small, b"a short one") == []
    assert all(ends.far[number].recv(100) == b"a short one" for number in small.values())
    ends.close()


@pytest.mark.parametrize("kind", [Sender, SenderInPython])
def test_one_that_is_detached_or_closed_is_broken(kind: Any) -> None:
    ends = Ends(2)
    detached, closed = (kind(near.fileno()) for near in ends.near)
    assert closed.fd == ends.near[1].fileno()
    detached.detach()
    assert detached.fd == -1
    ends.near[1].close()
    assert send_all_in_c({detached: 0, closed: 1}, b"x") == [(detached, -1), (closed, -1)]
    with pytest.raises(OSError, match="Bad file descriptor"):
        detached(b"x")
    ends.close()


@pytest.mark.parametrize("kind", [Sender, SenderInPython])
def test_a_sender_sends_alone_as_a_socket_does(kind: Any) -> None:
    ends = Ends(1)
    send = kind(ends.near[0].fileno())
    assert send(b"hello") == 5
    assert ends.far[0].recv(10) == b"hello"
    ends.fill(0)
    with pytest.raises(BlockingIOError):
        send(b"x")
    ends.far[0].close()
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        send(b"x")
    with pytest.raises(TypeError):
        send("x")
    ends.close()


def test_what_nobody_foresaw_is_raised(sending: tuple[Any, Any]) -> None:
    send_all, _ = sending

    def fails(_: bytes) -> int:
        raise ValueError("unforeseen")

    with pytest.raises(ValueError, match="unforeseen"):
        send_all({fails: 0}, b"x")


Receive = Callable[[select.epoll], Came]


@pytest.fixture(params=["C", "Python"])
def receive(request: pytest.FixtureRequest) -> Receive:
    if request.param == "Python":
        return receive_in_python
    return lambda poll: receive_in_c(poll.fileno())


@contextlib.contextmanager
def watched(ends: Ends, wanted: int = IN) -> Iterator[select.epoll]:
    with select.epoll() as poll:
        for near in ends.near:
            poll.register(near.fileno(), wanted)
        yield poll
    ends.close()


def test_what_has_come_is_read_and_who_can_be_written_is_told(receive: Receive) -> None:
    ends = Ends(5)
    fds = [near.fileno() for near in ends.near]
    with watched(ends) as poll:
        assert receive(poll) == []
        ends.far[0].send(b"hello")
        ends.far[1].send(b"last words")
        ends.far[1].close()
        poll.modify(fds[2], IN | OUT)
        ends.far[2].send(b"both")
        poll.modify(fds[3], OUT)
        ends.far[3].send(b"not asked for")
        poll.unregister(fds[4])
        ends.far[4].send(b"nor this")
        came = receive(poll)
        assert len(came) == 5
        assert {*came} == {
            *((fds[0], b"hello"), (fds[1], b"last words")),
            *((fds[2], None), (fds[2], b"both"), (fds[3], None)),
        }
        assert came.index((fds[2], None)) < came.index((fds[2], b"both"))
        assert (fds[1], b"") in receive(poll), "the end of the stream"


def test_an_error_is_told_by_its_number(receive: Receive) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname())
        near, _ = server.accept()
    near.setblocking(False)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
    far.close()
    with near, select.epoll() as poll:
        poll.register(near.fileno(), IN)
        assert receive(poll) == [(near.fileno(), errno.ECONNRESET)]


def test_one_who_says_much_leaves_room_for_the_others(receive: Receive) -> None:
    ends = Ends(2)
    with watched(ends) as poll:
        for near, far in zip(ends.near, ends.far, strict=True):
            near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            far.setblocking(False)
        sent = ends.far[0].send(b"x" * 4 * ONE)
        assert sent > 2 * ONE
        ends.far[1].send(b"hello")
        came = receive(poll)
        assert sorted(len(what) for _, what in came if isinstance(what, bytes)) == [5, ONE]
        rest = 0
        while more := receive(poll):
            rest += sum(len(what) for _, what in more if isinstance(what, bytes))
        assert ONE + rest == sent


def test_no_more_is_read_in_one_go_than_memory_is_meant_for(receive: Receive) -> None:
    ends = Ends(ALL // ONE + 4)
    with watched(ends) as poll:
        for far in ends.far:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            assert far.send(b"x" * ONE) == ONE
        assert len(receive(poll)) == ALL // ONE
        assert len(receive(poll)) == 4


def test_everyone_has_a_turn_where_there_are_more_than_are_looked_at(receive: Receive) -> None:
    ends = Ends(EVENTS + 44)
    with watched(ends) as poll:
        for far in ends.far:
            far.send(b"x")
        first, second = receive(poll), receive(poll)
        assert (len(first), len(second)) == (EVENTS, 44)
        assert {fd for fd, _ in first + second} == {near.fileno() for near in ends.near}


def test_a_closed_epoll_is_an_error(receive: Receive) -> None:
    poll = select.epoll()
    poll.close()
    with pytest.raises((OSError, ValueError)):
        receive(poll)
    with pytest.raises(OSError, match="Bad file descriptor"):
        receive_in_c(99_999)


def test_nothing_is_left_behind() -> None:
    ends = Ends(3)
    ready = {Sender(near.fileno()): 0 for near in ends.near}
    (first, *_) = ready
    data, masked = bytes(300), frame(0x81, b"x" * 200, b"abcd")
    before = (sys.getrefcount(data), sys.getrefcount(masked), sys.getrefcount(first))
    ends.fill(0)
    for _ in range(1000):
        send_all_in_c(ready, data)
        texts_in_c(masked, 500)
        texts_in_c(masked[:-1], 500)
        for far in ends.far[1:]:
            far.recv(1000)
    with select.epoll() as poll:
        poll.register(ends.near[1].fileno(), IN | OUT)
        blocks = sys.getallocatedblocks()
        for _ in range(1000):
            ends.far[1].send(b"x" * 600)
            receive_in_c(poll.fileno())
        assert abs(sys.getallocatedblocks() - blocks) < 100
    assert (sys.getrefcount(data), sys.getrefcount(masked), sys.getrefcount(first)) == before
    ends.close()


@pytest.mark.parametrize(("wanted", "loops"), [("0", "Python"), ("1", "C")])
async def test_the_server_says_which_it_uses_and_works_with_either(
    wanted: str, loops: str, tmp_path: Path
) -> None:
    env = {"HUBBUB_NATIVE": wanted}
    with serving("--addr", "127.0.0.1:0", "--rate", "0", cwd=tmp_path, env=env) as server:
        assert f"innermost_loops={loops}" in (tmp_path / "server.log").read_text()
        address = server.url.replace("http", "ws", 1) + "/ws"
        async with (
            connect(address, compression=None) as ann,
            connect(address, compression=None) as bob,
        ):
            for socket_, name in ((ann, "ann"), (bob, "bob")):
                await socket_.send(f'{{"type":"join","room":"r","username":"{name}"}}')
                while json.loads(await socket_.recv())["type"] != "roster":
                    pass
            for number in range(200):
                await ann.send(json.dumps({"type": "chat", "text": f"{number} " + "é" * number}))
            heard: list[str] = []
            while len(heard) < 200:
                frame_ = json.loads(await bob.recv())
                if frame_["type"] == "chat":
                    heard.append(frame_["text"])
            assert heard == [f"{number} {'é' * number}".strip() for number in range(200)]
