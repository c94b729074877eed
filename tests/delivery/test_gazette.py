"""News for readers who do not read just now."""

from __future__ import annotations

from hubbub.protocol.incoming import Chat, Follow, Join
from tests.delivery.rig import House, Reader


def scene() -> tuple[House, Reader, Reader]:
    """Ann in red, who follows blue, and Bob, who is in both."""
    house = House()
    ann, bob = house.reader(), house.reader()
    ann.say(Join("red", "ann"))
    for room in ("red", "blue"):
        bob.say(Join(room, "bob", keep=True))
    ann.say(Follow(["blue"], "f"))
    ann.heard()
    return house, ann, bob


def test_who_did_not_read_when_there_was_news_hears_it_when_they_do() -> None:
    house, ann, bob = scene()
    ann.room = 0
    bob.say(Chat("fills the socket", "red"))
    assert ann.is_full
    for text in ("one", "two"):
        bob.say(Chat(text, "blue"))
        house.loop.pass_time()
    ann.drain(1 << 40)
    assert [frame["type"] for frame in ann.heard()] == ["chat"]
    house.loop.pass_time()
    (news,) = ann.heard()
    ts = house.store.heads(["blue"])[0][1]
    assert ts is not None
    assert [(one["room"], one["seq"], "ts" in one) for one in news["rooms"]] == [("blue", 2, True)]
    house.loop.pass_time()
    assert ann.heard() == []
    assert not house.hub.gazette._owed


def test_who_came_in_or_went_meanwhile_is_owed_nothing() -> None:
    house, ann, bob = scene()
    ann.room = 0
    bob.say(Chat("fills the socket", "red"))
    bob.say(Chat("one", "blue"))
    house.loop.pass_time()
    assert house.hub.gazette._owed
    ann.drain(1 << 40)
    ann.say(Join("blue", "ann", keep=True))
    ann.heard()
    house.loop.pass_time()
    assert ann.heard() == []
    bob.room = 0
    bob.say(Follow(["red"], "f"))
    ann.lose("gone")
    assert not house.hub.gazette._owed
