"""Mutated frames over real sockets: none crashes the server, none that is wrong stays unanswered.

Clients in the same rooms send them in batches, each with a `ping` at its end; what came before its
`pong` are the answers. A frame that `decode` refuses has one `invalid` for an answer; one that it
takes, and that has an `id` of its own, is answered under that id.
"""

from __future__ import annotations

import asyncio
import json
import random
import string
from collections import Counter
from pathlib import Path
from typing import Any

from hubbub.protocol.incoming import UnreadableError, decode
from tests.server import house
from tests.torture.wire import Frame, Wire, dial

BATCH = 200
CLIENTS = 3
PASSWORD = "fuzz"
ROOMS = ["red", "blue", "g\u200d", "x" * 65, "", " red ", "a\u0000", "\U0001f44d"]
TEXTS = ["hello", "", "  ", "x" * 5000, "\ud83d\udc4d", "<b>", "\u202e", "\\", '"', "a\nb"]
JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 3, 1e308, -0.0, 10**30, 2**53, 0.5, "", "a", "\x00"),
    *([], {}, [[]], {"a": {}}, "x" * 300, "é" * 64, "general", "1", [1, 2], {"type": "chat"}),
]
FIELDS = ["type", "room", "username", "text", "id", "session", "since", "epoch", "keep", "seq"]
FIELDS += ["before", "limit", "token", "password", "seconds", "reason", "everywhere", "address"]
FIELDS += ["rooms", "number", "on", "reply_to", "emoji", "topic", "after", "extra"]
SEEDS: list[dict[str, Any]] = [
    {"type": "join", "room": "red", "username": "ann", "keep": True, "since": 1, "epoch": "e"},
    {"type": "join", "room": "blue", "username": "bob", "session": "s" * 22},
    {"type": "chat", "text": "hello", "room": "red"},
    {"type": "chat", "text": "hello"},
    {"type": "edit", "seq": 1, "text": "other", "room": "red"},
    {"type": "delete", "seq": 2, "room": "red"},
    {"type": "history", "room": "red", "before": 9, "limit": 5},
    {"type": "chat", "text": "yes", "room": "red", "reply_to": 1},
    {"type": "react", "seq": 1, "emoji": "\U0001f44d", "room": "red"},
    {"type": "react", "seq": 1, "emoji": "\U0001f44d", "on": False, "room": "red"},
    {"type": "rooms", "after": "a", "limit": 5},
    {"type": "follow", "rooms": ["red", "blue"]},
    {"type": "rooms", "rooms": ["red", "blue"]},
    {"type": "read", "seq": 1, "room": "red"},
    {"type": "typing", "room": "red"},
    {"type": "chat", "text": "@ann @room @ @@ann", "room": "red"},
    {"type": "thread", "seq": 1, "room": "red", "before": 9, "limit": 5},
    {"type": "leave", "room": "blue"},
    {"type": "ping"},
    {"type": "auth", "token": "a.b.c"},
    {"type": "mod", "password": "guess"},
    {"type": "kick", "username": "bob", "room": "red", "reason": "why"},
    {"type": "mute", "username": "bob", "room": "red", "seconds": 0.01},
    {"type": "ban", "seq": 1, "room": "red", "seconds": 0.01, "address": True},
    {"type": "pardon", "number": 1, "room": "red"},
    {"type": "sanctions", "room": "red"},
    {"type": "purge", "seq": 3, "room": "red"},
    {"type": "topic", "topic": "tea", "description": "and cake", "room": "red"},
    {"type": "pin", "seq": 1, "room": "red"},
    {"type": "slow", "seconds": 0, "room": "red"},
    {"type": "read_only", "on": False, "room": "red"},
]


def mutated(dice: random.Random, number: int) -> bytes:
    """A frame with something wrong about it, or nothing."""
    frame = dict(dice.choice(SEEDS))
    if dice.random() < 0.7:
        frame["id"] = f"f{number}"
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        field = dice.choice(FIELDS)
        match dice.randrange(4):
            case 0:
                frame.pop(field, None)
            case 1:
                frame[field] = dice.choice(JUNK)
            case 2:
                frame[field] = dice.choice(ROOMS if field == "room" else TEXTS)
            case _:
                frame[field] = "".join(dice.choices(string.printable, k=dice.randrange(80)))
    text = json.dumps(frame, ensure_ascii=dice.random() < 0.5).encode("utf-8", "replace")
    return text if dice.random() < 0.8 else _torn(dice, text)


