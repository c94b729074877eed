"""What is asked of the store: an event that has no number yet."""

from msgspec import Struct


class Draft(Struct):
    """An event to be kept in the log `log`.

    `author` is an identity (a hash, never a name); together with `id` it makes resending safe.
    With a `target` it changes the author's own chat of that `seq`: `text` is what it says from
    now on, and an empty one deletes it. A chat has the target 0.
    """

    log: str
    author: bytes
    username: str
    text: str
    id: str | None
    target: int
