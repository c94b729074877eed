"""How far users have read, as chat, delivery and store speak of it."""

from collections.abc import Sequence

from msgspec import Struct


class Mark(Struct, frozen=True, gc=False):
    """How far a user has read in a log: `user` is their identity, `name` their username."""

    log: str
    user: bytes
    seq: int
    name: str


class Unread(Struct, gc=False):
    """How far a user has `read` in a log, and what they have not.

    `count` is how many chats of others come after that, deleted ones left out, and `calling` has
    those of them that mention anyone. Of more than was asked for, it is the newest.
    """

    read: int
    count: int
    calling: Sequence[bytes]
