"""An answer comes where it belongs in the story: not before what was said before it."""

from pathlib import Path

from hubbub.protocol.incoming import Chat, Delete, Edit, History, Join, Leave
from tests.delivery.keepers import Later, Twofold
from tests.delivery.rig import House, Reader
from tests.server import Frame
from tests.store.kinds import sqlite


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


def test_history_that_was_read_before_an_edit_does_not_come_after_it(tmp_path: Path) -> None:
    house = House(sqlite(tmp_path), Twofold)
    keeper = house.keeper
    assert isinstance(keeper, Twofold)
    ann, bob = house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("red", "bob"))
    house.settle()
    ann.put(Chat("first words"))
    house.settle()
    bob.heard()
    bob.put(History("red", id="h"))
    house.loop.run()
    keeper.do("read")
    ann.put(Edit(1, "other words"))
    house.loop.run()
    keeper.do("write")
    keeper.tell("write")
    house.settle()
    edited, history = bob.heard()
    assert (edited["text"], history["id"]) == ("other words", "h")
    assert [chat["text"] for chat in history["events"]] == ["other words"]
    house.store.close()


def test_a_slow_reader_does_not_get_words_that_were_deleted_before_it_came_to_them() -> None:
    house = House()
    ann, bob = house.reader(), house.reader()
    ann.say(Join("red", "ann"))
    bob.say(Join("red", "bob"))
    bob.heard()
    bob.room = 10
    for text in ("one", "two"):
        ann.say(Chat(text))
    ann.say(Delete(2))
    bob.drain(1 << 20)
    assert [frame.get("text") for frame in bob.heard()] == ["one", "", None]


def test_a_look_back_at_long_messages_gets_fewer_of_them_and_can_go_on() -> None:
    house = House()
    ann = house.reader()
    ann.say(Join("red", "ann"))
    for number in range(40):
        ann.say(Chat(f"{number:<2}" + "\U0001f600" * 3_998))
    ann.heard()
    seen: list[int] = []
    before = None
    for _ in range(20):
        ann.say(History("red", before=before, limit=40))
        (past,) = ann.heard()
        assert len(str(past["events"]).encode()) < 300_000
        seen = [chat["seq"] for chat in past["events"]] + seen
        before = seen[0]
        if not past["more"]:
            break
    assert seen == list(range(1, 41))
