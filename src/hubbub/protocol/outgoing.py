"""What a client hears. Fields stand on the wire in the order in which they stand here.

The first fields of each frame are the base protocol, which a ten-line client can live on; those
that follow are additions. A field that has its default is left out of the JSON.
"""

from typing import Literal

import msgspec
from msgspec import Raw, Struct

from hubbub.protocol.codes import ErrorCode
from hubbub.protocol.overview import Marker, News, Rooms


class Gap(Struct, gc=False):
    """The first and the last `seq` that are missing, both included."""

    first: int
    last: int


class Held(Struct, omit_defaults=True, gc=False):
    """What keeps someone from speaking or coming in: until when (Unix ms), and why."""

    until: int | None = None
    reason: str | None = None


class Welcome(Struct, tag_field="type", tag="welcome", omit_defaults=True, kw_only=True):
    """To the joiner alone: who is here (in order of joining, oneself included) and what was said.

    `count` is how many are here (in a crowd `users` has the first 200 names only); `seq` is the
    log's head; `epoch` tells this log from another of the same name; `session` is a secret that
    proves one is oneself; `history` has the last chats, oldest first, and is absent on a resume;
    `gap` says what a resume could not bring back; `reset` that the log is another one. Who came by
    a token gets no `session`. `names` has the display names of users, `guests` those here who are
    none. `mod`: you are a moderator here; `mod_all`: of every room, too. `muted`: you may not
    speak, until when and why; `slow` and `read_only` are the room's modes. `writes` is false where
    your token lets you only read. `topic` and `description` say what the room is about, and
    `pins` has the `seq`s of its pinned messages, ascending (`thread` shows each).
    """

    room: str
    username: str
    users: list[str]
    count: int
    seq: int
    epoch: str
    session: str | None = None
    history: list[Raw] | None = None
    gap: Gap | None = None
    reset: bool = False
    id: str | None = None
    names: dict[str, str] | None = None
    guests: list[str] | None = None
    mod: bool = False
    mod_all: bool = False
    muted: Held | None = None
    slow: float = 0.0
    read_only: bool = False
    writes: bool = True
    topic: str = ""
    description: str = ""
    pins: list[int] | None = None


class Joined(Struct, tag_field="type", tag="joined", omit_defaults=True, gc=False):
    """To the room, the joiner included: someone came in. Not told in a crowd."""

    room: str
    username: str
    name: str | None = None
    guest: bool = False


class Left(Struct, tag_field="type", tag="left", omit_defaults=True, gc=False):
    """To those who remain: someone left (not told in a crowd). To a leaver with an `id`: done."""

    room: str
    username: str
    id: str | None = None


class Typing(Struct, tag_field="type", tag="typing"):
    """To the others in the room: someone is writing. Not kept, and not told in a crowd."""

    room: str
    username: str


class Roster(Struct, tag_field="type", tag="roster", omit_defaults=True, gc=False):
    """To the room after each change: who is here, in order of joining, and how many.

    In a crowd it comes at most once a second and has the first 200 names only. `names` and
    `guests` as in `welcome`.
    """

    room: str
    users: list[str]
    count: int
    names: dict[str, str] | None = None
    guests: list[str] | None = None


class Quote(Struct, omit_defaults=True, gc=False):
    """Of the message `seq`: its author, and its first 120 characters when it was answered.

    `deleted`: it was deleted since, so its words are gone here, too.
    """

    seq: int
    username: str
    text: str
    deleted: bool = False


class Reactors(Struct, gc=False):
    """How many put one emoji on a message, and the names of up to 20 of them."""

    count: int
    users: list[str]


class Said(Struct, tag_field="type", tag="chat", omit_defaults=True, gc=False):
    """To the room, the author included: a message. `ts` is Unix time in milliseconds.

    `seq` numbers the room's kept events 1, 2, 3, … without a hole; `id` is the author's own.
    A message that was changed later is replayed as it is now: `edited` is when (Unix ms), and one
    with `deleted` has lost its words and kept its place. `name` is a user's display name, and
    `guest` says that there is no user behind the name. `reply` says which message it answers;
    `mentions` has the names that its text does by `@`, and `@room` where a moderator means all;
    `reactions` has the emoji that people put on it.
    """

    room: str
    username: str
    text: str
    ts: int
    seq: int
    id: str | None = None
    edited: int | None = None
    deleted: bool = False
    name: str | None = None
    guest: bool = False
    reply: Quote | None = None
    mentions: list[str] | None = None
    reactions: dict[str, Reactors] | None = None


class Edited(Struct, tag_field="type", tag="edited", omit_defaults=True, gc=False):
    """To the room: the author gave the message `target` another text.

    `deleted`: its words are gone since, because the message was deleted later. `id` is in the
    editor's own copy alone. `mentions` are those of the new text, as in `chat`.
    """

    room: str
    seq: int
    target: int
    username: str
    text: str
    ts: int
    deleted: bool = False
    id: str | None = None
    mentions: list[str] | None = None


