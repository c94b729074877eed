"""The rules of RFC 6455 by example, and what a parser holds."""

import tracemalloc

import pytest

from hubbub.websocket import frames
from hubbub.websocket.parser import Close, Failure, Parser

MASK = b"\x11\x22\x33\x44"


def frame(first: int, payload: bytes = b"") -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    return head + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


@pytest.mark.parametrize(
    ("data", "code", "section"),
    [
        (b"\x81\x01a", 1002, "5.1: a client masks"),
        (frame(0xC1, b"a"), 1002, "5.2: RSV1 without an extension"),
        (frame(0x83, b"a"), 1002, "5.2: opcode 3 is reserved"),
        (frame(0x8B, b"a"), 1002, "5.2: opcode 11 is reserved"),
        (frame(0x80, b"a"), 1002, "5.4: nothing to continue"),
        (frame(0x01, b"a") + frame(0x81, b"b"), 1002, "5.4: no message within a message"),
        (frame(0x09, b"a"), 1002, "5.5: control frames are not fragmented"),
        (frame(0x89, b"a" * 126), 1002, "5.5: nor longer than 125 bytes"),
        (frame(0x88, b"a"), 1002, "5.5.1: a code has two bytes"),
        (frame(0x88, b"\x03\xed"), 1002, "7.4.1: 1005 is never sent"),
        (frame(0x88, b"\x03\xee"), 1002, "7.4.1: 1006 is never sent"),
        (frame(0x88, b"\x13\x88"), 1002, "7.4.2: 5000 is nobody's"),
        (frame(0x88, b"\x03\xe8\xff"), 1007, "5.5.1: the reason is UTF-8"),
        (frame(0x81, b"\xed\xa0\x80"), 1007, "8.1: a surrogate is not UTF-8"),
        (frame(0x01, b"\xc3") + frame(0x80, b"("), 1007, "8.1: the whole message counts"),
        (frame(0x81, b"a" * 201), 1009, "7.4.1: too big"),
        (frame(0x01, b"a" * 150) + frame(0x80, b"b" * 51), 1009, "all fragments together"),
        (frame(0x82, b"a" * 201), 1009, "binary too, though it is ignored"),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1009, "a length that none can have"),
    ],
)
def test_what_breaks_the_protocol_has_its_code(data: bytes, code: int, section: str) -> None:
    parser = Parser(200)
    *_, last = parser.feed(data)
    assert isinstance(last, Failure), section
    assert last.code == code, section
    assert last.reason
    assert parser.feed(frame(0x81, b"more")) == [], "nothing that follows means anything"


@pytest.mark.parametrize("size", [*range(520), 65533, 65534, 65535, 65536, 65537])
def test_a_message_of_any_size_is_read_whole_or_in_pieces(size: int) -> None:
    text = ("abcdefghijk" * (size // 11 + 1))[:size]
    data = frame(0x81, text.encode())
    assert Parser(size).feed(data) == Parser(1 << 20).feed(data) == [text]
    assert Parser(size).feed(data + data) == [text, text]
    for cut in {1, 2, 3, 4, 5, 6, 8, 14, len(data) - 1} - {len(data)}:
        parser = Parser(size)
        assert parser.feed(data[:cut]) + parser.feed(data[cut:]) == [text], cut
    if size:
        (failure,) = Parser(size - 1).feed(data)
        assert isinstance(failure, Failure)
        assert failure.code == 1009


def test_a_message_in_fragments_with_a_ping_between_is_one_message() -> None:
    data = frame(0x01, b"hel") + frame(0x89, b"?") + frame(0x00, b"") + frame(0x80, b"lo")
    kinds = [
        item if isinstance(item, str) else type(item).__name__ for item in Parser(10).feed(data)
    ]
    assert kinds == ["Ping", "hello"]


def test_a_character_may_be_cut_between_fragments() -> None:
    assert Parser(10).feed(frame(0x01, b"\xc3") + frame(0x80, b"\xa9")) == ["é"]


def test_nothing_is_read_after_a_close() -> None:
    closed, *rest = Parser(10).feed(frame(0x88, b"\x03\xe8bye") + frame(0x81, b"more"))
    assert isinstance(closed, Close)
    assert (closed.code, closed.reason) == (1000, "bye")
    assert rest == []


def test_too_large_a_message_is_refused_by_its_header_alone() -> None:
    (failure,) = Parser(1000).feed(b"\x81\xfe\x03\xe9")
    assert isinstance(failure, Failure)
    assert failure.code == 1009


def test_what_is_held_is_bounded_whatever_comes() -> None:
    parser = Parser(65536)
    tracemalloc.start()
    try:
        for _ in range(200_000):
            parser.feed(frame(0x01) if parser._message is None else b"\x00\x80" + MASK)
        for _ in range(60_000):
            parser.feed(frame(0x00, b"x"))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000


def test_a_message_that_comes_in_crumbs_is_copied_a_bounded_number_of_times() -> None:
    looks = 0

    class Counting(Parser):
        __slots__ = ()

        def _frame(self, *args: object) -> int:
            nonlocal looks
            looks += 1
            return super()._frame(*args)  # type: ignore[arg-type]

    parser = Counting(65536)
    data = frame(0x81, b"x" * 60_000)
    for place in range(len(data) - 1):
        assert parser.feed(data[place : place + 1]) == []
    assert parser.feed(data[-1:]) == ["x" * 60_000]
    assert looks < 10, "a frame is looked at when it is whole, not with every crumb"


def test_an_idle_parser_holds_nothing() -> None:
    parser = Parser(10)
    parser.feed(frame(0x81, b"hello"))
    parser.feed(frame(0x01, b"he"))
    parser.feed(frame(0x80, b"llo")[:3])
    parser.feed(frame(0x80, b"llo")[3:])
    assert parser._held is None
    assert parser._message is None


def test_a_reason_is_cut_between_two_characters() -> None:
    data = frames.close_frame(1000, "é" * 100)
    assert len(data) == 2 + 2 + 122
    assert data[4:].decode() == "é" * 61


def test_a_control_frame_that_does_not_fit_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="125"):
        frames.ping_frame(b"x" * 126)
