"""Names of people and rooms: what is let in, and which two are the same.

A name is NFC, trimmed, and made of characters that one can see (RFC 8266 is the guide). The two
joiners that Persian and Indic scripts and emoji need (U+200C, U+200D) are let in between other
characters; all else that is invisible or reorders text is refused.
"""

import unicodedata
from typing import Final

from hubbub.protocol.codes import ErrorCode

_JOINERS: Final = frozenset("\u200c\u200d")
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
"""Letters and marks that draw nothing, though their category says otherwise."""


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
    name = raw.strip()
    if not name:
        raise BadNameError("empty_name", "room and username must not be empty")
    if not name.isascii():
        name = unicodedata.normalize("NFC", name).strip()
    if len(name) > limit:
        raise BadNameError(
            "too_long", f"{what} has {len(name)} characters; at most {limit} are let in"
        )
    if name.isascii():
        if not name.isprintable():
            raise BadNameError(
                "bad_name", _hidden(what, next(c for c in name if not c.isprintable()))
            )
        return name
    for place, char in enumerate(name):
        if char in _JOINERS and 0 < place < len(name) - 1:
            continue
        if char in _BLANK or unicodedata.category(char) in _HIDDEN:
            raise BadNameError("bad_name", _hidden(what, char))
    if unicodedata.category(name[0]).startswith("M"):
        raise BadNameError("bad_name", f"{what} begins with a mark that has nothing to stand on")
    return name


def tidy(raw: str) -> str:
    """A name as `clean` would give it, without a verdict: for looking up what is there already."""
    return unicodedata.normalize("NFC", raw.strip()).strip()


def key(name: str) -> str:
    """What decides whether two people have the same name: case and width do not count.

    NFKC and case folding, as RFC 8266 (nicknames) compares, with runs of spaces as one.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _hidden(what: str, char: str) -> str:
    return f"{what} holds U+{ord(char):04X}, a character that cannot be seen"
