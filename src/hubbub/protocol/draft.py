"""What is asked of the store, an event that has no number yet; and what it knows of a chat."""

from msgspec import Struct

from hubbub.protocol.audit import Audit, Known
from hubbub.protocol.outgoing import Moderated


class Reaction(Struct, gc=False):
    """An emoji to put on a message, or to take away; a message has `most` different ones."""

    emoji: str
    on: bool
    most: int


class Draft(Struct, gc=False):
    """An event to be kept in the log `log`.

    `author` is an identity (a hash, never a name); together with `id` it makes resending safe.
    With a `target` it changes the chat of that `seq`, which is the author's own unless a moderator
    asks: `text` is what it says from now on, and an empty one deletes it. With an `event` it is
    that, once the store has put `seq` and `ts` into it, and `text` only tells a resend from
    something else. With a `reaction`, it is one of the author's to the chat `target`, whoever's
    that is. All else is a chat; `name` and `guest` are as in `Said`, and `reply_to` is the `seq`
    of the chat that it answers (0: none). `mentions` has the names that the text does.

    One that `follows` is kept only if the nearest one before it in its batch that does not follow
    is kept, and now for the first time.
    """

    log: str
    author: bytes
    username: str
    text: str
    id: str | None
    target: int
    name: str | None = None
    guest: bool = False
    moderator: bool = False
    event: Moderated | Audit | Known | None = None
    follows: bool = False
    reply_to: int = 0
    mentions: list[str] | None = None
    reaction: Reaction | None = None


class Authored(Struct, gc=False):
    """Whose a chat is: identity and name; and whether it is deleted."""

    identity: bytes
    username: str
    deleted: bool
