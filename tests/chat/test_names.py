"""Which names are let in, and which two are the same."""

import contextlib
import re
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubbub.chat import likeness, names
from hubbub.chat.confusables import GROUPS

LOOK: dict[str, str] = {
    char: prototype
    for prototype, _tab, chars in (line.partition("\t") for line in GROUPS[:-1].split("\n"))
    for char in chars
}
"""The whole table: each character and what it looks like."""

NAMES = st.text(
    st.one_of(st.characters(), st.sampled_from(sorted(LOOK)), st.characters(codec="ascii")),
    max_size=12,
)
"""Text that is rich in what the table has."""


def same(one: str, other: str) -> bool:
    return not set(likeness.keys(one)).isdisjoint(likeness.keys(other))


def pairs() -> Iterator[tuple[str, ...]]:
    """One name, the other, and "=" or "!" between them; \\u0000 stands for a character, too."""
    for line in (Path(__file__).parent / "lookalikes.txt").read_text().splitlines():
        if line and not line.startswith("# "):
            plain = line.encode("latin-1", "backslashreplace").decode("unicode-escape")
            found = re.fullmatch("(.*) ([=!]) (.*)", plain)
            assert found, line
            yield found.groups()


def let_in(raw: str) -> str | None:
    """The name, or None for one that is refused."""
    with contextlib.suppress(names.BadNameError):
        return names.clean(raw, "username", 32)
    return None


@pytest.mark.parametrize(("one", "sign", "other"), list(pairs()))
def test_look_alikes_are_one_name_and_others_are_not(one: str, sign: str, other: str) -> None:
    assert same(one, other) == (sign == "="), (likeness.keys(one), likeness.keys(other))


@given(NAMES)
@example("𝐀")
@example("a\u0301\u034f\u0323")
@example("\u1fbe\u0345")
@example("\u0130\u0307")
def test_a_key_is_its_own_only_key(name: str) -> None:
    for key in likeness.keys(name):
        assert likeness.keys(key) == (key,)


@given(NAMES)
@example("\u0390\u0345\u0301")
def test_a_name_is_the_same_in_each_of_its_forms(raw: str) -> None:
    name = unicodedata.normalize("NFC", raw)
    for form in (raw, *(unicodedata.normalize(form, name) for form in ("NFD", "NFKC", "NFKD"))):
        assert same(name, form)
    for case in (name.casefold(), name.lower(), name.upper(), name.swapcase()):
        assert same(name, case)


@given(NAMES, NAMES)
def test_a_name_is_the_same_as_all_of_its_skeleton(before: str, after: str) -> None:
    name = unicodedata.normalize("NFD", before + after)
    assert same(name, "".join(LOOK.get(char, char) for char in name))


def test_each_entry_of_the_table_holds_within_a_name() -> None:
    assert len(LOOK) > 6000
    for char, prototype in LOOK.items():
        assert same(f"x{char}y", f"x{prototype}y"), f"U+{ord(char):04X}"


@given(st.text(st.characters(codec="ascii")))
@example("".join(map(chr, range(128))))
def test_a_name_of_ascii_has_the_one_key_that_the_whole_table_gives(name: str) -> None:
    # What draws nothing forces the long way.
    assert likeness.keys(name) == likeness.keys(f"{name}\u200c")


@given(NAMES)
@example("\u0344")
def test_a_name_that_is_let_in_is_clean_already(raw: str) -> None:
    name = let_in(raw)
    if name is not None:
        assert let_in(name) == name
        assert name == name.strip() == names.tidy(raw)
        assert unicodedata.is_normalized("NFC", name)
        assert 1 <= len(name) <= 32
        assert any(likeness.keys(name)), "something of it is seen"
        assert unicodedata.category(name[0])[0] in "LNPS" or unicodedata.category(name[0]) == "Cn"


