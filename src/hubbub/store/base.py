"""What every store promises.

Laws: the `seq` of a log's events is 1, 2, 3, … in the order of appending; `ts` never goes back
within a log; an `id` is in a log at most once for each author; an `epoch` names a log for as long
as its numbers mean the same events. Numbering is the store's alone. A batch is kept whole or,
where `StoreError` is raised, not at all.

A store answers when it is done, and may take its time: who must not wait asks it through
`hubbub.delivery.keeper`. One thread calls `append`, `open`, `mark`, `rest` and `tidy`; another may
call what only reads meanwhile; `first` answers at once, to any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from hubbub.protocol.codes import ErrorCode
from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.markers import Mark, Unread
from hubbub.protocol.presence import (
    Changes,
    Leased,
    Move,
    Occupant,
    Snapshot,
    Verdict,
)

PAGE_SIZE: Final = 131_072
"""Characters of events that one page has, at most, unless one event alone has more."""


class StoreError(Exception):
    """The store cannot do its work now, and nothing was kept.

    `str()` says why, for a person. Clients hear it, so it does not say where anything is.
    """


class Stored(Struct, gc=False):
    """A draft that is in the log: its number and its JSON as everyone gets it.

    `fresh` is False where the log had it already: then it is for the sender alone. `changed` is
    the JSON of the chat that it changed, as that is now, and `emptied` the edits of it and the
    replies to it, as seq and JSON, that lost its words with it; `answer` the author's own copy
    where that is another, because it carries an `id` that the others' does not.
    """

    seq: int
    payload: bytes
    fresh: bool = True
    changed: bytes | None = None
    answer: bytes | None = None
    emptied: Sequence[tuple[int, bytes]] = ()


class Refused(Struct, gc=False):
    """A draft that is not kept, and why: an error's code and message."""

    code: ErrorCode
    message: str


class Unchanged(Struct, gc=False):
    """A draft that would change nothing: `answer` is the JSON that tells its sender what is."""

    answer: bytes


Outcome = Stored | Refused | Unchanged


class Opened(Struct, gc=False):
    """Where a log stands: `seq` of its newest event (0: none yet), its `epoch`, its last chats.

    `history` has `(seq, JSON)`, oldest first.
    """

    seq: int
    epoch: str
    history: list[tuple[int, bytes]]


class Page(Struct, gc=False):
    """Events one after another, oldest first; `first` is the `seq` of the first of them.

    Without events, `first` is the next `seq` that the log has or will have.
    """

    first: int
    events: list[bytes]


class Foreign(Struct, gc=False):
    """An event that another node appended; `changed` and `emptied` as in `Stored`.

    `emptied` has all of those that there are, as they are now.
    """

    payload: bytes
    changed: bytes = b""
    emptied: Sequence[tuple[int, bytes]] = ()


class News(Struct, gc=False):
    """What came to a log from other nodes: its events from `first` on, oldest first.

    `is_other`: the log is another one than it was, with this `epoch`. Events before `first` that
    were not told are gone.
    """

    log: str
    epoch: str
    is_other: bool
    first: int
    events: list[Foreign]


Heard = News | Changes | Snapshot
"""What comes from other nodes: events of a log, or who is in a room."""


class Store(Protocol):
    """The order of events. `is_untidy`: `tidy` should be called soon, not only now and then."""

    @property
    def is_untidy(self) -> bool: ...

    def append(self, drafts: Sequence[Draft], ts: int) -> list[Outcome]:
        """Number and keep the drafts, all of one turn; `ts` is Unix time in ms.

        A draft that `follows` one which is refused, or was kept already, is refused with it. The
        outcomes may be of the first drafts alone: then the others are to be given again.
        """
        ...

    def open(self, name: str, count: int) -> Opened:
        """Where a log stands, and its newest `count` chats; it is open until it rests."""
        ...

    def first(self, name: str) -> int:
        """The `seq` of the oldest event that an open log still has (or will have)."""
        ...

    def after(self, name: str, seq: int, count: int) -> Page:
        """At most `count` events after `seq` within `PAGE_SIZE`, from the first still kept."""
        ...

    def before(self, name: str, seq: int, count: int) -> tuple[list[bytes], bool]:
        """The newest `count` chats before `seq`, oldest first, and whether there are older ones."""
        ...

    def author(self, name: str, seq: int) -> Authored | None:
        """Whose the chat `seq` is; None if there is no such chat."""
        ...

    def thread(
        self, name: str, seq: int, before: int, count: int
    ) -> tuple[list[bytes], bool] | None:
        """The chat `seq` and after it the newest `count` replies to it before `before`.

        Oldest first, and whether there are older ones; None if there is no such chat.
        """
        ...

    def writings(self, name: str, author: bytes, count: int) -> list[int]:
        """The newest `count` chats of an author that are not deleted, by `seq`, newest first."""
        ...

    def heads(self, names: Sequence[str]) -> list[tuple[int, bytes | None]]:
        """Of each log the `seq` of its newest event and its last chat, open or not; to any thread.

        Raises `StoreError`.
        """
        ...

    def mark(self, marks: Sequence[Mark]) -> list[int | None]:
        """Keep how far users have read, which only goes forward; gives where each stands now.

        None: the log has not come as far as that. Raises `StoreError`.
        """
        ...

    def unread(self, user: bytes, names: Sequence[str], most: int) -> list[Unread | None]:
        """What a user has not read of each log, up to `most` chats; None: nothing is marked there.

        Raises `StoreError`.
        """
        ...

    def read_by(self, user: bytes) -> list[str]:
        """The logs in which a user has read, in no order; some may be gone. Raises `StoreError`."""
        ...

    def rest(self, name: str, now: float) -> None:
        """Nobody is in the room any more, as of `now` (Unix seconds): the log is closed."""
        ...

    def tidy(self, now: float) -> bool:
        """Let go of a little of what need not be kept as of `now`; whether there is more to do."""
        ...

    def check(self) -> None:
        """Try whether the store works again; raises `StoreError` while it does not."""
        ...

    def close(self) -> None:
        """Put everything in its place and let go of it."""
        ...


