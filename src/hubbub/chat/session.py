"""A session: one connected client as the chat knows it, and what can come of a frame it sends.

A decision changes who is where at once; what people are to hear of it is an *effect*. Effects go
through one line, in order, and chats in it wait for the store: so a `left` never overtakes its
author's last words, and answers come in the order of the questions.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hubbub.chat.room import Member, Room
from hubbub.protocol.draft import Draft
from hubbub.protocol.outgoing import Outgoing


class Session:
    """What is remembered of one connected client.

    `identity` is a hash that proves who it is (None before the first join) and `secret` what it
    proves it with; `rooms` maps a room's name to the membership; `pace` is `limits.Pace`'s
    number for its chats; `socket` is whatever delivery hangs here, and chat never looks at it.
    """

    __slots__ = ("identity", "pace", "rooms", "secret", "socket")

    def __init__(self, socket: Any = None) -> None:
        self.socket = socket
        self.rooms: dict[str, Member] = {}
        self.identity = b""
        self.secret = ""
        self.pace = 0.0


class Tell(Struct, gc=False):
    """Say `frame` to this session alone."""

    session: Session
    frame: Outgoing


class Post(Draft):
    """An event to be kept, and then published in the room of its log."""

    session: Session


class Enter(Struct):
    """`member` came in: it gets `welcome`, and its cursor stands at the head from here on.

    `users` and `count` are the room's at this moment. `quiet`: the others are told by the roster
    alone (a crowd), or not at all (`replaces`, when it took a name over). With `since` the cursor
    stands where the client left off.
    """

    room: Room
    member: Member
    users: list[str]
    count: int
    quiet: bool
    replaces: bool
    since: int | None
    epoch: str | None
    id: str | None


class Again(Struct):
    """`member` asked to join where it is: it gets `welcome` and nobody else hears of it."""

    room: Room
    member: Member
    users: list[str]
    count: int
    id: str | None


class Exit(Struct):
    """`member` left: it gets what came before this and nothing after; those who remain hear it.

    `quiet`: they are told by the roster alone (a crowd), or not at all (`replaced`, when another
    socket has the name now). `answer`: the leaver asked to be told, under this id.
    """

    room: Room
    member: Member
    quiet: bool
    replaced: bool
    answer: str | None


class Browse(Struct):
    """The session wants the last `limit` chats before `before` (None: the newest) of a room."""

    session: Session
    room: str
    before: int | None
    limit: int
    id: str | None


class Dismiss(Struct):
    """Close this session's socket with `code` and `reason`; it is in no room any more."""

    session: Session
    code: int
    reason: str


Effect = Tell | Post | Enter | Again | Exit | Browse | Dismiss
