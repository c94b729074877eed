"""What every store promises, held by each of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hubbub.protocol.audit import AUDIT, Audit
from hubbub.protocol.draft import Authored, Draft
from hubbub.protocol.outgoing import Moderated
from hubbub.store.base import PAGE_SIZE, Outcome, Store, Stored
from tests.store.kinds import ANN, BOB, KINDS, delete, edit, in_redis, keep, refused, say, stored


@pytest.fixture(params=[*KINDS, "redis", "cluster"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    made: list[Store] = []
    kind = KINDS.get(request.param) or in_redis(request.getfixturevalue(request.param))

    def make(**settings: Any) -> Store:
        made.append(kind(tmp_path, **settings))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(new: Callable[..., Store]) -> Store:
    return new()


def texts(payloads: list[bytes]) -> list[str]:
    return [json.loads(payload)["text"] for payload in payloads]


def test_each_log_is_numbered_from_one_without_a_hole(store: Store) -> None:
    assert keep(store, say("a"), say("b", log="blue"), say("c")) == [1, 1, 2]
    assert keep(store, say("d")) == [3]
    assert store.open("red", 0).seq == 3
    assert store.open("green", 0).seq == 0


def test_an_event_is_the_json_that_everyone_gets(store: Store) -> None:
    (plain,) = store.append([say('line\nfeed "quoted" é 👍 \u2028')], 5)
    assert json.loads(stored(plain).payload) == {
        "type": "chat",
        "room": "red",
        "username": "ann",
        "text": 'line\nfeed "quoted" é 👍 \u2028',
        "ts": 5,
        "seq": 1,
    }
    (with_id,) = store.append([say("b", "i1")], 6)
    assert json.loads(stored(with_id).payload)["id"] == "i1"
    assert store.after("red", 0, 10).events == [stored(plain).payload, stored(with_id).payload]


def test_time_never_goes_back_within_a_log(store: Store) -> None:
    keep(store, say("a"), ts=1000)
    (second,) = store.append([say("b")], 900)
    assert json.loads(stored(second).payload)["ts"] == 1000


def test_many_events_in_one_batch_are_all_kept_in_order(store: Store) -> None:
    keep(store, *(say(str(number), f"i{number}") for number in range(517)))
    page = store.after("red", 0, 1000)
    assert page.first == 1
    assert texts(page.events) == [str(number) for number in range(517)]


def test_an_id_is_kept_once_for_each_author(store: Store) -> None:
    first, again, other, changed = store.append(
        [say("a", "1"), say("a", "1"), say("a", "1", BOB), say("b", "1")], 1
    )
    assert stored(again).seq == 1
    assert not stored(again).fresh
    assert stored(again).payload == stored(first).payload
    assert (stored(other).seq, stored(other).fresh) == (2, True)
    assert refused(changed) == "id_reused"
    (later,) = store.append([say("a", "1")], 99)
    assert (stored(later).seq, stored(later).fresh) == (1, False)
    assert stored(later).payload == stored(first).payload
    assert store.open("red", 0).seq == 2


def test_an_id_belongs_to_one_log(store: Store) -> None:
    assert keep(store, say("a", "1"), say("b", "1", log="blue")) == [1, 1]


def test_pages_begin_where_they_are_asked_to(store: Store) -> None:
    keep(store, *(say(str(number)) for number in range(1, 11)))
    page = store.after("red", 3, 4)
    assert page.first == 4
    assert texts(page.events) == ["4", "5", "6", "7"]
    empty = store.after("red", 10, 4)
    assert (empty.first, empty.events) == (11, [])


def test_older_chats_are_read_backwards(store: Store) -> None:
    keep(store, *(say(str(number)) for number in range(1, 6)))
    payloads, more = store.before("red", 5, 2)
    assert (texts(payloads), more) == (["3", "4"], True)
    payloads, more = store.before("red", 3, 2)
    assert (texts(payloads), more) == (["1", "2"], False)
    assert store.before("red", 1, 2) == ([], False)
    payloads, more = store.before("red", 99, 50)
    assert (texts(payloads), more) == (["1", "2", "3", "4", "5"], False)


def test_an_opened_log_comes_with_its_last_chats(store: Store) -> None:
    keep(store, *(say(str(number)) for number in range(1, 6)), edit(2, "two"))
    opened = store.open("red", 2)
    assert opened.seq == 6
    assert [seq for seq, _ in opened.history] == [4, 5]
    assert texts([payload for _, payload in opened.history]) == ["4", "5"]
    assert store.open("red", 2).epoch == opened.epoch
    assert store.open("red", 0).history == []


def test_an_edit_is_an_event_and_changes_the_message_too(store: Store) -> None:
    keep(store, say("hello"), ts=1)
    (outcome,) = store.append([edit(1, "hallo")], 7)
    event, now = stored(outcome), json.loads(stored(outcome).changed or b"")
    assert json.loads(event.payload) == {
        "type": "edited",
        "room": "red",
        "seq": 2,
        "target": 1,
        "username": "ann",
        "text": "hallo",
        "ts": 7,
    }
    assert (now["seq"], now["text"], now["ts"], now["edited"]) == (1, "hallo", 1, 7)
    assert store.after("red", 0, 9).events == [event.changed, event.payload]
    assert store.before("red", 9, 9) == ([event.changed], False)


def test_a_deleted_message_keeps_its_place_and_loses_its_words(store: Store) -> None:
    keep(store, say("secret one", "i1"), edit(1, "secret two"), say("other"))
    (outcome,) = store.append([delete(1)], 7)
    assert json.loads(stored(outcome).payload) == {
        "type": "deleted",
        "room": "red",
        "seq": 4,
        "target": 1,
        "username": "ann",
        "ts": 7,
    }
    kept = [json.loads(event) for event in store.after("red", 0, 9).events]
    assert [event["seq"] for event in kept] == [1, 2, 3, 4]
    assert (kept[0]["text"], kept[0]["deleted"]) == ("", True)
    assert "edited" not in kept[0]
    assert (kept[1]["type"], kept[1]["text"], kept[1]["deleted"]) == ("edited", "", True)
    assert not any(b"secret" in event for event in store.after("red", 0, 9).events)


def test_only_the_author_may_change_a_message_and_only_one_that_is_there(store: Store) -> None:
    keep(store, say("mine"), edit(1, "still mine"), say("gone"), delete(3))
    outcomes = store.append(
        [
            edit(1, "yours", author=BOB),
            delete(1, author=BOB),
            edit(99, "none there"),
            edit(2, "an edit is no message"),
            edit(3, "back"),
            delete(3),
            edit(1, "in another room", log="blue"),
        ],
        1,
    )
    assert [refused(outcome) for outcome in outcomes] == ["forbidden"] * 2 + ["not_found"] * 5
    assert store.open("red", 0).seq == 4, "nothing was kept of all this"


def test_a_message_can_be_changed_in_the_batch_that_brought_it(store: Store) -> None:
    assert keep(store, say("a"), edit(1, "b"), edit(1, "c"), delete(1)) == [1, 2, 3, 4]
    assert [json.loads(event)["text"] for event in store.after("red", 0, 3).events] == [""] * 3


def test_a_change_that_is_sent_again_is_made_once(store: Store) -> None:
    keep(store, say("a"))
    for draft in (edit(1, "b", "e1"), delete(1, "d1")):
        first, again = store.append([draft, draft], 1)
        assert stored(first).fresh
        assert not stored(again).fresh
        assert stored(again).seq == stored(first).seq
        assert stored(again).answer == stored(first).answer
        assert json.loads(stored(first).answer or b"")["id"] == draft.id
        assert b'"id"' not in stored(first).payload, "only its author gets the id"
    assert refused(store.append([say("x", "e1")], 1)[0]) == "id_reused"
    assert refused(store.append([delete(1, "e1")], 1)[0]) == "id_reused"


def test_who_sends_a_deleted_message_again_hears_that_it_is_deleted(store: Store) -> None:
    keep(store, say("secret", "i1"), delete(1))
    (again,) = store.append([say("secret", "i1")], 1)
    assert (stored(again).seq, stored(again).fresh) == (1, False)
    assert json.loads(stored(again).payload)["deleted"] is True


def test_an_edited_message_that_is_sent_again_is_known_by_its_first_text(store: Store) -> None:
    keep(store, say("first", "i1"), edit(1, "second"))
    (again,) = store.append([say("first", "i1")], 1)
    assert (stored(again).seq, stored(again).fresh) == (1, False)
    assert json.loads(stored(again).payload)["text"] == "second"


def test_a_log_that_rested_is_the_same_log(store: Store) -> None:
    keep(store, say("a", "i1"))
    epoch = store.open("red", 0).epoch
    store.rest("red", 0.0)
    opened = store.open("red", 5)
    assert (opened.seq, opened.epoch, len(opened.history)) == (1, epoch, 1)
    assert not stored(store.append([say("a", "i1")], 1)[0]).fresh
    assert keep(store, say("b")) == [2]
    assert store.first("red") == 1


def test_a_store_that_works_says_so(store: Store) -> None:
    store.check()
    assert store.tidy(1.0) is False


def act(id: str | None = None, what: str = "slow", author: bytes = ANN) -> Draft:
    """A record of a moderator's act."""
    event = Audit(0, 0, "slow", "red", "ann", seconds=5.0)
    return Draft(AUDIT, author, "ann", what, id, 0, event=event)


