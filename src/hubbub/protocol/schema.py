"""The wire, described from the structs: JSON Schema for programs, tables for people.

`docs/protocol.md` holds what `tables` gives between two marks, and a test holds that it does.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec

from hubbub.protocol.codes import CLOSES, ERRORS
from hubbub.protocol.incoming import Incoming
from hubbub.protocol.outgoing import Outgoing


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of both directions, under `$defs`, by the structs' names."""
    (client, server), definitions = msgspec.json.schema_components(
        [Incoming, Outgoing], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hubbub over WebSocket",
        "$defs": {**definitions, "FromClient": client, "FromServer": server},
    }


def tables() -> str:
    """Every frame with its fields, every error code and close code, as Markdown."""
    parts = ["### From client to server", ""]
    for kind in get_args(Incoming):
        parts += _frame(kind)
    parts += ["### From server to client", ""]
    for kind in get_args(Outgoing):
        parts += _frame(kind)
    parts += ["### Error codes", "", "| code | what it means |", "|---|---|"]
    parts += [f"| `{code}` | {meaning} |" for code, meaning in ERRORS.items()]
    parts += ["", "### Close codes", "", "| code | what happened | what a client does |"]
    parts += ["|---|---|---|"]
    parts += [f"| {code} | {what} | {do} |" for code, (what, do) in CLOSES.items()]
    return "\n".join(parts) + "\n"


def _frame(kind: type[msgspec.Struct]) -> list[str]:
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    lines = [f"#### `{info.tag}`", "", inspect.cleandoc(kind.__doc__ or ""), ""]
    if info.fields:
        lines += ["| field | type | |", "|---|---|---|"]
        lines += [
            f"| `{field.encode_name}` | {_type(field.type)} | {_presence(field)} |"
            for field in info.fields
        ]
        lines.append("")
    return lines


def _presence(field: msgspec.inspect.Field) -> str:
    return "always" if field.required else "optional"


def _type(kind: msgspec.inspect.Type) -> str:
    """A field's type in words."""
    match kind:
        case msgspec.inspect.UnionType(types=types):
            named = [one for one in types if not isinstance(one, msgspec.inspect.NoneType)]
            return " or ".join(map(_type, named))
        case msgspec.inspect.Metadata(type=inner):
            return _type(inner)
        case msgspec.inspect.StrType(min_length=least, max_length=most):
            if most is None:
                return "string"
            return f"string of {least or 0} to {most} characters"
        case msgspec.inspect.IntType():
            return "integer"
        case msgspec.inspect.FloatType():
            return "number"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.ListType(item_type=item):
            return f"list of {_type(item)}s"
        case msgspec.inspect.DictType(value_type=msgspec.inspect.StructType() as value):
            return f"object with an {_type(value)} for each emoji"
        case msgspec.inspect.DictType(value_type=value):
            return f"object with a {_type(value)} for each name"
        case msgspec.inspect.LiteralType(values=values):
            return "one of " + ", ".join(f"`{value}`" for value in values)
        case msgspec.inspect.StructType(fields=fields):
            return "object of " + ", ".join(f"`{field.encode_name}`" for field in fields)
        case msgspec.inspect.RawType():
            return "`chat` frame"
        case _:
            raise TypeError(f"no words for {kind}")


MARK = "## The frames\n\n"
"""Where in `docs/protocol.md` the part begins that is made from the code."""


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(page.read_text().partition(MARK)[0] + MARK + tables())
