"""How events are written: the same JSON in every store.

Laws: an event's JSON is made here alone; what is kept of a deleted message, and of what edited
it, has none of its words.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.outgoing import Deleted, Edited, Quote, Reacted, Reactors, Said, encode
from hubbub.store.base import Outcome, Refused, Stored

_read_chat = msgspec.json.Decoder(Said).decode
Change = Edited | Deleted | Reacted
_read_change: Callable[[bytes], Change] = msgspec.json.Decoder(Change).decode

CHAT: Final = b'{"type":"chat",'
"""How a chat's JSON begins."""
EDITED: Final = b'{"type":"edited",'
"""How an edit's does."""
_CHANGES: Final = (EDITED, b'{"type":"deleted",', b'{"type":"reacted",')


UNLED: Final = Refused("forbidden", "what it follows is not kept anew")


def one_by_one(drafts: Sequence[Draft], keep: Callable[[Draft], Outcome]) -> list[Outcome]:
    """Keep the drafts of a batch, but not those that follow one that is not kept anew."""
    outcomes: list[Outcome] = []
    leader: Outcome | None = None
    for draft in drafts:
        if not draft.follows:
            leader = keep(draft)
            outcomes.append(leader)
        elif leader is None or (isinstance(leader, Stored) and leader.fresh):
            outcomes.append(keep(draft))
        else:
            outcomes.append(UNLED)
    return outcomes


def written(
    draft: Draft, seq: int, ts: int, quote: Quote | None = None, stand: Reactors | None = None
) -> bytes:
    """The JSON of a new event, as everyone gets it: the `id` of a change is its author's alone.

    `quote` is what a reply shows; `stand` is how an emoji stands after a reaction.
    """
    if draft.event is not None:
        draft.event.seq, draft.event.ts = seq, ts
        return encode(draft.event)
    if not draft.target:
        return encode(
            Said(
                draft.log,
                draft.username,
                draft.text,
                ts,
                seq,
                draft.id,
                None,
                False,
                draft.name,
                draft.guest,
                quote,
                draft.mentions,
            )
        )
    if draft.reaction is not None:
        emoji, on = draft.reaction.emoji, draft.reaction.on
        count, users = (0, []) if stand is None else (stand.count, stand.users)
        return encode(
            Reacted(draft.log, seq, draft.target, draft.username, emoji, on, ts, count, list(users))
        )
    if draft.text:
        edited = Edited(draft.log, seq, draft.target, draft.username, draft.text, ts)
        edited.mentions = draft.mentions
        return encode(edited)
    return encode(Deleted(draft.log, seq, draft.target, draft.username, ts))


def change(draft: Draft, author: bytes | None, payload: bytes, ts: int) -> bytes | Refused:
    """A chat's JSON as `draft` leaves it, or why it may not be changed so.

    `author` is whose the chat is (None: there is no such chat), `payload` what it is now.
    """
    if author is None:
        return Refused("not_found", f"there is no message with seq {draft.target}")
    if author != draft.author and not draft.moderator:
        verb = "changed" if draft.text else "deleted"
        return Refused("forbidden", f"a message can be {verb} by its author alone")
    chat = _read_chat(payload)
    if chat.deleted:
        return Refused("not_found", f"the message with seq {draft.target} is deleted")
    chat.text = draft.text
    chat.edited = ts if draft.text else None
    chat.deleted = not draft.text
    chat.mentions = draft.mentions if draft.text else None
    if chat.deleted:
        chat.reactions = None
    return encode(chat)


def is_chat(draft: Draft) -> bool:
    """Whether a draft is a message, and not a change to one or something else."""
    return not draft.target and draft.event is None


def authored(author: bytes, payload: bytes) -> Authored:
    """Whose a chat is."""
    chat = _read_chat(payload)
    return Authored(author, chat.username, chat.deleted)


def id_of(payload: bytes) -> str | None:
    """A chat's own `id`."""
    return _read_chat(payload).id


def calls(payload: bytes) -> bool:
    """Whether a chat mentions anyone: a quote within a text has a backslash before it."""
    return b'"mentions":[' in payload


def target_of(payload: bytes) -> int:
    """Which message an `edited`, `deleted` or `reacted` changes; 0 for what is none of them."""
    return _read_change(payload).target if payload.startswith(_CHANGES) else 0


def wordless(payload: bytes) -> bytes:
    """The JSON of an `edited` whose message is deleted; that of another change as it is."""
    change = _read_change(payload)
    if isinstance(change, Edited):
        change.text = ""
        change.deleted = True
        change.mentions = None
        return encode(change)
    return payload


def same_change(payload: bytes, draft: Draft) -> bool:
    """Whether `draft` asks for what the event in `payload` did already."""
    change = _read_change(payload)
    if change.target != draft.target:
        return False
    wanted = draft.reaction
    if isinstance(change, Reacted):
        return wanted is not None and (change.emoji, change.on) == (wanted.emoji, wanted.on)
    if wanted is not None:
        return False
    if isinstance(change, Edited):
        return bool(draft.text) and (change.deleted or change.text == draft.text)
    return not draft.text


def answer(payload: bytes, id: str | None) -> bytes | None:
    """The author's own copy of a change, with the `id` that it was asked for with.

    None where that is the one that all get: a chat's `id` is in everyone's copy.
    """
    if id is None or not payload.startswith(_CHANGES):
        return None
    change = _read_change(payload)
    change.id = id
    return encode(change)


def digest(text: str) -> bytes:
    """What is remembered of a chat's first text, to tell a resend from another text."""
    return blake2b(text.encode(), digest_size=8).digest()


def reused(seq: int) -> Refused:
    """The refusal of an `id` that its author used before."""
    return Refused("id_reused", f"the id was used before, for the event with seq {seq}")