def test_a_record_is_kept_as_it_is_with_its_number_and_time(store: Store) -> None:
    moderated = Moderated("red", 0, "slow", "ann", 0, seconds=5.0)
    kept = store.append(
        [say("a"), act(), Draft("red", ANN, "ann", "", None, 0, event=moderated)], 7
    )
    assert [stored(one).seq for one in kept] == [1, 1, 2]
    record, event = (json.loads(stored(one).payload) for one in kept[1:])
    assert (record["type"], record["seq"], record["ts"]) == ("audit", 1, 7)
    assert (event["type"], event["seq"], event["ts"]) == ("moderated", 2, 7)
    assert [json.loads(one)["type"] for one in store.after("red", 0, 9).events] == [
        "chat",
        "moderated",
    ]
    payloads, more = store.before("red", 9, 9)
    assert (texts(payloads), more) == (["a"], False), "it is no message"
    assert store.author("red", 2) is None
    assert refused(store.append([edit(2, "words")], 8)[0]) == "not_found"
    assert refused(store.append([delete(1, author=BOB)], 8)[0]) == "forbidden"
    assert keep(store, delete(1)) == [3], "what is no change is passed over"


def test_a_record_that_is_asked_for_again_is_kept_once(store: Store) -> None:
    first, again, other, reused = store.append(
        [act("1"), act("1"), act("1", author=BOB), act("1", "ban")], 1
    )
    assert (stored(again).seq, stored(again).fresh) == (stored(first).seq, False)
    assert (stored(other).seq, stored(other).fresh) == (2, True)
    assert refused(reused) == "id_reused"


