"""What moderators did, as it is kept: one record each, in a log that no room can be named like.

What holds now (bans, mutes, modes of rooms) is what the records come to, one after the other:
so nothing else needs to be kept, and who reads the log knows who did what to whom, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from hubbub.protocol.outgoing import Action

AUDIT: Final = " audit"
"""The log's name: rooms' names are trimmed, so none begins with a space."""
USERS: Final = " users"
"""The log of the names that users with a token have, which no guest may take."""


class Audit(Struct, tag_field="type", tag="audit", omit_defaults=True, gc=False):
    """One act of the moderator `by` in `room`.

    `who` is the identity (hex) of `username`, to whom it was done, and `addresses` are those that
    a ban holds for, too. `until` (Unix ms) ends it, where it ends; `number` is the record that a
    pardon lifts; `target` the message and `count` how many were deleted. `topic` and `description`
    are those that hold from then on.
    """

    seq: int
    ts: int
    action: Action
    room: str
    by: str
    username: str = ""
    who: str = ""
    addresses: tuple[str, ...] = ()
    everywhere: bool = False
    until: int | None = None
    reason: str | None = None
    seconds: float | None = None
    on: bool | None = None
    number: int | None = None
    target: int | None = None
    count: int | None = None
    topic: str | None = None
    description: str | None = None


class Known(Struct, tag_field="type", tag="user", gc=False):
    """A user came for the first time: the name is theirs."""

    seq: int
    ts: int
    name: str


read: Callable[[bytes], Audit | Known] = msgspec.json.Decoder(Audit | Known).decode
"""The JSON of a record → the record."""
