"""What a client hears. Fields stand on the wire in the order in which they stand here.

The first fields of each frame are the base protocol, which a ten-line client can live on; those
that follow are additions. A field that has its default is left out of the JSON.
"""

from typing import Literal

import msgspec
from msgspec import Raw, Struct

from hubbub.protocol.codes import ErrorCode


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
    your token lets you only read.
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


class Said(Struct, tag_field="type", tag="chat", omit_defaults=True, gc=False):
    """To the room, the author included: a message. `ts` is Unix time in milliseconds.

    `seq` numbers the room's kept events 1, 2, 3, … without a hole; `id` is the author's own.
    A message that was changed later is replayed as it is now: `edited` is when (Unix ms), and one
    with `deleted` has lost its words and kept its place. `name` is a user's display name, and
    `guest` says that there is no user behind the name.
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


class Edited(Struct, tag_field="type", tag="edited", omit_defaults=True, gc=False):
    """To the room: the author gave the message `target` another text.

    `deleted`: its words are gone since, because the message was deleted later. `id` is in the
    editor's own copy alone.
    """

    room: str
    seq: int
    target: int
    username: str
    text: str
    ts: int
    deleted: bool = False
    id: str | None = None


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


Action = Literal["kick", "mute", "ban", "pardon", "purge", "slow", "read_only", "delete"]


class Moderated(Struct, tag_field="type", tag="moderated", omit_defaults=True, gc=False):
    """To the room: the moderator `by` did something to `username`, or to the room's modes.

    `until` (Unix ms) is when it ends, if it does. With `slow`, `seconds` is the new pace (0: none);
    with `read_only`, `on` says whether it begins. A kept event, as chats are.
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
    | Roster
    | Said
    | Edited
    | Deleted
    | Moderated
    | Past
    | Sanctions
    | Missed
    | Pong
    | Ok
    | Error
)

encode = msgspec.json.Encoder().encode
"""Any outgoing frame → its JSON (bytes)."""
