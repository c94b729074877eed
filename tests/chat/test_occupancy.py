"""A node's view of who is in a room, as plain objects: what comes of what it is told."""

from __future__ import annotations

import pytest

from hubbub.access.identity import Proofs
from hubbub.chat.lobby import Lobby
from hubbub.chat.occupancy import Occupancy, Seen, occupant
from hubbub.chat.session import Ask, Dismiss, Effect, Enter, Exit, Free, Session, Tell
from hubbub.protocol.incoming import Join
from hubbub.protocol.outgoing import Error, Joined, Left
from hubbub.protocol.presence import Came, Change, Changed, Changes, Occupant, Snapshot, Went
from hubbub.settings import Settings

US = frozenset(["us"])


class Node:
    """A lobby of one of many nodes, in whose room `red` nobody is yet."""

    def __init__(self) -> None:
        self.lobby = Lobby(Settings(rate=0.0), Proofs())
        self.occupancy: Occupancy = self.lobby.share()
        self.told(Snapshot("red", US, []))

    def told(self, news: Changes | Snapshot) -> Seen:
        return self.occupancy.hear(news)

    def change(self, *changes: Change) -> Seen:
        return self.told(Changes("red", US, list(changes)))

    def ask(self, session: Session, name: str) -> Ask:
        (ask,) = self.lobby.handle(session, Join("red", name, keep=True), 0.0)
        assert isinstance(ask, Ask)
        return ask

    def join(self, name: str, session: Session | None = None) -> Session:
        session = session or Session()
        ask = self.ask(session, name)
        self.change(Came(held(ask)))
        *_, enter = self.lobby.answered(ask, "in", True, 0.0)
        assert isinstance(enter, Enter)
        assert enter.room.introduce(enter.member)
        return session

    @property
    def users(self) -> list[str]:
        return self.lobby.rooms["red"].present().users


def held(ask: Ask, node: str = "us", order: int = 1) -> Occupant:
    who = ask.claim.who
    return Occupant(who.key, who.look, who.name, who.identity, order=order, nodes=(node,))


def other(name: str, order: int, identity: str = "ff") -> Occupant:
    return Occupant(name, name, name, identity * 16, order=order, nodes=("other",))


def kinds(effects: list[Effect]) -> list[type]:
    return [type(one) for one in effects]


def test_who_is_gone_when_the_answer_comes_holds_no_name() -> None:
    node = Node()
    ask = node.ask(Session(), "ann")
    assert node.change(Came(held(ask))).told == [], "it is told after the welcome"
    (free,) = node.lobby.answered(ask, "in", False, 0.0)
    assert isinstance(free, Free)
    assert not node.occupancy.is_needed("red", free.member)
    assert node.change(Went("ann")).told == [], "who was never told of is not missed"


def test_a_name_that_is_asked_for_again_is_not_let_go_of() -> None:
    node = Node()
    session = node.join("ann")
    member = session.rooms["red"]
    node.lobby.drop(session)
    assert not node.occupancy.is_needed("red", member)
    again = Session()
    again.secret, again.identity = session.secret, session.identity
    ask = node.ask(again, "ann")
    assert node.occupancy.is_needed("red", member)
    node.lobby.answered(ask, "mine", True, 0.0)
    assert node.occupancy.is_needed("red", member)


def test_who_asked_here_and_came_in_elsewhere_instead_is_told() -> None:
    node = Node()
    node.join("bob")
    ask = node.ask(Session(), "ann")
    seen = node.change(Came(held(ask, "other", order=2)))
    assert [told.username for told in seen.told] == ["ann"]
    assert node.lobby.answered(ask, None, False, 0.0) == []
    assert [told.username for told in node.change(Went("ann")).told] == ["ann"]


def test_who_was_let_in_here_and_is_elsewhere_by_then_is_told() -> None:
    node = Node()
    node.join("bob")
    ask = node.ask(Session(), "ann")
    assert node.change(Came(held(ask, order=2))).told == []  # comes after their welcome
    node.lobby.answered(ask, "in", False, 0.0)
    seen = node.change(Changed("ann", held(ask, "other", order=2)))
    assert [told.username for told in seen.told] == ["ann"]


@pytest.mark.parametrize("listed", [False, True])
def test_who_was_let_in_and_did_not_wait_for_it_leaves_if_a_roster_had_them(listed: bool) -> None:
    node = Node()
    node.join("bob")
    ask = node.ask(Session(), "ann")
    node.change(Came(held(ask, order=2)))
    if listed:
        assert "ann" in node.lobby.rooms["red"].roster().users
    node.lobby.answered(ask, "in", False, 0.0)
    told = node.change(Went("ann")).told
    assert [one.username for one in told] == (["ann"] if listed else [])


def test_everyone_else_is_told_in_their_order() -> None:
    node = Node()
    seen = node.change(Came(other("zoe", 2)), Came(other("ann", 1, "ee")))
    assert seen.told == [Joined("red", "zoe"), Joined("red", "ann")]
    assert node.users == ["ann", "zoe"]
    assert node.change(Went("zoe"), Went("nobody")).told == [Left("red", "zoe")]