class Deleted(Struct, tag_field="type", tag="deleted", omit_defaults=True, gc=False):
    """To the room: `username`, its author or a moderator, took the message `target` back.

    `id` as in `edited`.
    """

    room: str
    seq: int
    target: int
    username: str
    ts: int
    id: str | None = None


class Reacted(Struct, tag_field="type", tag="reacted", omit_defaults=True, gc=False):
    """To the room: `username` put an emoji on the message `target`, or took it away.

    `count` and `users` are how that emoji stands with it then, as in the chat's `reactions`; a
    count of 0: nobody's is left. A message that is deleted has no reactions. `id` as in `edited`.
    """

    room: str
    seq: int
    target: int
    username: str
    emoji: str
    on: bool
    ts: int
    count: int
    users: list[str]
    id: str | None = None


class Reactions(Struct, tag_field="type", tag="reactions", omit_defaults=True, gc=False):
    """To who asked for a reaction that is there already, or is not: how the message's stand."""

    room: str
    target: int
    reactions: dict[str, Reactors]
    id: str | None = None


Action = Literal[
    "kick", "mute", "ban", "pardon", "purge", "slow", "read_only", "delete", "topic", "pin"
]


class Moderated(Struct, tag_field="type", tag="moderated", omit_defaults=True, gc=False):
    """To the room: the moderator `by` did something to `username`, or to the room's modes.

    `until` (Unix ms) is when it ends, if it does. With `slow`, `seconds` is the new pace (0: none);
    with `read_only`, `on` says whether it begins; with `pin`, whether the message `target` is
    pinned from now on or no more; `topic` and `description` are those that hold after a `topic`.
    A kept event, as chats are.
    """

    room: str
    seq: int
    action: Action
    by: str
    ts: int
    username: str | None = None
    until: int | None = None
    reason: str | None = None
    seconds: float | None = None
    on: bool | None = None
    target: int | None = None
    topic: str | None = None
    description: str | None = None


class Sanction(Struct, omit_defaults=True, gc=False):
    """A ban or mute that holds. `number` is what `pardon` takes; `address`: of an address, too."""

    number: int
    action: Action
    username: str
    by: str
    ts: int
    until: int | None = None
    reason: str | None = None
    everywhere: bool = False
    address: bool = False


class Sanctions(Struct, tag_field="type", tag="sanctions", omit_defaults=True, gc=False):
    """To a moderator who asked: the bans and mutes that hold in the room, oldest first."""

    room: str
    sanctions: list[Sanction]
    id: str | None = None


class Ok(Struct, tag_field="type", tag="ok", omit_defaults=True, gc=False):
    """What was asked for under this `id` is done. `count`: to so many messages."""

    id: str | None = None
    count: int | None = None


class Past(Struct, tag_field="type", tag="history", omit_defaults=True, gc=False):
    """To who asked: older chats as they are now, oldest first. `more`: there are older ones yet."""

    room: str
    events: list[Raw]
    more: bool
    id: str | None = None


class Thread(Struct, tag_field="type", tag="thread", omit_defaults=True, gc=False):
    """To who asked: the message `seq` as it is now, and then replies to it, oldest first.

    `more`: there are older replies yet.
    """

    room: str
    seq: int
    events: list[Raw]
    more: bool
    id: str | None = None


class Missed(Struct, tag_field="type", tag="gap", gc=False):
    """To one reader who was away or too slow: these events of the room are gone for it."""

    room: str
    first: int
    last: int


class Pong(Struct, tag_field="type", tag="pong", omit_defaults=True, gc=False):
    """The answer to `ping`."""

    id: str | None = None


class Error(Struct, tag_field="type", tag="error", omit_defaults=True, gc=False):
    """To the offender alone: what was not done, and why. The socket stays open.

    `retry_after` is in seconds, and there only where waiting helps; `until` (Unix ms) is when a ban
    or mute ends, if it does, `reason` what the moderator gave as one, and `everywhere` says that it
    holds in every room; `room` is there where one was put out of it.
    """

    message: str
    code: ErrorCode
    id: str | None = None
    retry_after: float | None = None
    until: int | None = None
    room: str | None = None
    reason: str | None = None
    everywhere: bool = False


Outgoing = (
    Welcome
    | Joined
    | Left
    | Typing
    | Roster
    | Said
    | Edited
    | Deleted
    | Reacted
    | Reactions
    | Moderated
    | Past
    | Thread
    | Rooms
    | News
    | Marker
    | Sanctions
    | Missed
    | Pong
    | Ok
    | Error
)

encode = msgspec.json.Encoder().encode
"""Any outgoing frame → its JSON (bytes)."""
