"""An answer comes where it belongs in the story: not before what was said before it."""

from hubbub.protocol.incoming import Chat, Edit, Join, Leave
from tests.delivery.keepers import Later
from tests.delivery.rig import House, Reader
from tests.server import Frame


def events(reader: Reader) -> list[Frame]:
    return [frame for frame in reader.heard() if "seq" in frame and frame["type"] != "welcome"]


def back(house: House, session: str, since: int) -> Reader:
    """Ann on another socket, which has not been fed yet."""
    reader = house.reader()
    reader.put(Join("red", "ann", session=session, since=since))
    house.loop.run()
    return reader


def test_what_is_sent_again_while_catching_up_does_not_overtake_what_was_missed() -> None:
    house = House(keeper=Later)
    ann, bob = house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("red", "bob"))
    house.settle()
    (welcome,) = [frame for frame in ann.heard() if frame["type"] == "welcome"]
    bob.say(Chat("one"))
    ann.say(Chat("two", id="a"))
    house.settle()
    ann.say(Edit(2, "two!", id="b"))
    house.settle()
    ann.lose("reset")
    house.settle()

    ann = back(house, welcome["session"], 0)
    ann.put(Chat("two", id="a"))
    ann.put(Edit(2, "two!", id="b"))
    house.loop.run()
    assert isinstance(house.keeper, Later)
    house.keeper.questions.rotate(-1)  # what writes is done before what reads
    house.settle()
    heard = [(frame["seq"], frame.get("id")) for frame in events(ann)]
    assert heard == [(1, None), (2, "a"), (3, "b")], "each once, in order, with what it answers"

    ann.put(Chat("two", id="a"))
    house.settle()
    assert [(frame["seq"], frame["id"]) for frame in events(ann)] == [(2, "a")]


def test_who_leaves_has_the_answers_to_its_last_words_though_its_socket_fills() -> None:
    house = House(keeper=Later)
    ann = house.reader()
    ann.put(Join("red", "ann"))
    house.settle()
    ann.heard()
    ann.put(Chat("one", id="a"))
    ann.put(Chat("two", id="b"))
    ann.put(Edit(1, "one!", id="c"))
    ann.put(Leave("red", id="d"))
    ann.room = 100
    house.settle()
    ann.drain(1 << 20)
    assert [frame["id"] for frame in ann.heard()] == ["a", "b", "c", "d"]
