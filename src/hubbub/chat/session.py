"""A session: one connected client as the chat knows it, and what can come of a frame it sends.

A decision changes who is where at once; what people are to hear of it is an *effect*. Effects go
through one line, in order, and chats in it wait for the store: so a `left` never overtakes its
author's last words, and answers come in the order of the questions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from hubbub.chat.grants import Grant
from hubbub.chat.room import Member, Present, Room
from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.incoming import Join
from hubbub.protocol.markers import Mark, Unread
from hubbub.protocol.outgoing import Outgoing
from hubbub.protocol.overview import News, Rooms
from hubbub.protocol.presence import Claim


class Session:
    """What is remembered of one connected client.

    `identity` is a hash that proves who it is (None before the first join) and `secret` what it
    proves it with; with a token, `grant` is what that says, and there is no secret. `place` and
    `member` are the room that it is in, where that is one alone, and the membership there: most
    are, and a dict for each would take more than all else here. `address` is where it comes from,
    of IPv6 the /64; `is_mod` after it gave the moderators' password. `socket` is whatever delivery
    hangs here, and chat never looks at it. `talk`, `moves`, `rest`, `octets` and `refused` are its
    numbers for the paces of `limits.Paces`.
    """

    __slots__ = (
        "_several",
        "address",
        "grant",
        "identity",
        "is_mod",
        "member",
        "moves",
        "octets",
        "place",
        "refused",
        "rest",
        "secret",
        "socket",
        "talk",
    )

    def __init__(self, socket: Any = None, address: str = "") -> None:
        self.socket = socket
        self.address = address
        self.grant: Grant | None = None
        self.is_mod = False
        self.place = ""
        self.member: Member | None = None
        self._several: dict[str, Member] | None = None
        """All its rooms, where it is in more than one."""
        self.identity = b""
        self.secret = ""
        self.talk = self.moves = self.rest = self.octets = self.refused = 0.0

    @property
    def rooms(self) -> Mapping[str, Member]:
        """The memberships by the names of their rooms; it stays so when they are others later."""
        if self._several is not None:
            return self._several
        return {} if self.member is None else {self.place: self.member}

    def enters(self, place: str, member: Member) -> None:
        """It is in a room from now on, or another member of it."""
        self._be_in({**self.rooms, place: member})

    def leaves(self, place: str) -> Member:
        """It is out of a room; gives what it was there. KeyError if it was not."""
        rooms = {**self.rooms}
        member = rooms.pop(place)
        self._be_in(rooms)
        return member

    def _be_in(self, rooms: dict[str, Member]) -> None:
        self._several = rooms if len(rooms) > 1 else None
        self.place, self.member = next(iter(rooms.items())) if len(rooms) == 1 else ("", None)

    def moderates(self, room: str) -> bool:
        """Whether it keeps order in this room."""
        return self.is_mod or (self.grant is not None and self.grant.moderates(room))

    @property
    def moderates_all(self) -> bool:
        """Whether it keeps order in every room."""
        return self.is_mod or (self.grant is not None and self.grant.mod is True)


class Tell(Struct, gc=False):
    """Say `frame` to this session alone."""

    session: Session
    frame: Outgoing


class Whisper(Struct, gc=False):
    """Say `frame` of a member to the others in a room who can take it now; it is no loss to the
    rest."""

    room: str
    member: Member
    frame: Outgoing


class Survey(Struct):
    """Tell the session of these rooms, when it is known where their logs stand."""

    session: Session
    frame: Rooms


class Show(Tell):
    """An answer with messages as they were when their room had been changed `changes` times.

    Where it was changed again since, it is asked for again.
    """

    question: Browse | AskThread
    changes: int


class Post(Draft, kw_only=True, gc=False):
    """An event to be kept, and then published in the room of its log."""

    session: Session


class Record(Post, kw_only=True, gc=False):
    """An event for one of the server's own logs. `answer`: its session waits to hear `ok`."""

    answer: bool
    count: int | None = None


