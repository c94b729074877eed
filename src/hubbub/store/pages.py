"""The rows in the pages of an SQLite file, read without SQLite, page after page.

SQLite finds a row by way of the pages above it, so one damaged page can hide many sound ones. Here
each page is read for itself. The format is https://www.sqlite.org/fileformat2.html; the sections
are named below. Laws: what is no row is passed over; a row is what a page has in use, never what
is left of something that was removed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

SIZE = 4096
"""Bytes of a page in the files that Hubbub makes."""
MAGIC = b"SQLite format 3\0"
MOST = 16 << 20
"""Bytes of the longest row that is believed; a damaged one may run in a circle."""

_LEAF, _INNER, _TABLE = 0x0A, 0x02, 0x0D
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_INDEX_MOST = (SIZE - 12) * 64 // 255 - 23
_TABLE_MOST = SIZE - 35
_LEAST = (SIZE - 12) * 32 // 255 - 23
_WAL_HEADER, _FRAME_HEADER = 32, 24

Value = int | bytes | str | None
Page = Callable[[int], bytes]
"""A page by its number, the first is 1; empty if there is none."""


class Pages:
    """The pages of a file as they were committed last, those in its write-ahead log included."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._wal: BinaryIO | None = None
        self._frames: dict[int, int] = {}
        """Page → where it begins in the write-ahead log."""
        beside = path.with_name(f"{path.name}-wal")
        if beside.exists():
            self._wal = beside.open("rb")
            self._frames = _committed(self._wal)
        size = os.fstat(self._file.fileno()).st_size
        self.count = max([-(-size // SIZE), *self._frames])

    def page(self, number: int) -> bytes:
        """See `Page`."""
        if not 0 < number <= self.count:
            return b""
        if self._wal is not None and number in self._frames:
            self._wal.seek(self._frames[number])
            return self._wal.read(SIZE)
        self._file.seek((number - 1) * SIZE)
        return self._file.read(SIZE)

    def close(self) -> None:
        """Let go of the files."""
        self._file.close()
        if self._wal is not None:
            self._wal.close()


def _committed(wal: BinaryIO) -> dict[int, int]:
    """Where the newest committed state of each page is (section 4.2, without the checksums)."""
    header = wal.read(_WAL_HEADER)
    salts = header[16:24]
    committed: dict[int, int] = {}
    open_frames: dict[int, int] = {}
    at = _WAL_HEADER
    while len(frame := wal.read(_FRAME_HEADER)) == _FRAME_HEADER and frame[8:16] == salts:
        open_frames[int.from_bytes(frame[:4])] = at + _FRAME_HEADER
        if int.from_bytes(frame[4:8]):  # the last one of a transaction
            committed.update(open_frames)
            open_frames.clear()
        at += _FRAME_HEADER + SIZE
        wal.seek(at)
    return committed


def rows(number: int, page: Page) -> Iterator[tuple[Value, ...]]:
    """The rows in a page: those of a table have their rowid in front (section 1.6).

    Not for page 1, which begins with the file's header.
    """
    content = page(number)
    if len(content) < SIZE or content[0] not in {_LEAF, _INNER, _TABLE}:
        return
    kind = content[0]
    header = 12 if kind == _INNER else 8
    for place in range(int.from_bytes(content[3:5])):
        pointer = int.from_bytes(content[header + 2 * place : header + 2 * place + 2])
        try:
            yield _row(content, pointer + (4 if kind == _INNER else 0), kind == _TABLE, page)
        except (IndexError, ValueError):
            continue  # what a damaged page says is anything at all


def _row(content: bytes, at: int, in_table: bool, page: Page) -> tuple[Value, ...]:
    length, at = _varint(content, at)
    rowid: tuple[Value, ...] = ()
    if in_table:
        number, at = _varint(content, at)
        rowid = (number,)
    return rowid + _record(_payload(content, at, length, in_table, page))


def _payload(content: bytes, at: int, length: int, in_table: bool, page: Page) -> bytes:
    """The bytes of a record, gathered from the pages that it runs over into."""
    if not 0 < length <= MOST:
        raise ValueError("no row is so long")
    if length <= (_TABLE_MOST if in_table else _INDEX_MOST):
        return content[at : at + length]
    local = _LEAST + (length - _LEAST) % (SIZE - 4)
    if local > (_TABLE_MOST if in_table else _INDEX_MOST):
        local = _LEAST
    parts = [content[at : at + local]]
    left = length - local
    following = content[at + local : at + local + 4]
    while left > 0:
        more = page(int.from_bytes(following))
        if len(more) < SIZE:
            raise ValueError("it runs over into a page that is not there")
        following = more[:4]
        parts.append(more[4 : 4 + left])
        left -= SIZE - 4
    return b"".join(parts)


def _record(record: bytes) -> tuple[Value, ...]:
    """The values of a record (section 2.1)."""
    body, at = _varint(record, 0)
    kinds = []
    while at < body:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values: list[Value] = []
    at = body
    for kind in kinds:
        size = _INTEGERS.get(kind, (kind - 12) // 2 if kind >= 12 else 0)
        value = record[at : at + size]
        if len(value) < size:
            raise ValueError("it is cut short")
        at += size
        match kind:
            case 0:
                values.append(None)
            case 8 | 9:
                values.append(kind - 8)
            case 1 | 2 | 3 | 4 | 5 | 6:
                values.append(int.from_bytes(value, signed=True))
            case _ if kind >= 12:
                values.append(value.decode() if kind % 2 else value)
            case _:
                raise ValueError("Hubbub keeps no such value")
    return tuple(values)


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, at most 64 bits with a sign, and where it ends (section 1.6)."""
    value = 0
    for place in range(at, at + 8):
        byte = content[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    value = value << 8 | content[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9
