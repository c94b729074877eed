"""What a client may say, and how it is read.

Decoding is validation: what `decode` returns has every field with the right type and every id
within its bounds. Fields that are not named here are ignored, so that old servers bear new
clients.
"""

import re
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Id = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[ -~]+\Z",
        description="1 to 64 printable ASCII characters, chosen by the client; random is best.",
    ),
]
Secret = Annotated[
    str,
    Meta(
        min_length=16,
        max_length=128,
        pattern=r"^[!-~]+\Z",
        description="A session's secret, as an earlier `welcome` gave it.",
    ),
]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Number = Annotated[int, Meta(ge=1, le=2**53 - 1, description="The `seq` of an event.")]


class Join(Struct, tag_field="type", tag="join", gc=False):
    """Enter a room under a name; without `keep`, leave all others.

    Who has a token is called what that says, and may leave `username` out. `session` takes one's
    own name over from one's earlier socket. `since` (with the `epoch` it was counted in) asks for
    all that came after that `seq` instead of `history`.
    """

    room: str
    username: str | None = None
    session: Secret | None = None
    since: Seq | None = None
    epoch: Annotated[str, Meta(max_length=64)] | None = None
    keep: bool = False
    id: Id | None = None


class Chat(Struct, tag_field="type", tag="chat", gc=False):
    """Say something to a room; `room` may be left out by who is in one room only.

    `id` comes back on everyone's copy and makes resending safe: the log holds it once.
    `reply_to` is the `seq` of the message that this one answers.
    """

    text: str
    room: str | None = None
    id: Id | None = None
    reply_to: Number | None = None


class Edit(Struct, tag_field="type", tag="edit", gc=False):
    """Change the text of one's own message `seq`; `room` as in `chat`."""

    seq: Number
    text: str
    room: str | None = None
    id: Id | None = None


class Delete(Struct, tag_field="type", tag="delete", gc=False):
    """Take one's own message `seq` back: its words go, its place stays; `room` as in `chat`.

    A moderator may take back anyone's.
    """

    seq: Number
    room: str | None = None
    id: Id | None = None


class History(Struct, tag_field="type", tag="history", gc=False):
    """Ask for older messages: the last `limit` before `before` (default: the newest).

    Fewer come where they are long (the answer has some 256 KiB at most); `more` says so.
    `room` as in `chat`. Nothing else of this client is dealt with until it is answered.
    """

    room: str | None = None
    before: Number | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    id: Id | None = None


class AskThread(Struct, tag_field="type", tag="thread", gc=False):
    """Ask for the message `seq` and the last `limit` replies to it before `before`.

    Fewer come where they are long, as with `history`; `room` as in `chat`.
    """

    seq: Number
    before: Number | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    room: str | None = None
    id: Id | None = None


class React(Struct, tag_field="type", tag="react", gc=False):
    """Put an emoji on the message `seq`, or with `on` false take one's own away.

    One emoji, as Unicode lists them. What is so already changes nothing, and is answered by
    `reactions`; `room` as in `chat`.
    """

    seq: Number
    emoji: Annotated[str, Meta(max_length=32)]
    on: bool = True
    room: str | None = None
    id: Id | None = None


class Type(Struct, tag_field="type", tag="typing", gc=False):
    """Let the others know that one is writing: they hear it at most once in 3 seconds.

    `room` as in `chat`. With an `id` it is answered by `ok`, told or not.
    """

    room: str | None = None
    id: Id | None = None


