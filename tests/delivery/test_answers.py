"""An answer comes where it belongs in the story: not before what was said before it."""

from pathlib import Path

import pytest

from hubbub.protocol.incoming import Chat, Delete, Edit, History, Join, Leave
from tests.delivery.keepers import Later, Twofold
from tests.delivery.rig import House, Reader
from tests.server import Frame
from tests.store.kinds import BOB, KINDS, delete, keep, say, sqlite, stored


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
    # The change that is asked for again waits until all that was missed has come.
    assert heard == [(1, None), (2, "a"), (3, None), (3, "b")]

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


@pytest.mark.parametrize("first", ["write", "read"])
def test_history_that_was_read_before_an_edit_does_not_come_after_it(
    tmp_path: Path, first: str
) -> None:
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
    keeper.tell(first)  # history that is told first waits in the line behind the edit
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


def test_who_is_far_behind_makes_changes_when_it_has_caught_up() -> None:
    house = House(keeper=Later)
    ann, bob = house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("red", "bob"))
    house.settle()
    (welcome,) = [frame for frame in ann.heard() if frame["type"] == "welcome"]
    ann.say(Chat("one"))
    house.settle()
    ann.lose("reset")
    house.settle()
    ann = back(house, welcome["session"], 0)
    for number in range(50):
        ann.put(Edit(1, f"text {number}", id=f"e{number}"))
    house.loop.run()
    (cursor,) = house.hub.feeds["red"].behind.values()
    assert cursor.until > cursor.seen, "it is far behind"
    house.loop.run()
    assert not cursor.answers, "nothing is kept for who does not read"
    house.settle()
    told = [frame["id"] for frame in events(ann) if "id" in frame]
    assert told == [f"e{number}" for number in range(50)]


def test_deleted_words_are_gone_for_who_has_not_had_them_yet() -> None:
    house = House(tail_events=100)
    ann, bob = house.reader(), house.reader()
    ann.put(Join("red", "ann"))
    bob.put(Join("red", "bob"))
    house.settle()
    bob.heard()
    bob.room = 0
    ann.say(Chat("fill"))  # what bob's socket has taken cannot be taken back
    ann.say(Chat("secret one"))
    ann.say(Edit(2, "secret two"))
    ann.say(Delete(2))
    house.settle()
    bob.drain(1 << 40)
    heard = events(bob)
    assert [frame["seq"] for frame in heard] == [1, 2, 3, 4]
    assert "secret" not in str(heard)
    assert heard[2]["type"] == "edited"
    assert heard[2]["deleted"] is True


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_moderators_deletion_does_not_use_up_the_moderators_own_ids(
    kind: str, tmp_path: Path
) -> None:
    store = KINDS[kind](tmp_path)
    keep(store, say("rude", "i1", BOB))
    theirs = delete(1)
    theirs.moderator = True
    keep(store, theirs)
    assert keep(store, say("my own", "i1")) == [3], "an id is the author's"
    (again,) = store.append([say("rude", "i1", BOB)], 9)
    assert not stored(again).fresh
    store.close()


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
