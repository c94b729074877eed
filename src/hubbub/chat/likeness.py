"""Which names are the same, because people would take one for the other.

Law: two names are the same when they have a key in common (`keys`). All else here is how the keys
come about, so that these hold, and `tests/chat/test_names.py` tries them at random:

- A name has the keys of its NFC, NFD, NFKC, NFKD and of its lower and upper case (RFC 8266).
- It shares a key with each name that has the same skeleton (UTS #39, section 4), joiners, variation
  selectors and what else draws nothing put aside, and runs of spaces being one space.
- A key's only key is itself.

Why a name may have two keys. One key that knows both case and looks would cost too much: a capital
nu looks like N, a small nu like v, and so n and v would be one letter for everybody; likewise r, u
and y by ghe, gamma and upsilon, and c, o and 6 by sigma and shima. So there are two ways to look at
a name, and it is taken if either is:

- *spelt*: without its case, then what that looks like. All cases of a name are spelt alike.
- *seen*: what it looks like as it is written, then without case. All names of one skeleton are
  seen alike.

They differ for names with certain capitals, mostly Greek and Cyrillic. In ASCII only I differs,
which is seen as l and spelt i; there i, l, I, 1 and | are one letter for everybody, because Ian
may be ian and looks like lan, and because a name of ASCII so has one key, at the cost of a lookup.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final
from unicodedata import normalize

Table = dict[int, str]

_ASCII: Final = "".join(map(chr, range(128))).translate(str.maketrans("01|i`", "olll'"))
"""What the whole table comes to for lower-case ASCII, by code point, with the replacements in
`_of_ascii`; so who meets no other names never loads that. As text it is faster than as a dict."""

_UNDRAWN: Final = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0001, 0xE0001),
    (0xE0020, 0xE007F),
    (0xE0100, 0xE01EF),
)
"""Default_Ignorable_Code_Point (UAX #44), less what is not assigned above U+E0000."""


def keys(name: str) -> tuple[str, ...]:
    """What decides whether two people have the same name: one key in common is enough.

    One key or two, the one of the spelling first. They are for comparing, not for showing, and
    another version of Unicode may give others: they are not to be kept.
    """
    if name.isascii():
        return (_of_ascii(name),)
    seen, spelt = _tables()
    spelling = _spelt(name, spelt)
    sight = _spelt(normalize("NFD", name).translate(seen), spelt)
    return (spelling,) if sight == spelling else (spelling, sight)


def reserve(names: Iterable[str]) -> frozenset[str]:
    """The keys that nobody's name may have, for none to be the same as one of these.

    In capitals they may look like other letters, so these keys are kept from people, too.
    """
    return frozenset(
        key for name in names for written in (name, name.upper()) for key in keys(written)
    )


def _of_ascii(name: str) -> str:
    key = name.lower().translate(_ASCII).replace("m", "rn")
    return _one_spaced(key.replace('"', "''").replace("%", "\xb0/o"))


def _spelt(name: str, table: Table) -> str:
    key = normalize("NFD", _folded(name).translate(table))
    while "l\u0307" in key:  # the dot that a lower-case İ keeps, where an i has its own
        key = key.replace("l\u0307", "l")
    return _one_spaced(key)


def _folded(text: str) -> str:
    """Without case, width and other forms of the same: NFKC_Casefold, left decomposed (UAX #44)."""
    return normalize("NFKD", normalize("NFKD", text).casefold())


def _one_spaced(text: str) -> str:
    return " ".join(text.split())


@cache
def _tables() -> tuple[Table, Table]:
    """What a character looks like; and the same without case, gone on with until it stays.

    The second comes from the first here and not in the generated module, because what folds
    to what is the running Python's to say.
    """
    from hubbub.chat.confusables import GROUPS  # only here: names of ASCII alone need none of it

    seen: Table = {}
    for line in GROUPS.rstrip("\n").split("\n"):  # not splitlines: U+2028 is in the table
        prototype, _tab, chars = line.partition("\t")
        for char in chars:
            seen[ord(char)] = prototype
    seen[ord("i")] = "l"
    for first, last in _UNDRAWN:
        seen.update(dict.fromkeys(range(first, last + 1), ""))

    @cache
    def settled(prototype: str) -> str:
        while True:
            further = normalize("NFD", _folded(prototype).translate(seen))
            if further == prototype:
                return prototype
            prototype = further

    return seen, {code: settled(prototype) for code, prototype in seen.items()}
