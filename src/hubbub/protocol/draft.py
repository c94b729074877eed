"""What is asked of the store: a chat that has no number yet."""

from msgspec import Struct


class Draft(Struct):
    """A chat to be kept in the log `log`.

    `author` is an identity (a hash, never a name); together with `id` it makes resending safe.
    """

    log: str
    author: bytes
    username: str
    text: str
    id: str | None
