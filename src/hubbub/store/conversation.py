"""What messages have to do with each other: what a reply quotes, and what is put on a message.

Law: all stores ask here, or do the same: `redis_functions.lua` is held to it byte for byte.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hubbub.protocol.draft import Draft
from hubbub.protocol.outgoing import Quote, Reacted, Reactions, Reactors, Said, encode
from hubbub.store.base import Refused, Unchanged

QUOTED: Final = 120
"""Characters of a message that a reply to it shows."""
SHOWN: Final = 20
"""Names that an emoji on a message shows."""

_read_chat = msgspec.json.Decoder(Said).decode
_read_reacted = msgspec.json.Decoder(Reacted).decode


def quote(seq: int, payload: bytes | None) -> Quote | Refused:
    """What a reply to the chat in `payload` (None: there is none) shows of it."""
    chat = None if payload is None else _read_chat(payload)
    refusal = _missing(seq, chat)
    if refusal is not None or chat is None:
        return refusal or _nothing(seq)
    return Quote(seq, chat.username, chat.text[:QUOTED])


def unquoted(payload: bytes) -> bytes:
    """A reply whose message is deleted: without its words."""
    chat = _read_chat(payload)
    if chat.reply is not None:
        chat.reply.text = ""
        chat.reply.deleted = True
    return encode(chat)


def answered(payload: bytes) -> int:
    """Which message a chat answers; 0: none."""
    reply = _read_chat(payload).reply
    return 0 if reply is None else reply.seq


def react(
    draft: Draft, payload: bytes | None, name: str | None
) -> tuple[bytes, Reactors] | Refused | Unchanged:
    """The chat in `payload` with the draft's reaction, and how its emoji stands then.

    `name` is the one under which its author has put that emoji there, None if it is not there.
    """
    wanted = draft.reaction
    assert wanted is not None
    chat = None if payload is None else _read_chat(payload)
    refusal = _missing(draft.target, chat)
    if refusal is not None or chat is None:
        return refusal or _nothing(draft.target)
    stand = chat.reactions or {}
    if wanted.on == (name is not None):
        return Unchanged(encode(Reactions(draft.log, draft.target, stand, draft.id)))
    here = stand.get(wanted.emoji)
    if here is None:
        if len(stand) >= wanted.most:
            return Refused("forbidden", f"a message has at most {wanted.most} different reactions")
        here = stand[wanted.emoji] = Reactors(0, [])
    if name is None:
        here.count += 1
        if len(here.users) < SHOWN:
            here.users.append(draft.username)
    else:
        here.count -= 1
        if name in here.users:
            here.users.remove(name)
        if not here.count:
            del stand[wanted.emoji]
    chat.reactions = stand or None
    return encode(chat), here


def reactor(payload: bytes) -> str | None:
    """The name under which a `reacted` put its emoji; None if it took it away."""
    last = _read_reacted(payload)
    return last.username if last.on else None


def _missing(seq: int, chat: Said | None) -> Refused | None:
    if chat is None:
        return _nothing(seq)
    if chat.deleted:
        return Refused("not_found", f"the message with seq {seq} is deleted")
    return None


def _nothing(seq: int) -> Refused:
    return Refused("not_found", f"there is no message with seq {seq}")