class Shared(Store, Protocol):
    """A store that other nodes append to, too.

    Law: of each open log every event comes once and in order: what others appended as news, and
    what `append` answers after the news that it brought.
    """

    @property
    def presence(self) -> Presence:
        """Who is in the open rooms, on all nodes."""
        ...

    def listen(self, ears: Ears) -> None:
        """Tell from now on what other nodes say."""
        ...

    def listen_no_more(self) -> None:
        """Tell nothing after this."""
        ...

    def attend(self, user: str) -> None:
        """Hear what a user has read on other nodes, too; to any thread."""
        ...

    def ignore(self, user: str) -> None:
        """Hear no more of a user; to any thread."""
        ...

    def whisper(self, room: str, key: str) -> None:
        """Let the other nodes know that a member is writing, if they listen; to any thread.

        Raises `StoreError`.
        """
        ...

    def take_news(self) -> list[Heard]:
        """What came with `append`, `open`, `check` or `follow` from others since it was taken."""
        ...

    def is_news(self, name: str, epoch: str, seq: int) -> bool:
        """Whether an open log has not been followed to there yet; answers at once, to any."""
        ...

    def follow(self, name: str, epoch: str, seq: int) -> None:
        """Look for news of a log, which is said to have come to `seq` in this epoch."""
        ...

    def follow_these(self, names: Sequence[str]) -> None:
        """Look for news of these logs, and who is there, as far as they are open."""
        ...

    def follow_all(self) -> None:
        """Look at all open logs."""
        ...


class Ears(Protocol):
    """What hears other nodes, on any thread. What is said may come late, and may not come."""

    def grown(self, name: str, epoch: str, seq: int) -> None:
        """A log is said to have grown to `seq`."""
        ...

    def moved(self, room: str, stamp: str, version: int, batch: bytes) -> None:
        """Someone is said to have come or gone: see `Presence.told`."""
        ...

    def whispered(self, room: str, key: str) -> None:
        """A member is writing."""
        ...

    def marked(self, room: str, user: str, seq: int) -> None:
        """A user has read up to `seq`."""
        ...

    def missed(self, names: Sequence[str]) -> None:
        """What was said of these logs may not have come."""
        ...


class Presence(Protocol):
    """Who is in which room, of all nodes; what is heard comes with the store's news.

    Called on the thread that writes, but `is_news` and `counts`, which any may call. All but
    `move` and `settle`, which give errors by room, raise `StoreError`.
    """

    def move(
        self, moves: Mapping[str, Sequence[Move]], behind: Sequence[str] = ()
    ) -> dict[str, list[Verdict] | StoreError]:
        """Make claims and releases, by room; gives what came of each.

        What was said in the rooms `behind` is news before that.
        """
        ...

    def settle(self, members: Mapping[str, Sequence[Occupant]]) -> dict[str, StoreError | None]:
        """Say of rooms who truly is in them on this node."""
        ...

    def lease(self, counts: Mapping[str, int], may_bury: bool) -> Leased:
        """Live on; `counts` is how many are in rooms where that has changed."""
        ...

    def bury(self, node: str) -> None:
        """Take what a dead node held out of all rooms."""
        ...

    def retire(self) -> None:
        """Live no more: nobody is here."""
        ...

    def is_news(self, room: str, stamp: str, version: int) -> bool:
        """Whether an open room is not there yet."""
        ...

    def told(self, room: str, stamp: str, version: int, batch: bytes) -> None:
        """A room is said to have come to this version, by this batch of changes."""
        ...

    def counts(self) -> dict[str, int]:
        """How many are in the rooms that other nodes have."""
        ...


def unavailable(problem: StoreError) -> str:
    """What a sender is told whose words could not be kept."""
    return f"the log cannot be used at the moment: {problem}"
