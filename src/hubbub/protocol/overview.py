"""What is told of rooms that one need not be in: which there are, what is new, what was read."""

from msgspec import Struct


class Listed(Struct, omit_defaults=True):
    """A room: how many are in it, where its log stands, and what it is about.

    `ts` (Unix ms) is that of its last message, if it has one. Users with a token who have said by
    `read` how far they are in it get that; `unread` is how many messages of others there are since,
    and `mentions` how many of those mention them, both counted up to 100.
    """

    room: str
    count: int
    seq: int = 0
    ts: int | None = None
    topic: str = ""
    read: int | None = None
    unread: int | None = None
    mentions: int | None = None


class Rooms(Struct, tag_field="type", tag="rooms", omit_defaults=True):
    """To who asked: the rooms with someone in them that one may be in, by name.

    `more`: there are others after the last of these.
    """

    rooms: list[Listed]
    more: bool
    id: str | None = None


class Marker(Struct, tag_field="type", tag="read", omit_defaults=True, gc=False):
    """To a user's sockets: they have read a room up to `seq`, maybe on another of them.

    It comes where one is in the room, or has asked for `rooms` or to `follow` some.
    """

    room: str
    seq: int
    id: str | None = None


class Fresh(Struct, omit_defaults=True, gc=False):
    """A room's newest message: its `seq` (0: there is none) and its time.

    `count` is how many have come since the last news, and `mentions` has the names in them.
    Neither is there where only the newest one was looked at.
    """

    room: str
    seq: int
    ts: int | None = None
    count: int = 0
    mentions: list[str] = []


class News(Struct, tag_field="type", tag="news", omit_defaults=True):
    """To who follows rooms: there are new messages in these.

    `seq` is that of the newest message (0: there is none) and `ts` its time (Unix ms). `count`
    says how many came since the last news, of those in the room's `history`, and `mentions` has
    the names that they mention; neither is there where that is not known.
    """

    rooms: list[Fresh]
    id: str | None = None