def _torn(dice: random.Random, text: bytes) -> bytes:
    """Bytes changed, cut, doubled or nested; still UTF-8, as all else is the framing's."""
    at, end = sorted(dice.randrange(len(text) + 1) for _ in range(2))
    match dice.randrange(5):
        case 0:
            text = text[:at]
        case 1:
            text = text[:at] + bytes((dice.randrange(32, 127),)) + text[at + 1 :]
        case 2:
            text = text[:end] + text[at:]
        case 3:
            text = b"[" * dice.randrange(1, 3000) + text
        case _:
            text = (
                text[:at] + dice.choice((b"\\ud800", b"\\u0000", b"1e999", b"{", b",")) + text[at:]
            )
    return text.decode(errors="ignore").encode()


class Fuzzer:
    """One client. `wrong` counts the errors that say `invalid`; `answered` has the ids."""

    def __init__(self, dice: random.Random, port: int) -> None:
        self.dice = dice
        self.port = port
        self.wrong = 0
        self.answered: Counter[str] = Counter()
        self.ended = asyncio.Event()
        self.pong = asyncio.Event()
        self.wire: Wire

    async def dial(self) -> None:
        self.ended.clear()
        self.wire = await dial(self.port, 0, self.hear, lambda _: self.ended.set())

    def hear(self, frame: Frame) -> None:
        if frame.get("code") == "invalid":
            self.wrong += 1
        if "id" in frame:
            self.answered[frame["id"]] += 1
        if frame["type"] == "pong" and str(frame.get("id", "")).startswith("end"):
            self.pong.set()

    async def batch(self, first: int, size: int) -> None:
        """Send so many, and hold the server to its answers."""
        if self.wire.transport.is_closing():  # banned between two batches
            await self.ended.wait()
            await self.dial()
        self.wrong = 0
        self.answered.clear()
        self.pong.clear()
        wrong, wanted = 0, set[str]()
        sent = [mutated(self.dice, number) for number in range(first, first + size)]
        for text in sent:
            self.wire._send(0x81, text)
            try:
                frame = decode(text.decode())
            except UnreadableError:
                wrong += 1
            else:
                if frame.id is not None and text.count(f'"{frame.id}"'.encode()) == 1:
                    wanted.add(frame.id)
            if self.dice.random() < 0.02:
                self.wire._send(0x82, self.dice.randbytes(50))
        self.wire.say({"type": "ping", "id": f"end{first}"})
        pong, ended = (asyncio.ensure_future(one.wait()) for one in (self.pong, self.ended))
        await asyncio.wait({pong, ended}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        pong.cancel()
        ended.cancel()
        if self.ended.is_set():  # banned, or replaced by another of the same session
            assert self.wire.code in {4403, 4409}, self.wire.code
            await self.dial()
            return
        assert self.pong.is_set(), f"no answer to the ping after {sent[-3:]}"
        # What is wrong after `mod` was right or not is the same: `invalid` is of these alone.
        told = sum(
            1 for text in sent if any(kind in text for kind in (b'"kick"', b'"ban"', b'"react"'))
        )
        told += sum(1 for text in sent if b'"mute"' in text or b'"purge"' in text)
        assert wrong <= self.wrong <= wrong + told, (wrong, self.wrong)
        missing = [one for one in wanted if one not in self.answered]
        assert not missing, [text for text in sent if any(one.encode() in text for one in missing)]


def resident() -> int:
    """Bytes of memory that this process takes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def run(count: int, seed: int) -> int:
    """Send `count` frames; gives by how many bytes memory grew over the later half."""
    dice = random.Random(seed)
    # The tail holds what a batch may bring, or a client could hear of a gap for an answer.
    quiet: Any = {"linger": 0.0, "tail_events": 2 * BATCH * CLIENTS, "tail_bytes": 1 << 24}
    async with house(mod_password=PASSWORD, **quiet) as here:
        fuzzers = [Fuzzer(dice, here.port) for _ in range(CLIENTS)]
        for fuzzer in fuzzers:
            await fuzzer.dial()
        fuzzers[0].wire.say({"type": "mod", "password": PASSWORD})
        half = 0
        for first in range(0, count, BATCH * CLIENTS):
            await asyncio.gather(
                *(one.batch(first + BATCH * place, BATCH) for place, one in enumerate(fuzzers))
            )
            if not half and first >= count // 2:
                half = resident()
        for fuzzer in fuzzers:
            if not fuzzer.wire.transport.is_closing():
                fuzzer.wire.close()
            await fuzzer.ended.wait()
    return resident() - half
