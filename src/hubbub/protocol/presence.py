"""Who is in a room of many nodes, as the nodes tell each other.

Laws: of a room there is one account of who is in it, whose changes come in one order, the same for
every node; a name is in it once, by its two keys (`chat.likeness`).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Seat(Struct, array_like=True, gc=False):
    """How someone is in a room on one node: from which addresses, and whether to keep order there.

    Only nodes tell each other of it: no client hears of an address. In what a node asks for, it is
    its own, and `node` is empty.
    """

    node: str
    addresses: tuple[str, ...] = ()
    moderates: bool = False


class Occupant(Struct, array_like=True, gc=False):
    """One name in one room, and the nodes on which someone holds it.

    `key` and `look` are the first and the last of the name's keys; `identity` is in hex. `title` is
    a user's display name, or empty; `guest` and `user` say whether there are users and this is
    none, and whether a token says who this is. `order` rises in the order of joining. `mark` is
    another one each time when a guest comes in, on the same node, too: the account's version then.
    `seats` has one for each of the nodes, as far as they have said.
    """

    key: str
    look: str
    name: str
    identity: str
    title: str = ""
    guest: bool = False
    user: bool = False
    order: int = 0
    nodes: tuple[str, ...] = ()
    mark: int = 0
    seats: tuple[Seat, ...] = ()


class Came(Struct, array_like=True, tag="in", gc=False):
    """Someone is in the room now."""

    who: Occupant


class Changed(Struct, array_like=True, tag="set", gc=False):
    """Who had this key is now so: called otherwise, or held by other nodes."""

    key: str
    who: Occupant


class Went(Struct, array_like=True, tag="out", gc=False):
    """Who had this key is in the room no more."""

    key: str


Change = Came | Changed | Went


class Claim(Struct, array_like=True, tag="claim", gc=False):
    """This node asks for a name for someone, who gives the one with the key `instead` up for it.

    `over` is the mark of the name as this node knows it to be theirs (0: it is not). A guest who
    came in on another node since then stays there: this may be what they gave up before.
    """

    who: Occupant
    instead: str = ""
    over: int = 0


class Release(Struct, array_like=True, tag="free", gc=False):
    """Nobody holds this name on this node any more."""

    key: str
    identity: str


class Amend(Struct, array_like=True, tag="amend", gc=False):
    """Who this node holds has another display name or seat now; if it holds them still."""

    who: Occupant


Move = Claim | Release | Amend

Verdict = Literal["in", "mine", "moved", "taken", "user", "free"]
"""What came of a move: it is theirs, newly (`in`) or since before (`mine`), but on another node
than was known (`moved`); someone else has it (`taken`), who is a `user`; nobody holds it on this
node (`free`).
"""


class Changes(Struct, gc=False):
    """What changed in a room, in order. `us`: what this node is called in it, now and before."""

    room: str
    us: frozenset[str]
    changes: list[Change]


class Snapshot(Struct, gc=False):
    """Who is in a room. `is_other`: all was lost meanwhile, and others will be told again.

    `is_settled`: what this node had to say of its own is in it.
    """

    room: str
    us: frozenset[str]
    occupants: list[Occupant]
    is_other: bool = False
    is_settled: bool = False


class Leased(Struct, gc=False):
    """The lease is renewed. `anew`: it had ended, and others may have put this node's people out.

    `dead` are nodes whose lease has ended; `nodes` is how many there are.
    """

    anew: bool
    dead: list[str]
    nodes: int
