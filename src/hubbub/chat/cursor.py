"""Where one reader stands in a room's log."""


class Cursor:
    """A reader that is not at the head.

    It has had every kept event up to `seen`. It first needs those up to `until` from the store
    (if that is more), then the frames from `offset` on. `stale`: it has missed frames that are
    not kept, so it gets a fresh roster when it is back at the head.
    """

    __slots__ = ("offset", "seen", "stale", "until")

    def __init__(self, offset: int, seen: int, until: int = 0) -> None:
        self.offset = offset
        self.seen = seen
        self.until = until
        self.stale = False
