"""What a token grants: which room's pattern speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat.grants import Grant, Right

ROOMS: dict[str, Right] = {"general": "rw", "news": "r", "team-*": "rw", "team-x*": "r", "x*": "r"}


@pytest.mark.parametrize(
    ("room", "right"),
    [
        ("general", "rw"),
        ("news", "r"),
        ("team-1", "rw"),
        ("team-", "rw"),
        ("team-x1", "r"),
        ("team", ""),
        ("general2", ""),
        ("General", ""),
        ("team-*", "rw"),
        ("", ""),
    ],
)
def test_a_rooms_own_name_speaks_and_else_the_longest_pattern(room: str, right: str) -> None:
    grant = Grant("ann", rooms=ROOMS)
    assert grant.reads(room) is bool(right)
    assert grant.writes(room) is (right == "rw")


def test_a_token_that_names_no_rooms_is_for_all_and_one_that_names_none_for_none() -> None:
    assert Grant("ann").reads("any")
    assert Grant("ann").writes("any")
    nothing = Grant("ann", rooms={})
    assert not nothing.reads("any")
    assert not nothing.writes("any")


def test_a_moderator_is_one_of_all_rooms_or_of_those_named() -> None:
    assert Grant("ann", mod=True).moderates("any")
    assert not Grant("ann").moderates("any")
    some = Grant("ann", mod=("news", "team-*"))
    assert [room for room in ("news", "team-1", "general") if some.moderates(room)] == [
        "news",
        "team-1",
    ]


@given(st.dictionaries(st.text("ab*", max_size=4), st.sampled_from(["r", "rw"])), st.text("ab"))
def test_who_may_write_may_read(rooms: dict[str, Right], room: str) -> None:
    grant = Grant("ann", rooms=rooms)
    assert grant.reads(room) or not grant.writes(room)
