"""Replies and reactions, held by every store to the same bytes."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubbub.protocol.draft import Draft, Reaction
from hubbub.store.base import Outcome, Refused, Store, Stored, Unchanged
from hubbub.store.database import connect, connect_reader
from hubbub.store.exporting import Snapshot, Sound
from hubbub.store.importing import SqliteImport
from tests.redis import RedisServer
from tests.store.kinds import (
    ANN,
    BOB,
    KINDS,
    delete,
    edit,
    in_redis,
    keep,
    refused,
    say,
    sqlite,
    stored,
)

THUMB, HEART = "\N{THUMBS UP SIGN}", "\N{HEAVY BLACK HEART}\ufe0f"


@pytest.fixture(params=[*KINDS, "redis", "cluster"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    kind = KINDS.get(request.param) or in_redis(request.getfixturevalue(request.param))
    made = kind(tmp_path)
    yield made
    made.close()


def reply(target: int, text: str, id: str | None = None, author: bytes = ANN) -> Draft:
    draft = say(text, id, author)
    draft.reply_to = target
    return draft


def react(
    target: int,
    emoji: str = THUMB,
    on: bool = True,
    author: bytes = ANN,
    name: str | None = None,
    id: str | None = None,
    most: int = 50,
) -> Draft:
    called = name or ("ann" if author == ANN else "bob")
    return Draft("red", author, called, "", id, target, reaction=Reaction(emoji, on, most))


def chat(store: Store, seq: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.after("red", seq - 1, 1).events[0])
    return found


def test_a_reply_quotes_its_message_as_it_was(store: Store) -> None:
    words = 'a "quote" \\ \n \x01 é \u2028 👍 ' + "😀" * 200
    keep(store, say(words, author=BOB))
    (outcome,) = store.append([reply(1, "yes", "r1")], 5)
    quote = json.loads(stored(outcome).payload)["reply"]
    assert quote == {"seq": 1, "username": "bob", "text": words[:120]}
    keep(store, edit(1, "other words", author=BOB))
    assert chat(store, 2)["reply"] == quote
    assert stored(outcome).payload == store.after("red", 1, 1).events[0]
    (again,) = store.append([reply(1, "yes", "r1")], 9)
    assert (stored(again).fresh, stored(again).payload) == (False, stored(outcome).payload)


def test_only_what_is_there_can_be_answered(store: Store) -> None:
    keep(store, say("a"), say("b"), delete(2), edit(1, "c"))
    outcomes = store.append([reply(seq, "no") for seq in (2, 3, 4, 5, 99)], 1)
    assert [refused(one) for one in outcomes] == ["not_found"] * 5
    assert "deleted" in str(outcomes[0])
    assert keep(store, reply(1, "in one"), reply(5, "batch")) == [5, 6]


def test_deleted_words_are_gone_from_what_quotes_them(store: Store) -> None:
    keep(store, say("secret", author=BOB), reply(1, "really?"), reply(2, "yes"), reply(1, "oh"))
    keep(store, react(2))
    (outcome,) = store.append([delete(1, author=BOB)], 7)
    assert [seq for seq, _ in stored(outcome).emptied] == [2, 4]
    assert not any(b"secret" in event for event in store.after("red", 0, 99).events)
    assert chat(store, 2)["reply"] == {"seq": 1, "username": "bob", "text": "", "deleted": True}
    assert chat(store, 2)["reactions"] == {THUMB: {"count": 1, "users": ["ann"]}}
    assert dict(stored(outcome).emptied)[2] == store.after("red", 1, 1).events[0]
    keep(store, edit(2, "a reply whose message is gone can be changed"))
    keep(store, react(2, author=BOB), reply(2, "and answered"), delete(2))
    assert "reactions" not in chat(store, 2)
    assert refused(store.append([reply(2, "no more")], 1)[0]) == "not_found"


def test_a_thread_is_a_message_and_what_answers_it(store: Store) -> None:
    keep(
        store, say("root"), reply(1, "a"), say("else"), reply(1, "b"), reply(2, "c"), reply(1, "d")
    )
    events = store.after("red", 0, 99).events
    assert store.thread("red", 1, 99, 9) == ([events[0], events[1], events[3], events[5]], False)
    assert store.thread("red", 1, 6, 1) == ([events[0], events[3]], True)
    assert store.thread("red", 1, 4, 1) == ([events[0], events[1]], False)
    assert store.thread("red", 3, 99, 9) == ([events[2]], False)
    assert store.thread("red", 99, 99, 9) is None
    keep(store, edit(1, "roots"))
    assert store.thread("red", 7, 99, 9) is None, "an edit is no message"


def test_a_reaction_is_an_event_and_stands_with_the_message(store: Store) -> None:
    keep(store, say("hello"))
    first, second = store.append([react(1), react(1, author=BOB, id="x")], 7)
    assert json.loads(stored(second).payload) == {
        "type": "reacted",
        "room": "red",
        "seq": 3,
        "target": 1,
        "username": "bob",
        "emoji": THUMB,
        "on": True,
        "ts": 7,
        "count": 2,
        "users": ["ann", "bob"],
    }
    assert json.loads(stored(second).answer or b"")["id"] == "x"
    assert stored(first).answer is None
    assert chat(store, 1)["reactions"] == {THUMB: {"count": 2, "users": ["ann", "bob"]}}
    keep(store, react(1, HEART), react(1, on=False, name="ann, later"))
    now = store.after("red", 0, 1).events[0]
    assert json.loads(now)["reactions"] == {
        THUMB: {"count": 1, "users": ["bob"]},
        HEART: {"count": 1, "users": ["ann"]},
    }
    assert store.before("red", 9, 9) == ([now], False)
    keep(store, react(1, on=False, author=BOB), react(1, HEART, on=False))
    assert "reactions" not in chat(store, 1)


def test_saying_it_twice_changes_nothing_and_tells_what_is(store: Store) -> None:
    keep(store, say("hello"), react(1))
    again, none = store.append([react(1, id="a"), react(1, HEART, on=False)], 1)
    stand = {THUMB: {"count": 1, "users": ["ann"]}}
    assert isinstance(again, Unchanged)
    assert isinstance(none, Unchanged)
    told = {"type": "reactions", "room": "red", "target": 1, "reactions": stand}
    assert json.loads(none.answer) == told
    assert json.loads(again.answer) == {**told, "id": "a"}
    assert store.open("red", 0).seq == 2


def test_a_reaction_that_is_sent_again_is_known(store: Store) -> None:
    keep(store, say("hello"), react(1, id="a"), react(1, on=False))
    (again,) = store.append([react(1, id="a")], 1)
    assert (stored(again).seq, stored(again).fresh) == (2, False)
    reused = store.append([react(1, HEART, id="a"), say("x", "a"), delete(1, "a")], 1)
    assert [refused(one) for one in reused] == ["id_reused"] * 3


def test_reactions_have_their_bounds(store: Store) -> None:
    keep(store, say("hello"), say("gone"), delete(2))
    for number in range(25):
        keep(store, react(1, author=bytes([number] * 16), name=f"n{number}"))
    stand = chat(store, 1)["reactions"][THUMB]
    assert (stand["count"], stand["users"]) == (25, [f"n{one}" for one in range(20)])
    keep(store, react(1, on=False, author=bytes([24] * 16), name="n24"))
    keep(store, react(1, on=False, author=bytes([3] * 16), name="n3"))
    stand = chat(store, 1)["reactions"][THUMB]
    assert (stand["count"], len(stand["users"])) == (23, 19)
    outcomes = store.append(
        [react(1, HEART, most=1), react(2), react(3), react(99), react(1, most=1)], 1
    )
    codes = [one.code for one in outcomes if isinstance(one, Refused)]
    assert codes == ["forbidden"] + ["not_found"] * 3
    assert isinstance(outcomes[-1], Stored), "another name on an emoji that is there is no new one"


def test_mentions_are_those_of_the_present_text(store: Store) -> None:
    first = say("@bob")
    first.mentions = ["bob"]
    keep(store, first, react(1), reply(1, "x"))
    changed = edit(1, "@ann @cy")
    changed.mentions = ["ann", "cy"]
    (outcome,) = store.append([changed], 1)
    assert json.loads(stored(outcome).payload)["mentions"] == ["ann", "cy"]
    assert chat(store, 1)["mentions"] == ["ann", "cy"]
    assert list(chat(store, 1))[-2:] == ["mentions", "reactions"]
    keep(store, edit(1, "nobody"))
    assert "mentions" not in chat(store, 1)
    keep(store, changed, delete(1))
    assert not any(b"mentions" in event for event in store.after("red", 0, 99).events)


TEXTS = st.sampled_from(
    ["a", 'x"]},"reactions":{', ',"deleted":true', "]}", "\\", "é😀", ',"ts":1', ',"reply":{']
)
WHO = st.sampled_from([ANN, BOB])
ON = st.integers(1, 6)
NAMES = st.none() | st.lists(TEXTS, min_size=1, max_size=2)


def mentioning(draft: Draft, names: list[str] | None) -> Draft:
    draft.mentions = names
    return draft


DRAFTS = st.one_of(
    st.builds(say, TEXTS, author=WHO),
    st.builds(mentioning, st.builds(say, TEXTS, author=WHO), NAMES),
    st.builds(mentioning, st.builds(reply, ON, TEXTS, author=WHO), NAMES),
    st.builds(mentioning, st.builds(edit, ON, TEXTS, author=WHO), NAMES),
    st.builds(delete, ON, author=WHO),
    st.builds(react, ON, st.sampled_from([THUMB, HEART]), st.booleans(), WHO, TEXTS),
    st.builds(react, ON, st.sampled_from([THUMB, HEART]), st.booleans(), WHO, TEXTS),
)


def told(outcomes: list[Outcome]) -> list[object]:
    """What became of them, in a form that can be compared."""
    return [
        (one.seq, one.payload, one.changed, one.answer, list(one.emptied))
        if isinstance(one, Stored)
        else one
        for one in outcomes
    ]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(DRAFTS, min_size=1, max_size=8), min_size=1, max_size=4))
def test_all_stores_have_the_same_bytes(
    batches: list[list[Draft]], redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kinds: list[Callable[..., Store]] = [KINDS["memory"], sqlite, in_redis(redis)]
    stores = [kind(tmp_path_factory.mktemp("same")) for kind in kinds]
    for batch in [[say("first"), say("second", author=BOB)], *batches]:
        one, *others = [told(store.append(batch, 5)) for store in stores]
        assert others == [one, one]
        page, *pages = [store.after("red", 0, 999).events for store in stores]
        assert pages == [page, page]
    for seq in range(1, 8):
        thread, *threads = [store.thread("red", seq, 99, 2) for store in stores]
        assert threads == [thread, thread]
    for store in stores:
        store.close()


def test_what_is_exported_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    old = sqlite(tmp_path)
    first = say("secret")
    first.mentions = ["bob"]
    keep(old, first, reply(1, "yes"), react(1), react(1, author=BOB), react(1, HEART))
    old.close()
    with closing(connect_reader(tmp_path / "chat.db")) as db:
        lines = b"".join(Snapshot(db, None, Sound(db)).chunks(lambda _: None)).splitlines()
    with closing(connect(tmp_path / "new" / "chat.db", "normal")) as db:
        SqliteImport(db).run(lines, lambda _: None)
    new = sqlite(tmp_path / "new")
    assert new.after("red", 0, 99) == sqlite(tmp_path).after("red", 0, 99)
    again, off, gone = new.append([react(1), react(1, on=False), delete(1)], 9)
    assert isinstance(again, Unchanged)
    assert json.loads(stored(off).payload)["users"] == ["bob"]
    assert [seq for seq, _ in stored(gone).emptied] == [2]
    new.close()
