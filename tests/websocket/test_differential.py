"""Our framing beside that of `websockets`: the same bytes mean the same, however they are cut."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, PayloadTooBig, ProtocolError
from websockets.frames import Close as TheirClose
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol, State
from websockets.uri import parse_uri

from hubbub.websocket import frames
from hubbub.websocket.parser import Close, Failure, Parser, Ping, Pong

LIMIT = 300
Meaning = tuple[Any, ...]


def ours(chunks: list[bytes]) -> list[Meaning]:
    """What our parser makes of the chunks."""
    parser = Parser(LIMIT)
    heard: list[Meaning] = []
    for chunk in chunks:
        for item in parser.feed(chunk):
            match item:
                case str():
                    heard.append(("text", item))
                case Ping():
                    heard.append(("ping", item.payload))
                case Pong():
                    heard.append(("pong", item.payload))
                case Close():
                    heard.append(("close", item.code, item.reason))
                case Failure():
                    heard.append(("failure", item.code))
    return heard


def theirs(data: bytes) -> list[Meaning]:
    """The same of `websockets`, whose frames are made into messages here, by section 5.4."""
    protocol = Protocol(SERVER, state=State.OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    heard: list[Meaning] = []
    opcode, parts = Opcode.TEXT, b""
    for event in protocol.events_received():
        assert isinstance(event, Frame)
        payload = bytes(event.data)
        match event.opcode:
            case Opcode.PING:
                heard.append(("ping", payload))
            case Opcode.PONG:
                heard.append(("pong", payload))
            case Opcode.CLOSE:
                close = TheirClose.parse(payload)
                heard.append(("close", close.code, close.reason))
                return heard
            case _:
                if event.opcode is not Opcode.CONT:
                    opcode, parts = event.opcode, b""
                parts += payload
                if event.fin and opcode is Opcode.TEXT:
                    try:
                        heard.append(("text", parts.decode()))
                    except UnicodeDecodeError:
                        return [*heard, ("failure", 1007)]
    failed = protocol.parser_exc
    if failed is not None and not isinstance(failed, ConnectionClosed | EOFError):
        if isinstance(failed, PayloadTooBig):
            heard.append(("failure", 1009))
        elif isinstance(failed, UnicodeDecodeError):
            heard.append(("failure", 1007))
        else:
            assert isinstance(failed, ProtocolError), failed
            heard.append(("failure", 1002))
    return heard


def masked(
    first: int, payload: bytes, mask: bytes, size: int | None = None, bit: int = 0x80
) -> bytes:
    """A frame by hand, so that it may be wrong: `size` and the mask's `bit` may lie."""
    size = len(payload) if size is None else size
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


