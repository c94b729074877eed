"""Everyone knows who is here, however the store delays what is told of it."""

from hubbub.protocol.incoming import Chat, Join
from tests.delivery.keepers import Later
from tests.delivery.rig import House


def test_a_roster_follows_each_coming_and_going_though_one_was_told_meanwhile() -> None:
    house = House(keeper=Later)
    assert isinstance(house.keeper, Later)
    ann, bob, cy = house.reader(), house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("red", "bob"))
    house.settle()
    ann.say(Chat("one"))  # the first batch is at work
    cy.put(Join("red", "cy"))
    ann.say(Chat("two"))  # what came meanwhile will need the store, too
    bob.lose("reset")
    assert house.keeper.work()  # the first batch is published, and the room flushed
    house.settle()
    for reader in (ann, cy):
        frames = reader.heard()
        kinds = [frame["type"] for frame in frames]
        last = frames[-1]
        assert last == {"type": "roster", "room": "red", "users": ["ann", "cy"], "count": 2}, kinds
        assert kinds.index("joined") < len(kinds) - 1
