"""The line: one batch is at work at a time, whatever happens while it is published."""

from collections.abc import Sequence

from hubbub.delivery.keeper import Done
from hubbub.protocol.draft import Draft
from hubbub.protocol.incoming import Chat, Join, Leave, Ping
from hubbub.store.base import Outcome
from tests.delivery.keepers import Later
from tests.delivery.rig import House


def test_who_is_lost_while_a_batch_is_published_does_not_mix_up_the_next_ones() -> None:
    house = House(keeper=Later)
    assert isinstance(house.keeper, Later)
    ann, bob, eve = house.reader(), house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("blue", "bob"))
    eve.put(Join("green", "eve"))
    house.settle()

    ann.put(Chat("one"))
    eve.put(Ping("lost"))
    house.loop.run()
    bob.put(Chat("for blue alone"))  # gathers while the first batch is at work
    eve.broken = True
    assert house.keeper.work()  # publishes, and finds that eve is gone
    ann.put(Chat("two"))
    house.loop.run()
    assert len(house.keeper.questions) == 1, "one batch at a time"
    house.settle()
    assert [frame["text"] for frame in ann.heard() if frame["type"] == "chat"] == ["one", "two"]
    assert [frame["text"] for frame in bob.heard() if frame["type"] == "chat"] == ["for blue alone"]


class OneByOne(Later):
    """Its store takes the first of what it is given, as a Redis Cluster may."""

    def append(self, drafts: Sequence[Draft], ts: int, done: Done[list[Outcome]]) -> None:
        self._ask(done, lambda: self._store.append(drafts[:1], ts))


def test_what_the_store_did_not_take_yet_stays_where_it_was_in_the_line() -> None:
    house = House(keeper=OneByOne)
    assert isinstance(house.keeper, OneByOne)
    ann, bob = house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("red", "bob"))
    house.settle()
    bob.heard()
    for text in ("one", "two", "three"):
        ann.put(Chat(text, id=text))
    ann.put(Leave("red", id="bye"))
    house.loop.run()
    ann.put(Join("blue", "ann"))  # while the first is at work
    ann.put(Chat("four", "blue"))
    house.settle()
    told = [frame.get("text", frame["type"]) for frame in bob.heard()]
    assert told == ["one", "two", "three", "left", "roster"]
    own = [frame.get("text", frame["type"]) for frame in ann.heard()]
    assert own[own.index("one") :] == [
        *("one", "two", "three", "left", "welcome", "joined", "roster", "four"),
    ]


def test_what_several_say_at_once_is_one_turn_but_nobody_talks_it_away() -> None:
    house = House()
    ann, bob = house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("red", "bob"))
    house.settle()
    bob.heard()
    said = 0

    def talk() -> None:  # each pass of the loop brings one more, before the turn has its turn
        nonlocal said
        if said < 1000 and not any(frame["type"] == "chat" for frame in bob.heard()):
            said += 1
            ann.put(Chat(f"word {said}"))
            house.loop.call_soon(talk)

    ann.put(Chat("first"))
    talk()
    house.settle()
    assert 60 < said < 70, "they were told together, and while more was coming"


def test_who_speaks_alone_does_not_wait() -> None:
    house = House()
    ann = house.reader()
    ann.put(Join("red", "ann"))
    house.settle()
    ann.heard()
    ann.put(Chat("hello"))
    what, args = house.loop.soon.popleft()
    what(*args)
    assert [frame["type"] for frame in ann.heard()] == ["chat"]
