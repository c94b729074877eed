"""A claim that is there is right, or the token is refused with its name."""

from typing import Any

import msgspec
import pytest

from hubbub.access.claims import TokenError, read
from hubbub.chat.grants import Grant


def grant(**claims: Any) -> Grant:
    return read(msgspec.json.encode({"sub": "ann", **claims}), 0.0, None, None)


@pytest.mark.parametrize(
    "sub", ["ann", "a", "x" * 128, "Зоя", "auth0|5f7c", "a b", "ann@a.example"]
)
def test_a_decent_username_is_taken_as_it_is(sub: str) -> None:
    assert grant(sub=sub).sub == sub


@pytest.mark.parametrize(
    "sub",
    [
        *("", " ", " ann", "ann ", "x" * 129, "a\nb", "a\u200bb", "\u202eann", "e\u0301", "\u3164"),
        *(None, 7, True, ["ann"], {}),
    ],
)
def test_a_username_that_is_not_its_own_clean_form_is_refused(sub: object) -> None:
    # Cleaning it would make one user of two: "ann" and "ann ".
    with pytest.raises(TokenError, match="sub"):
        grant(sub=sub)


def test_a_token_without_a_sub_is_nobodys() -> None:
    with pytest.raises(TokenError, match="sub"):
        read(b"{}", 0.0, None, None)


def test_a_display_name_is_cleaned() -> None:
    assert grant(name="  Ann\u0065\u0301 ").name == "Ann\u00e9"
    for name in ("", "a\x00", "x" * 129, None, 7):
        with pytest.raises(TokenError, match="name"):
            grant(name=name)


@pytest.mark.parametrize(
    "rooms",
    [
        {},
        {"general": "rw"},
        {"*": "r"},
        {"team-*": "rw", "team-x": "r"},
        {"a *": "r"},
        {"Зал": "r"},
    ],
)
def test_rooms_are_granted_as_they_are_written(rooms: dict[str, Any]) -> None:
    assert grant(rooms=rooms).rooms == rooms


@pytest.mark.parametrize(
    ("rooms", "told"),
    [
        (None, "rooms must be an object"),
        ([], "rooms must be an object"),
        ("general", "rooms must be an object"),
        ({"general": "w"}, "'general' something else"),
        ({"general": "RW"}, "'general' something else"),
        ({"general": None}, "'general' something else"),
        ({"general": ["rw"]}, "'general' something else"),
        ({"": "rw"}, "without a name"),
        ({" general": "rw"}, "no room can be called"),
        ({"e\u0301": "rw"}, "no room can be called"),
        ({"a*b": "rw"}, "only at the end"),
        ({"**": "rw"}, "only at the end"),
        ({"a\u200b": "rw"}, "cannot be seen"),
        ({"x" * 300: "rw"}, "characters"),
    ],
)
def test_anything_else_in_rooms_is_a_refusal_that_says_what(rooms: object, told: str) -> None:
    with pytest.raises(TokenError, match=told) as problem:
        grant(rooms=rooms)
    assert len(str(problem.value)) < 200


def test_a_moderator_is_one_everywhere_or_in_the_rooms_named() -> None:
    assert grant().mod is False
    assert grant(mod=False).mod is False
    assert grant(mod=True).mod is True
    assert grant(mod=["general", "team-*"]).mod == ("general", "team-*")
    assert not grant(mod=[]).moderates("general")
    wrong: tuple[object, ...] = (None, 1, "true", "general", {}, [7], ["a*b"], [""], [["x"]])
    for mod in wrong:
        with pytest.raises(TokenError, match="mod"):
            grant(mod=mod)


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 10**5, b'{"a":1e999}']
)
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(TokenError, match="JSON object"):
        read(payload, 0.0, None, None)