class Enter(Struct):
    """`session` came in as `member`: it gets `welcome`, and its cursor stands at the head.

    `present` is who is there at this moment (None: who is when this is felt). `changes`: there is
    one more in the room (and not a name taken over, or one more socket of a user). `quiet`: nobody
    else is told by `joined` (None: that is `Room.introduce`'s to say). With `since` the cursor
    stands where the client left off.
    """

    session: Session
    room: Room
    member: Member
    present: Present | None
    changes: bool
    quiet: bool | None
    since: int | None
    epoch: str | None
    id: str | None


class Ask(Struct):
    """Where there are many nodes: may `session` come into a room as `claim` says?

    The answer goes to `Lobby.answered`, with the frame; `secret` is what its identity is proved by.
    """

    session: Session
    room: str
    claim: Claim
    frame: Join
    secret: str

    @property
    def id(self) -> str | None:
        """What the answer will carry."""
        return self.frame.id


class Free(Struct, gc=False):
    """This node may hold a name no more: if so, the others are told."""

    room: str
    member: Member


class Hold(Struct, gc=False):
    """What others are told of a member of this node is another now."""

    room: str
    member: Member


class Again(Struct):
    """`session` asked to join where it is: it gets `welcome` and nobody else hears of it."""

    session: Session
    room: Room
    member: Member
    present: Present
    id: str | None


class Exit(Struct):
    """`session` left: it gets what came before this and nothing after; those who remain hear it.

    `changes`: there is one less in the room; not when another socket has the name now (`replaced`),
    or when other sockets of the member remain. `quiet`: nobody is told by `left`. `answer`: the
    leaver asked to be told, under this id.
    """

    session: Session
    room: Room
    member: Member
    changes: bool
    quiet: bool
    replaced: bool
    answer: str | None


class Browse(Struct):
    """The session wants the last `limit` chats before `before` (None: the newest) of a room."""

    session: Session
    room: str
    before: int | None
    limit: int
    id: str | None


class AskThread(Struct):
    """The session wants the message `seq` of a room, and the last `limit` replies before
    `before` (None: the newest)."""

    session: Session
    room: str
    seq: int
    before: int | None
    limit: int
    id: str | None


class AskAuthor(Struct):
    """Who wrote the message `seq` of a room? `then` decides on, knowing it (None: no such one)."""

    session: Session
    room: str
    seq: int
    id: str | None
    then: Callable[[Authored | None], list[Effect]]


class AskWritings(Struct):
    """Which messages of a room are this author's, the newest `most`? `then` decides on."""

    session: Session
    room: str
    author: bytes
    most: int
    id: str | None
    then: Callable[[list[int]], list[Effect]]


class AskCounts(Struct):
    """How many are in each room of all nodes? `then` decides on."""

    session: Session
    id: str | None
    then: Callable[[dict[str, int]], list[Effect]]


class AskHeads(Struct):
    """Where do the logs of these rooms stand, though they may not be open here: the `seq` of the
    newest event, and the last message (None: there is none)? `then` decides on."""

    session: Session
    rooms: list[str]
    id: str | None
    then: Callable[[list[tuple[int, bytes | None]]], list[Effect]]


class AskUnread(Struct):
    """What have these rooms that a user has not read, up to `most` messages? `then` decides on.

    `user` is their identity; None: nothing is marked there.
    """

    session: Session
    user: bytes
    rooms: list[str]
    most: int
    id: str | None
    then: Callable[[list[Unread | None]], list[Effect]]


class AskMarked(Struct):
    """In which rooms has a user read? `then` decides on; `user` is their identity."""

    session: Session
    user: bytes
    id: str | None
    then: Callable[[list[str]], list[Effect]]


class MarkRead(Struct):
    """How far the session's user has read is to be kept, and told to their other sockets."""

    session: Session
    mark: Mark
    id: str | None


class Heed(Struct):
    """From now on the session hears news of the rooms in `frame`, beginning with that."""

    session: Session
    frame: News


class Dismiss(Struct):
    """Close this session's socket with `code` and `reason`; it is in no room any more."""

    session: Session
    code: int
    reason: str


Effect = (
    Tell
    | Whisper
    | Survey
    | Post
    | Enter
    | Again
    | Exit
    | Ask
    | Free
    | Hold
    | Browse
    | AskThread
    | AskAuthor
    | AskWritings
    | AskCounts
    | AskHeads
    | AskMarked
    | AskUnread
    | MarkRead
    | Heed
    | Dismiss
)
