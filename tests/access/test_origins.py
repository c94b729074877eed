"""A web page of a foreign host does not get in; a program without an origin does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.access.origins import Origins

SAME = Origins(["same"])
LISTED = Origins(["https://a.example", "https://*.b.example", "http://c.example:8080", "app://x"])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://chat.example", "chat.example"),
        ("https://chat.example", "chat.example"),
        ("https://chat.example", "chat.example:443"),
        ("https://chat.example:443", "chat.example"),
        ("http://CHAT.example:3000", "chat.EXAMPLE:3000"),
        ("http://[::1]:3000", "[::1]:3000"),
        ("http://[::1]", "[::1]:80"),
    ],
)
def test_a_page_of_the_same_host_gets_in(origin: str, host: str) -> None:
    assert SAME.allow([origin], host)
    assert Origins(["https://a.example", "same"]).allow([origin], host)
    assert not LISTED.allow([origin], host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "chat.example"),
        ("https://chat.example.evil", "chat.example"),
        ("https://chat.example:444", "chat.example"),
        ("http://chat.example", "chat.example:443"),
        ("https://chat.example/", "chat.example"),
        ("https://x@chat.example", "chat.example"),
        ("file://chat.example", "chat.example"),
        ("null", "chat.example"),
        ("null", "null"),
        ("same", "same"),
        ("", ""),
        ("http://", ""),
        ("chat.example", "chat.example"),
        ("https://evil.example", ""),
        ("https://a.example,https://chat.example", "chat.example"),
    ],
)
def test_a_foreign_page_does_not(origin: str, host: str) -> None:
    assert not SAME.allow([origin], host)


def test_of_two_origins_none_is_believed() -> None:
    assert not SAME.allow(["http://x", "http://x"], "x")


@pytest.mark.parametrize(
    ("origin", "fits"),
    [
        ("https://a.example", True),
        ("https://A.example:443", True),
        ("http://a.example", False),
        ("https://x.a.example", False),
        ("https://x.b.example", True),
        ("https://x.y.b.example:443", True),
        ("https://b.example", False),
        ("https://.b.example", False),
        ("https://xb.example", False),
        ("https://evil.example/.b.example", False),
        ("https://evil.example#.b.example", False),
        ("https://*.b.example", False),
        ("http://c.example:8080", True),
        ("http://c.example", False),
        ("app://x", True),
        ("null", False),
    ],
)
def test_listed_origins_get_in_and_no_others(origin: str, fits: bool) -> None:
    assert LISTED.allow([origin], "chat.example") == fits


def test_a_star_lets_every_page_in() -> None:
    assert Origins(["*"]).allow(["https://evil.example"], "chat.example")
    assert Origins(["*"]).allow(["null"], "chat.example")


@given(st.text(max_size=30), st.text(max_size=20))
def test_a_page_without_origin_gets_in_and_no_other_text_is_taken_for_the_host(
    origin: str, host: str
) -> None:
    assert SAME.allow([], host)
    if SAME.allow([origin], host):
        assert host
        assert origin.lower().startswith(("http://", "https://"))
