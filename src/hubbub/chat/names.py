"""Names of people and rooms: what is let in. Which two are the same, `likeness` says.

A name is NFC, trimmed, and made of characters that one can see; RFC 8266 (nicknames) is the guide.
What cannot be seen is let in only where it does what it is for, so that a name is written as its
people write it and nothing can be hidden in it:

| | where |
|---|---|
| U+200C, no joiner | after a virama (RFC 5892, A.1), or within a word of a cursive script |
| U+200D, joiner | beside a virama (RFC 5892, A.2; before it, too, for Bengali), or between emoji |
| U+FE0E, U+FE0F: as text, as emoji | after a symbol, and in keycaps |
| U+E0100 to U+E01EF: other shapes | after a Han character, for Japanese family names |
| U+180B to U+180F: Mongolian's own | after a Mongolian letter |
| U+E0020 to U+E007F: tags | in a flag such as Scotland's (UTS #51, ED-14a) |

A.1 asks for the letters' Joining_Type, which Python does not have; that both are of a cursive
script is asked instead. What the two differ in cannot be seen, and makes no other name.
"""

import re
import unicodedata
from typing import Final

from hubbub.protocol.codes import ErrorCode

LONGEST: Final = 1024
"""Characters past which no name is let in: composing n marks on one letter takes n² steps."""
MOST_MARKS: Final = 4
"""Nonspacing marks that may stand on one letter, none twice (UTS #39, section 5.4)."""

_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U00013441\U00013442\U00016fe4\U0001d159"
)
"""Letters, marks and symbols that draw nothing, though their category says otherwise."""

_CURSIVE: Final = frozenset(
    ("ADLAM", "ARABIC", "HANIFI", "MANDAIC", "MONGOLIAN", "NKO", "PHAGS-PA", "SOGDIAN", "SYRIAC")
)
"""Scripts whose letters join, by the first word of their letters' names."""

_FLAG: Final = re.compile(
    "(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
)
_KEYCAPS: Final = frozenset("#*0123456789")
_PICTURES: Final = frozenset("\u203c\u2049\u2139\u3030")
"""What may be drawn as emoji though it is no symbol."""
_TONES: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


class BadNameError(Exception):
    """A name that is not let in: `code` for the client, `str()` for a person."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code


def clean(raw: str, what: str, limit: int) -> str:
    """The name as it will be shown.

    `what` names the field in messages; `limit` is in code points. Raises `BadNameError` with
    `empty_name`, `too_long` or `bad_name`.
    """
    name = tidy(raw)
    limit = min(limit, LONGEST)
    if not name:
        raise BadNameError("empty_name", "room and username must not be empty")
    if len(name) > limit:
        raise BadNameError(
            "too_long", f"{what} has {len(name)} characters; at most {limit} are let in"
        )
    if not (name.isascii() and name.isprintable()):
        fault = _fault(_FLAG.sub("", name))
        if fault is not None:
            raise BadNameError("bad_name", f"{what} {fault}")
    return name


def tidy(raw: str) -> str:
    """A name as `clean` would give it, without a verdict: for looking up what is there already."""
    name = raw.strip()
    if name.isascii() or len(name) > LONGEST:
        return name
    return unicodedata.normalize("NFC", name).strip()


def _fault(name: str) -> str | None:
    """What is wrong with the characters of a name; it has one at least."""
    last = " "
    for place, char in enumerate(name):
        kind = unicodedata.category(char)
        if _draws_nothing(char, kind):
            if not _has_a_use(name, place):
                return f"holds U+{ord(char):04X}, a character that cannot be seen"
        elif kind.startswith("M") and not _carries(last, char):
            return f"has U+{ord(char):04X}, a mark with nothing to stand on"
        last = char
    marks = ""
    for char in unicodedata.normalize("NFD", name):
        if unicodedata.category(char) not in ("Mn", "Me"):
            marks = ""
        elif marks.endswith(char):
            return f"has the mark U+{ord(char):04X} twice on one letter"
        elif len(marks) == MOST_MARKS:
            return f"piles more than {MOST_MARKS} marks on one letter"
        else:
            marks += char
    return None


def _carries(base: str, mark: str) -> bool:
    """Whether a mark may follow; of the invisible only a joiner carries one, a virama."""
    if base in "\u200c\u200d":
        return base == "\u200d" and unicodedata.combining(mark) == 9
    return unicodedata.category(base) != "Zs"


def _draws_nothing(char: str, kind: str) -> bool:
    if kind in _HIDDEN:
        return not _is_emoji_to_come(char, kind)
    return char in _BLANK or _is_selector(char)


def _has_a_use(name: str, place: int) -> bool:
    """Whether an invisible character does what it is for, by the table at the head."""
    char = name[place]
    before = name[place - 1] if place else " "
    after = name[place + 1] if place + 1 < len(name) else " "
    if char == "\u200c":
        return unicodedata.combining(before) == 9 or (
            _is_cursive(after) and _is_cursive(_base(name, place))
        )
    if char == "\u200d":
        if unicodedata.combining(before) == 9:
            return True
        if unicodedata.combining(after) == 9:
            return unicodedata.category(before).startswith("L")
        return _is_picture(after) and _is_picture(_base(name, place))
    if char in "\ufe0e\ufe0f":
        return _is_picture(before) or (before in _KEYCAPS and after == "\u20e3")
    if "\U000e0100" <= char <= "\U000e01ef":
        return unicodedata.name(before, "").startswith("CJK ")
    if "\u180b" <= char <= "\u180f":
        return unicodedata.name(before, "").startswith("MONGOLIAN LETTER")
    return False


def _base(name: str, place: int) -> str:
    """What stands before a place, less the marks, selectors and skin tone on it."""
    while place:
        place -= 1
        char = name[place]
        if char not in _TONES and not unicodedata.category(char).startswith("M"):
            return char
    return " "


def _is_cursive(char: str) -> bool:
    return (
        unicodedata.category(char).startswith("L")
        and unicodedata.name(char, "").split(" ", 1)[0] in _CURSIVE
    )


def _is_picture(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind in ("So", "Sm") or char in _PICTURES or _is_emoji_to_come(char, kind)


def _is_emoji_to_come(char: str, kind: str) -> bool:
    """Kept for emoji by Unicode for good (UTS #51, 1.4.1), but newer than this Python knows."""
    return kind == "Cn" and (
        "\U0001f000" <= char <= "\U0001faff" or "\U0001fc00" <= char <= "\U0001fffd"
    )


def _is_selector(char: str) -> bool:
    return (
        "\ufe00" <= char <= "\ufe0f"
        or "\U000e0100" <= char <= "\U000e01ef"
        or "\u180b" <= char <= "\u180f"
    )
