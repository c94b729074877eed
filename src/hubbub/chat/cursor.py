"""Where one reader stands in a room's log."""

from typing import Final

SOME: Final = 64
"""How many events are asked of the store at first."""


class Cursor:
    """A reader that is not at the head.

    It has had every kept event up to `seen`. It first needs those up to `until` from the store
    (if that is more), then the frames from `offset` on. `stale`: it has missed frames that are
    not kept, so it gets a fresh roster when it is back at the head.

    `reading`: the store was asked for its next page of about `wanted` events; `first` and `page`
    have one that came: the number of its first event, and the events. `answers` has, by `seq`,
    the frames that this reader gets instead of everyone's.
    """

    __slots__ = (
        "answers",
        "first",
        "offset",
        "page",
        "reading",
        "seen",
        "stale",
        "until",
        "wanted",
    )

    def __init__(self, offset: int, seen: int, until: int = 0) -> None:
        self.offset = offset
        self.seen = seen
        self.until = until
        self.stale = False
        self.reading = False
        self.wanted = SOME
        self.first = 0
        self.page: list[bytes] | None = None
        self.answers: dict[int, bytes] | None = None
