"""A person's mistake, told in one line.

Everything that can be wrong with what a person typed or wrote arrives here, ours and cyclopts',
and leaves as `hubbub: <what happened, to what>; <what to do next>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
)

from hubbub.settings import SettingError

EXIT_STATUS = 2
"""What a command returns after a person's mistake, as shells and argparse do."""


class UsageError(Exception):
    """A mistake that the person who typed the command can mend.

    `what` says what is wrong, and with what; `mend` says what to do.
    """

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what
        self.mend = mend


def one_line(mistake: UsageError) -> str:
    """The line that a person sees; whatever they typed, it stays one line."""
    text = f"hubbub: {mistake}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def from_setting(error: SettingError, written: Mapping[str, str]) -> UsageError:
    """Name the place where a refused setting was written.

    `written` has that place by the setting's name: `--history`, `HUBBUB_HISTORY`, or
    `history in hubbub.toml`.
    """
    return UsageError(f"{written.get(error.name, error.name)} {error.what}", error.mend)


def from_cyclopts(error: CycloptsError) -> UsageError:
    """Say in our words what cyclopts found."""
    command = " ".join(["hubbub", *(error.command_chain or ())])
    see = f"see {command} --help"
    match error:
        case UnknownOptionError():
            typed = (error.token.keyword or error.token.value).split("=", 1)[0]
            return UsageError(
                f"there is no option {typed}",
                did_you_mean(
                    typed, [name for one in error.argument_collection for name in one.names]
                )
                or see,
            )
        case UnknownCommandError(unused_tokens=[typed, *_]):
            known = [name for name in error.app or () if not name.startswith("-")]
            kind = "option" if typed.startswith("-") else "command"
            return UsageError(f"there is no {kind} {typed}", did_you_mean(typed, known) or see)
        case CoercionError(token=token) if token is not None:
            return wrong_kind(str(token.keyword), token.value, error.target_type)
        case MissingArgumentError(argument=argument) if argument is not None:
            if not argument.name.startswith("-"):
                return UsageError(f"{command} needs a {argument.name}", see)
            if error.keyword is None:
                return UsageError(f"{argument.name} is missing", f"give it, or {see}")
            return UsageError(f"{error.keyword} has no value after it", see)
        case RepeatArgumentError():
            return UsageError(f"{error.token.keyword} is given twice", "give it once")
    if error.unused_tokens:
        return UsageError(f"{error.unused_tokens[0]!r} is more than {command} takes", see)
    error.verbose = False  # or the text would begin with names of our functions
    return UsageError(str(error).strip().rstrip(".").replace("\n", " "), see)


def wrong_kind(where: str, value: str, kind: object) -> UsageError:
    """What was written at `where` cannot be read as `kind`, the type of its setting."""
    if kind in (int, float):
        wanted = "a whole number" if kind is int else "a number"
        return UsageError(f"{where} is {value!r}, which is not {wanted}", f"give {wanted}")
    choices = ", ".join(str(choice) for choice in get_args(kind))
    return UsageError(
        f"{where} is {value!r}, which is not one of its choices", f"choose one of {choices}"
    )


def did_you_mean(typed: str, known: Iterable[str]) -> str | None:
    """The advice for a slip of the finger, or `None` where nothing known is like it."""
    import difflib

    close = difflib.get_close_matches(typed, list(known), n=1)
    return f"did you mean {close[0]}?" if close else None
