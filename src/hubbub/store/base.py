"""What every store promises.

Laws: the `seq` of a log's events is 1, 2, 3, … in the order of appending; `ts` never goes back
within a log; an `id` is in a log at most once for each author; an `epoch` names a log for as long
as its numbers mean the same events. Numbering is the store's alone.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from hubbub.protocol.draft import Draft


class Stored(Struct, gc=False):
    """A draft that is in the log: its number and its JSON as everyone gets it.

    `fresh` is False where the log had it already: then it is for the sender alone.
    """

    seq: int
    payload: bytes
    fresh: bool = True


class Reused(Struct, gc=False):
    """A draft whose `id` its author used before, for another text: not stored."""

    seq: int


Outcome = Stored | Reused


class Log(Protocol):
    """Where one log stands: `seq` of its newest event (0: none yet) and its `epoch`."""

    @property
    def seq(self) -> int: ...
    @property
    def epoch(self) -> str: ...


class Store(Protocol):
    """The order of events. `memory:` answers at once; its callers are on the loop's thread."""

    def append(self, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        """Number and keep the drafts, all of one turn; `ts` is Unix time in ms."""
        ...

    def log(self, name: str) -> Log:
        """Where a log stands; it begins with this call if there was none."""
        ...

    def last(self, name: str, count: int, upto: int) -> list[bytes]:
        """The JSON of the newest `count` chats with a `seq` up to `upto`, oldest first."""
        ...

    def after(self, name: str, seq: int, count: int) -> tuple[int, list[bytes]]:
        """Events after `seq`, oldest first, at most `count`, and the `seq` of the first.

        The first is `seq + 1`, or later where what came between is no longer kept.
        """
        ...

    def tidy(self, now: float) -> None:
        """Let go of what need not be kept as of `now`; called now and then."""
        ...

    def rest(self, name: str, now: float) -> None:
        """Nobody is in the room any more, as of `now` (seconds): its log may go when it must."""
        ...