def test_what_follows_is_kept_only_with_what_it_follows(store: Store) -> None:
    def follower(text: str) -> Draft:
        draft = say(text)
        draft.follows = True
        return draft

    batch = [act("1"), follower("a"), follower("b"), act("1"), follower("c"), act("1", "ban")]
    batch += [follower("d"), say("e"), follower("f"), delete(99), follower("g")]
    outcomes: list[Outcome] = []
    while len(outcomes) < len(batch):
        outcomes += store.append(batch[len(outcomes) :], 1)
    kept = [isinstance(one, Stored) and one.fresh for one in outcomes]
    assert kept == [True] * 3 + [False] * 4 + [True] * 2 + [False] * 2
    assert texts(store.after("red", 0, 99).events) == ["a", "b", "e", "f"]


def test_a_moderator_deletes_what_others_said_and_its_author_is_known(store: Store) -> None:
    keep(store, say("mine"), say("his", author=BOB), edit(2, "his still", author=BOB))
    assert store.author("red", 2) == Authored(BOB, "bob", False)
    assert store.author("red", 3) is None, "an edit is no message"
    assert store.author("red", 99) is None
    assert store.author("red", 0) is None
    theirs = delete(2)
    theirs.moderator = True
    (outcome,) = store.append([theirs], 9)
    assert json.loads(stored(outcome).payload)["username"] == "ann"
    assert json.loads(stored(outcome).changed or b"")["username"] == "bob"
    assert store.author("red", 2) == Authored(BOB, "bob", True)


def test_what_a_moderator_deleted_is_forgotten_by_its_authors_id(store: Store) -> None:
    keep(store, say("his", "1", BOB))
    theirs = delete(1, "2")
    theirs.moderator = True
    keep(store, theirs)
    # Sent again it is deleted, and nothing is left of its first words to tell others from them.
    for text in ("his", "no words of his"):
        (again,) = store.append([say(text, "1", BOB)], 9)
        assert (stored(again).seq, stored(again).fresh) == (1, False)
    # The moderator's ids are the moderator's own.
    (mine,) = store.append([say("mine", "1")], 9)
    assert (stored(mine).seq, stored(mine).fresh) == (3, True)
    assert refused(store.append([say("other words", "1")], 9)[0]) == "id_reused"


def test_the_messages_of_one_author_are_found_newest_first(store: Store) -> None:
    for number in range(6):
        keep(store, say(f"a{number}"), say(f"b{number}", author=BOB))
    keep(store, edit(1, "changed"), delete(5))
    assert store.writings("red", ANN, 100) == [11, 9, 7, 3, 1]
    assert store.writings("red", ANN, 2) == [11, 9]
    assert store.writings("red", b"nobody", 9) == []


def test_a_guest_and_a_display_name_are_kept_with_the_message(store: Store) -> None:
    draft = say("hello")
    draft.name, draft.guest = "Ann Ünal", True
    (outcome,) = store.append([draft], 1)
    now = json.loads(stored(outcome).payload)
    assert (now["name"], now["guest"]) == ("Ann Ünal", True)
    (changed,) = store.append([edit(1, "again")], 2)
    then = json.loads(stored(changed).changed or b"")
    assert (then["name"], then["guest"], then["text"]) == ("Ann Ünal", True, "again")


def test_a_page_is_bounded_by_its_size_too(new: Callable[..., Store]) -> None:
    store = new(tail_bytes=10_000_000)
    keep(store, say("small"), *(say("x" * 50_000) for _ in range(6)), say("y" * 200_000), say("z"))
    seen, sizes = 0, []
    while seen < 9:
        page = store.after("red", seen, 500)
        assert page.first == seen + 1
        seen += len(page.events)
        sizes.append(sum(map(len, page.events)))
    assert sorted(sizes)[-2] <= PAGE_SIZE, "one event alone may be larger"
    assert len(sizes) == 5