MASKS = st.one_of(st.just(b"\0\0\0\0"), st.binary(min_size=4, max_size=4))
TEXTS = st.one_of(
    st.text(max_size=80).map(str.encode), st.text(min_size=60, max_size=400).map(str.encode)
)
CODES = st.one_of(st.integers(1000, 1016), st.integers(0, 5100))
CLOSES = st.builds(
    lambda code, reason: code.to_bytes(2, "big") + reason.encode()[:123],
    CODES,
    st.text(max_size=40),
)
VALID = st.one_of(
    st.builds(masked, st.just(0x81), TEXTS, MASKS),
    st.builds(masked, st.sampled_from([0x01, 0x00, 0x80, 0x82, 0x02]), TEXTS, MASKS),
    st.builds(masked, st.sampled_from([0x89, 0x8A]), st.binary(max_size=125), MASKS),
)
WRONG = st.one_of(
    st.builds(masked, st.integers(0, 255), st.binary(max_size=130), MASKS),
    st.builds(masked, st.just(0x81), st.binary(max_size=130), MASKS),
    st.builds(masked, st.just(0x88), CLOSES, MASKS),
    st.builds(masked, st.just(0x88), st.binary(max_size=4), MASKS),
    st.builds(masked, st.just(0x81), TEXTS, MASKS, bit=st.just(0)),
    st.builds(masked, st.just(0x81), TEXTS, MASKS, size=st.integers(0, 2**63 - 1)),
    st.binary(max_size=30),
)
STREAMS = st.lists(VALID, max_size=8).flatmap(
    lambda good: st.lists(st.one_of(VALID, WRONG), max_size=3).map(
        lambda rest: b"".join(good) + b"".join(rest)
    )
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


def agree(mine: list[Meaning], other: list[Meaning]) -> bool:
    """Equal; or one side has failed at a frame with a fault while the other still reads it.

    `websockets` looks at reserved bits, and at a control frame's length, when the whole frame is
    there, and at its size before that; we judge by the header alone. So at one and the same
    place we may fail sooner, or with 1002 where it says 1009.
    """
    if mine == other:
        return True
    if not mine or mine[-1][0] != "failure":
        return False
    if mine[:-1] == other and mine[-1][1] in {1002, 1009}:
        return True
    return mine[:-1] == other[:-1] and (mine[-1], other[-1]) == (
        ("failure", 1002),
        ("failure", 1009),
    )


@given(STREAMS, st.lists(st.integers(0, 5000), max_size=12))
@example(masked(0x81, b"hello", b"\0\0\0\0"), [])
@example(
    masked(0x01, b"hel", b"abcd") + masked(0x89, b"", b"abcd") + masked(0x80, b"lo", b"abcd"), [4]
)
@example(masked(0x88, b"", b"abcd"), [])
@example(masked(0x88, b"\x03", b"abcd"), [])
@example(masked(0x81, b"\xff", b"abcd"), [])
@example(masked(0x01, b"", b"abcd") + masked(0x88, b"\0\0\x80", b"abcd"), [])
def test_the_same_bytes_mean_the_same(data: bytes, places: list[int]) -> None:
    whole = ours([data])
    assert agree(whole, theirs(data)), (whole, theirs(data))
    assert ours(cut(data, places)) == whole, "where it is cut changes nothing"
    assert ours([data[i : i + 1] for i in range(len(data))]) == whole


@given(st.lists(VALID, max_size=10).map(b"".join))
def test_where_nothing_is_wrong_there_is_no_allowance(data: bytes) -> None:
    other = theirs(data)
    if not other or other[-1][0] != "failure":
        assert ours([data]) == other


@given(st.text(max_size=70_000), st.binary(max_size=125), CODES, st.text(max_size=200))
@example("x" * 125, b"", 1000, "")
@example("x" * 126, b"", 1000, "")
@example("x" * 65535, b"", 1000, "")
@example("x" * 65536, b"", 1000, "é" * 62)
def test_what_we_write_is_read_as_it_was_meant(
    text: str, payload: bytes, code: int, reason: str
) -> None:
    if not (1000 <= code < 1004 or 3000 <= code < 5000):
        code = 1001
    client = Protocol(CLIENT, state=State.OPEN, max_size=None)
    client.receive_data(
        frames.text_frame(text.encode())
        + frames.ping_frame(payload)
        + frames.pong_frame(payload)
        + frames.close_frame(code, reason)
    )
    said, ping, pong, close = client.events_received()
    assert isinstance(said, Frame)
    assert (said.opcode, bytes(said.data).decode()) == (Opcode.TEXT, text)
    assert isinstance(ping, Frame)
    assert (ping.opcode, bytes(ping.data)) == (Opcode.PING, payload)
    assert isinstance(pong, Frame)
    assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, payload)
    assert isinstance(close, Frame)
    parsed = TheirClose.parse(bytes(close.data))
    assert parsed.code == code
    assert reason.startswith(parsed.reason)
    assert len(parsed.reason.encode()) > 119 or parsed.reason == reason


@given(st.lists(st.text(max_size=90), max_size=5))
def test_what_a_client_writes_we_read(texts: list[str]) -> None:
    client = ClientProtocol(parse_uri("ws://x/"))
    client.state = State.OPEN
    for text in texts:
        client.send_text(text.encode())
    sent = b"".join(client.data_to_send())
    expected = [("text", text) for text in texts if len(text.encode()) <= LIMIT]
    if len(expected) == len(texts):
        assert ours([sent]) == expected
