"""Where settings are found besides the command line: the environment, then `hubbub.toml`.

The first place that has a setting wins: its flag, `HUBBUB_<NAME>`, `CHAT_ADDR` (for the address
alone), the file, the default. Each place fills in only what those before it left open. They are
cyclopts' "config" callables: each is handed the arguments of the command, with the values found
so far as tokens. A command may take some of the settings alone, and arguments of its own, which
are found on the command line only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import Token
from cyclopts.config import Env

from hubbub.cli.mistakes import UsageError, did_you_mean, wrong_kind
from hubbub.settings import Settings

if TYPE_CHECKING:
    from cyclopts import App, Argument, ArgumentCollection

SETTINGS = frozenset(one.name for one in fields(Settings))
"""What a file may set, for whichever command; a command has those of them that it needs."""

DEFAULT_FILE = "hubbub.toml"
"""The file that is read when there is one in the working directory and none is named."""

_SECRETS = frozenset(one.name for one in fields(Settings) if one.metadata["secret"])


def field_name(argument: Argument) -> str:
    """The name of a setting, such as `max_text` for `--max-text`."""
    return argument.name.lstrip("-").replace("-", "_")


class Environment(Env):
    """`HUBBUB_<NAME>` for every setting, and `CHAT_ADDR` for the address.

    A variable that is empty counts as not set, as compose files and units leave them. cyclopts'
    own class is kept for the names that it shows in `--help`; its reading also takes
    `HUBBUB_ADDR_ANYTHING` for the address.
    """

    def __init__(self) -> None:
        super().__init__("HUBBUB_", command=False)

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        for argument in _leaves(arguments):
            if field_name(argument) not in SETTINGS | {"config"}:
                continue  # what a command does this time is typed, not set
            names = [f"HUBBUB_{field_name(argument).upper()}"]
            if names == ["HUBBUB_ADDR"]:
                names.append("CHAT_ADDR")
            for name in names:
                if not argument.tokens and (value := os.environ.get(name)):
                    argument.append(Token(keyword=name, value=value, source="environment"))


class ConfigFile:
    """The TOML file that `--config` names, else `hubbub.toml` where there is one."""

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        known = {field_name(argument): argument for argument in _leaves(arguments)}
        named = known.pop("config", None)
        if named is None:
            return  # a command without settings
        path = named.tokens[0].value if named.tokens else DEFAULT_FILE
        for key, value in _read(path, must_exist=bool(named.tokens)).items():
            name = key.replace("-", "_")
            if name not in SETTINGS:
                raise _unknown(path, key, value, SETTINGS)
            argument = known.get(name)
            if argument is None:
                continue  # a setting of another command
            shown = None if name in _SECRETS else value
            _check_type(f"{key} in {path}", value, argument.hint, shown)
            if not argument.tokens:
                argument.append(Token(keyword=f"{key} in {path}", value=str(value), source=path))


class Written:
    """Runs last: refuses what only looks like a whole number, and remembers where each setting
    was written, so that a later mistake can be told by its place.
    """

    def __init__(self) -> None:
        self.where: dict[str, str] = {}

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        for argument in _leaves(arguments):
            for token in argument.tokens:
                where = token.keyword or argument.name
                if argument.hint is int and not _is_whole(token.value):
                    raise wrong_kind(where, token.value, int)  # cyclopts would round 1.5
                self.where[field_name(argument)] = where


def _leaves(arguments: ArgumentCollection) -> list[Argument]:
    """The arguments that take a value; the dataclass itself stands in the collection, too."""
    return [argument for argument in arguments if not argument.children]


def _read(path: str, *, must_exist: bool) -> dict[str, Any]:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        if must_exist:
            raise UsageError(
                f"there is no file {path}", "give --config a file that is there"
            ) from None
        return {}
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror})", "make it a readable file, or move it"
        ) from None
    import tomllib  # only here: most start without a file

    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML ({error})", "mend it there") from None


def _unknown(path: str, key: str, value: object, known: Iterable[str]) -> UsageError:
    if isinstance(value, dict):
        return UsageError(
            f"{path} has a table [{key}], but there are none", "write its keys at the top level"
        )
    return UsageError(
        f"{path} has {key!r}, which is no setting",
        did_you_mean(key, known) or "see hubbub serve --help for those there are",
    )


def _check_type(where: str, value: object, hint: object, shown: object) -> None:
    """A number is written as one, and all else as text: `history = 50`, `addr = ":3000"`.

    `shown` is the value where it may be shown, else None.
    """
    if hint in (int, float):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        kind, mend = "a number", "write a number, without quotes"
    else:
        fits = isinstance(value, str)
        kind, mend = "text", "write it in quotes"
    if not fits:
        told = "of another kind" if shown is None else f"{_toml_type(value)}"
        raise UsageError(f"{where} is {told}, which should be {kind}", mend)


def _toml_type(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value!r}"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a table"
        case list():
            return "a list"
    return f"the time {value}"  # dates and times are all that TOML has besides


def _is_whole(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