class AskRooms(Struct, tag_field="type", tag="rooms", gc=False):
    """Which rooms are there? The first `limit` of those after the name `after`, by name.

    Or how do these `rooms` stand, whether someone is in them or not? Those that one may not be in
    are left out of the answer. Or those that are `mine`: in which one has read, for users with a
    token.
    """

    rooms: list[str] | None = None
    mine: bool = False
    after: Annotated[str, Meta(max_length=1024)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 200
    id: Id | None = None


class Follow(Struct, tag_field="type", tag="follow", gc=False):
    """Hear of news in these rooms, in the place of those followed before; none: of no more.

    It is answered by `news` of all of them, and then comes `news` where there is some: at most
    once a second, and only of rooms that this connection is not in. One need not be in any.
    """

    rooms: list[str]
    id: Id | None = None


class Read(Struct, tag_field="type", tag="read", gc=False):
    """Keep that one has read the room up to `seq`, for users with a token; it only goes forward.

    One's other sockets are told by `read`, and with an `id` this one is, too. One need not be in
    the room, but has to name it then; else `room` as in `chat`.
    """

    seq: Number
    room: str | None = None
    id: Id | None = None


class Leave(Struct, tag_field="type", tag="leave", gc=False):
    """Leave one room, or without `room` all of them. With an `id` it is answered by `left`."""

    room: str | None = None
    id: Id | None = None


class Ping(Struct, tag_field="type", tag="ping", gc=False):
    """Ask whether the server is there: a browser cannot see the protocol's own pings."""

    id: Id | None = None


class Auth(Struct, tag_field="type", tag="auth", gc=False):
    """Show a new token before the old one ends; its grants hold from then on. Answered by `ok`.

    Rooms that it does not grant any more are left. It must be of the same `sub`.
    """

    token: Annotated[str, Meta(max_length=8192)]
    id: Id | None = None


class Mod(Struct, tag_field="type", tag="mod", gc=False):
    """Become a moderator of every room, by the server's `--mod-password`. Answered by `ok`."""

    password: Annotated[str, Meta(max_length=1024)]
    id: Id | None = None


Reason = Annotated[str, Meta(max_length=200, description="Why, for those who are told.")]
Seconds = Annotated[float, Meta(gt=0, le=10**9)]


class Kick(Struct, tag_field="type", tag="kick", gc=False):
    """Put someone out of the room; they may come back. For moderators, as all that follow.

    Who is meant is said by `username`, or by the `seq` of a message of theirs. Answered by `ok`.
    """

    username: str | None = None
    seq: Number | None = None
    reason: Reason | None = None
    room: str | None = None
    id: Id | None = None


class Mute(Struct, tag_field="type", tag="mute", gc=False):
    """Let someone hear but not speak, for `seconds` or until pardoned; else as `kick`.

    `everywhere`: in every room, for who moderates all.
    """

    username: str | None = None
    seq: Number | None = None
    seconds: Seconds | None = None
    reason: Reason | None = None
    everywhere: bool = False
    room: str | None = None
    id: Id | None = None


class Ban(Struct, tag_field="type", tag="ban", gc=False):
    """Put someone out and let them not come back; else as `mute`.

    `address`: nor anyone from the addresses that they are connected from.
    """

    username: str | None = None
    seq: Number | None = None
    seconds: Seconds | None = None
    reason: Reason | None = None
    everywhere: bool = False
    address: bool = False
    room: str | None = None
    id: Id | None = None


class Pardon(Struct, tag_field="type", tag="pardon", gc=False):
    """Lift the ban or mute `number`, one of those that `sanctions` lists. Answered by `ok`."""

    number: Number
    room: str | None = None
    id: Id | None = None


class AskSanctions(Struct, tag_field="type", tag="sanctions", gc=False):
    """Which bans and mutes hold in the room?"""

    room: str | None = None
    id: Id | None = None


class Purge(Struct, tag_field="type", tag="purge", gc=False):
    """Delete all messages of one author in the room (the newest 1,000), meant as in `kick`."""

    username: str | None = None
    seq: Number | None = None
    reason: Reason | None = None
    room: str | None = None
    id: Id | None = None


class Slow(Struct, tag_field="type", tag="slow", gc=False):
    """Slow mode: everyone may speak once in so many `seconds`; 0 ends it. Answered by `ok`."""

    seconds: Annotated[float, Meta(ge=0, le=86_400)]
    room: str | None = None
    id: Id | None = None


class ReadOnly(Struct, tag_field="type", tag="read_only", gc=False):
    """Only moderators speak in the room, or everyone again. Answered by `ok`."""

    on: bool
    room: str | None = None
    id: Id | None = None


class SetTopic(Struct, tag_field="type", tag="topic", gc=False):
    """What the room is about; an empty `topic` takes it away. Answered by `ok`.

    Without a `description` that stays as it is.
    """

    topic: Annotated[str, Meta(max_length=200)]
    description: Annotated[str, Meta(max_length=1000)] | None = None
    room: str | None = None
    id: Id | None = None


class Pin(Struct, tag_field="type", tag="pin", gc=False):
    """Pin the message `seq` in the room, or with `on` false take it off. Answered by `ok`."""

    seq: Number
    on: bool = True
    room: str | None = None
    id: Id | None = None


Aimed = Kick | Mute | Ban | Purge
"""What is done to someone."""
Moderating = Mod | Aimed | Pardon | AskSanctions | Slow | ReadOnly | SetTopic | Pin
Talking = AskThread | React | Type
"""What belongs to a conversation beyond saying something."""
Looking = History | AskRooms | Follow
"""What changes nothing and tells nobody else."""
Incoming = Join | Chat | Leave | Ping | Edit | Delete | Looking | Read | Auth | Talking | Moderating


class UnreadableError(Exception):
    """A frame that cannot be read: `str()` is the message, `id` the frame's own if legible."""

    def __init__(self, reason: str, id: str | None) -> None:
        super().__init__(f"invalid message: {reason}")
        self.id = id


class _Tagged(Struct):
    id: Id | None = None


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_decode: Callable[[str], Incoming] = msgspec.json.Decoder(Incoming).decode
_decode_id = msgspec.json.Decoder(_Tagged).decode


def decode(text: str) -> Incoming:
    """Read one frame. Raises `UnreadableError` for what does not parse or validate."""
    try:
        return _decode(text)
    except RecursionError:
        raise UnreadableError("nested too deeply", None) from None
    except (msgspec.MsgspecError, UnicodeError) as problem:
        raise UnreadableError(_reason(str(problem), text), _id_of(text)) from None


def _reason(problem: str, text: str) -> str:
    """What is wrong, in words that help: msgspec calls half a surrogate pair a truncation."""
    if problem == "Input data was truncated" and _SURROGATE.search(text):
        return "half a surrogate pair (\\ud800 to \\udfff) is no character"
    return problem


def _id_of(text: str) -> str | None:
    """The id of a frame that is wrong elsewhere, so that its sender can tell which one it was."""
    try:
        return _decode_id(text).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