def test_who_is_here_though_told_to_be_gone_is_to_be_settled() -> None:
    node = Node()
    node.join("ann")
    seen = node.change(Went("ann"))
    assert (seen.told, seen.owes, node.users) == ([], True, ["ann"])
    assert [who.name for who in node.occupancy.members("red")] == ["ann"]


def test_who_is_said_to_be_here_and_is_not_is_to_be_settled() -> None:
    node = Node()
    ghost = other("ghost", 1)
    ghost.nodes = ("other", "us")
    assert node.change(Came(ghost)).owes
    assert not node.change(Changed("ghost", other("ghost", 1))).owes


def test_who_lost_the_name_is_put_out() -> None:
    node = Node()
    session = node.join("ann")
    seen = node.change(Came(other("ann", 5)))
    tell, goes = seen.effects
    assert isinstance(tell, Tell)
    assert isinstance(tell.frame, Error)
    assert (tell.frame.code, tell.frame.room) == ("name_taken", "red")
    assert isinstance(goes, Exit)
    assert seen.told == [Left("red", "ann"), Joined("red", "ann")]
    assert session.rooms == {}


def test_a_session_that_is_on_another_node_now_is_sent_away_here() -> None:
    node = Node()
    session = node.join("ann")
    there = other("ann", 1, session.identity.hex()[:2])
    there.identity = session.identity.hex()
    there.name = "Ann"
    seen = node.change(Changed("ann", there))
    assert kinds(seen.effects) == [Exit, Dismiss]
    assert seen.told == []
    assert node.users == ["Ann"]
    assert not node.occupancy.is_needed("red", node.lobby.rooms["red"].members["ann"])


def test_a_name_taken_over_under_another_spelling_keeps_its_place() -> None:
    node = Node()
    node.change(Came(other("ann", 1)), Came(other("bob", 2, "ee")))
    new = other("anna", 1)
    new.look = "ann"
    assert node.change(Changed("ann", new)).told == []
    assert node.users == ["anna", "bob"]
    assert node.lobby.rooms["red"].roster_due


def test_a_room_hears_its_roster_when_nothing_but_the_order_changed() -> None:
    node = Node()
    session = node.join("ann")
    node.change(Came(other("bob", 2)), Came(other("cy", 3, "ee")))
    room = node.lobby.rooms["red"]
    room.roster_told(0.0)
    # It was taken for dead and said that it is not: the others heard that ann left and came.
    back = occupant(session.rooms["red"], "red")
    back.order, back.nodes = 4, ("us",)
    seen = node.change(Came(back))
    assert (seen.told, node.users, room.roster_due) == ([], ["bob", "cy", "ann"], True)
    room.roster_told(0.0)
    ahead = other("cy", 1, "ee")
    assert node.told(Snapshot("red", US, [back, other("bob", 2), ahead])).told == []
    assert (node.users, room.roster_due) == (["cy", "bob", "ann"], True)


def test_a_room_hears_no_roster_when_its_order_is_the_same() -> None:
    node = Node()
    node.change(Came(other("bob", 2)), Came(other("cy", 3, "ee")))
    room = node.lobby.rooms["red"]
    room.roster_told(0.0)
    node.change(Changed("cy", other("cy", 7, "ee")))
    assert (node.users, room.roster_due) == (["bob", "cy"], False)


def test_who_was_lost_is_not_missed_because_it_is_looked_again() -> None:
    node = Node()
    node.join("ann")
    node.change(Came(other("bob", 2)), Came(other("cy", 3, "ee")))
    seen = node.told(Snapshot("red", US, [], is_other=True))
    assert (seen.told, seen.lost) == ([], True)
    seen = node.told(Snapshot("red", US, [], is_other=False))  # the new account, with nobody yet
    assert (seen.told, seen.lost) == ([], False)
    seen = node.told(Snapshot("red", US, [other("bob", 2)], is_other=False))
    assert seen.told == []
    assert node.occupancy.give_up("red") == [Left("red", "cy")]
    seen = node.told(Snapshot("red", US, [], is_other=False))
    assert seen.told == [Left("red", "bob")]


def test_after_all_was_lost_nobody_is_missed_until_they_had_time_to_be_told_again() -> None:
    node = Node()
    node.join("ann")
    node.change(Came(other("bob", 2)), Came(other("cy", 3, "ee")))
    seen = node.told(Snapshot("red", US, [], is_other=True))
    assert (seen.told, seen.owes, seen.lost) == ([], True, True)
    assert node.change(Came(other("bob", 2))).told == []
    assert node.users == ["ann", "bob", "cy"]
    assert node.occupancy.give_up("red") == [Left("red", "cy")]
    assert node.occupancy.give_up("red") == []
    assert node.users == ["ann", "bob"]


def test_who_is_not_in_the_account_after_settling_is_put_out() -> None:
    node = Node()
    session = node.join("ann")
    seen = node.told(Snapshot("red", US, [], is_settled=True))
    assert kinds(seen.effects) == [Tell, Exit]
    assert session.rooms == {}
    assert node.users == []