@given(st.text("aي\u0301\u094dक❤👩🏽\u200d\u200c\ufe0f \U000e0101葛\u180bᠮ", max_size=8))
def test_two_names_never_differ_only_in_what_cannot_be_seen(raw: str) -> None:
    name = let_in(raw)
    if name is not None:
        hidden = dict.fromkeys(map(ord, "\u200d\u200c\ufe0f\U000e0101\u180b"))
        assert same(name, name.translate(hidden))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Zoë",
            "Nguyễn Thị Ánh",
            "Iğdır Şimşek",
            "O'Neil",
            "Jean‑Luc",
            "a b",
            "Łukasz",
            "Σωτήρης",
        ),
        *(
            "Мария",
            "Զարա",
            "ნინო",
            "שָׁלוֹם",
            "דוד",
            "محمد",
            "مُحَمَّد",
            "نیلوفر\u200cپور",
            "می\u200cخواهم",
        ),
        *("क\u094dष", "क\u094d\u200dष", "ශ\u0dca\u200dරී ලංකා", "র\u200d\u09cdযাব", "അവന\u0d4d\u200d"),
        *(
            "สุภาพร์",
            "မြွှေ",
            "လျှို့",
            "རྒྱུ",
            "ᠮᠣᠩᠭᠣᠯ",
            "ᠮ\u180bᠣ",
            "김철수",
            "山田",
            "渡邉\U000e0101",
            "さくら",
        ),
        *(
            "👩\u200d👩\u200d👧\u200d👦",
            "🧑🏽\u200d🚀",
            "🏳\ufe0f\u200d🌈",
            "🕵🏽\u200d♂\ufe0f",
            "❤\ufe0f",
            "👍🏽",
        ),
        *(
            "🇩🇪",
            "1\ufe0f\u20e3",
            "#\ufe0f\u20e3",
            "🙂\u200d↔\ufe0f",
            "ℹ\ufe0f",
            "\U0001fac6\u200d\U0001faea",
        ),
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
)
def test_names_are_let_in_as_their_people_write_them(name: str) -> None:
    assert names.clean(f" {name} ", "username", 32) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "a\nb",
            "a\x00",
            "a\x7fb",
            "é\x85b",
            "a\u2028b",
            "a\u2029b",
            "\ud800",
            "\ue000",
            "\U0010ffff",
        ),
        *("a\u061cb", "a\u200eb", "\u202ea", "a\u202cb", "a\u2066b", "a\u2069"),
        *(
            "a\u200b",
            "a\ufeffb",
            "a\u2060b",
            "a\xadb",
            "a\u2061b",
            "a\u2064b",
            "a\ufff9b",
            "\u180e",
        ),
        *("\u3164", "\uffa0", "\u115fa", "\u2800", "a\u034fb", "\u17b4", "\ufffc", "\u0378"),
        *("\ufe0f", "é\ufe0f", "1\ufe0f", "a\ufe00", "\ufe0f❤", "1\U000e0101", "a\u180b"),
        *(
            "\u200dab",
            "ab\u200c",
            "a\u200db",
            "й\u200cй",
            "é\u200cم",
            "م\u200c",
            "م\u200c\u200cم",
            "م\u200c م",
            "م\u200c\u0651م",
        ),
        *("👩\u200d", "\u200d👩", "👩\u200d\u200d👩", "👩\u200da", "\u200d\u094d"),
        *(
            "a\U000e0061",
            "\U000e0001a",
            "🏴\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0073",
        ),
    ],
)
def test_what_cannot_be_seen_is_not_let_in(name: str) -> None:
    with pytest.raises(names.BadNameError, match=r"username holds U\+") as refused:
        names.clean(name, "username", 32)
    assert refused.value.code == "bad_name"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *(
            (name, "nothing to stand on")
            for name in ("\u0301", "\u0903a", "a \u0301", "क\u094d\u200c\u0902")
        ),
        ("a\u0316\u0317\u0318\u0319", ""),
        ("a\u0316\u0317\u0318\u0319\u031c", "more than 4 marks"),
        ("\u1ea5\u0316\u0317\u0318", "more than 4 marks"),
        ("b\u0316\u0316", "twice"),
        ("ạ\u0323", "twice"),
    ],
)
def test_marks_stand_on_something_and_do_not_pile_up(name: str, told: str) -> None:
    if not told:
        assert let_in(name) == unicodedata.normalize("NFC", name)
        return
    with pytest.raises(names.BadNameError, match=told) as refused:
        names.clean(name, "username", 32)
    assert refused.value.code == "bad_name"


def test_the_limit_counts_characters_of_the_composed_name() -> None:
    assert names.clean("e\u0301" * 32, "username", 32) == "é" * 32
    with pytest.raises(names.BadNameError) as refused:
        names.clean("é" * 33, "username", 32)
    assert refused.value.code == "too_long"


def test_a_long_pile_of_marks_costs_nobody_time() -> None:
    pile = "a" + "\u0301\u0327" * 16_000  # within --max-frame; to compose it took a second
    began = time.process_time()
    assert names.tidy(pile) == pile
    for limit in (32, 100_000):
        with pytest.raises(names.BadNameError) as refused:
            names.clean(pile, "room", limit)
        assert refused.value.code == "too_long"
    assert time.process_time() - began < 0.1
