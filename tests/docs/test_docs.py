"""The docs say what the code does."""

import json
import re
from pathlib import Path
from typing import get_args

import msgspec

from hubbub.protocol.codes import CLOSES, ERRORS
from hubbub.protocol.incoming import UnreadableError, decode
from hubbub.protocol.outgoing import Outgoing
from hubbub.protocol.schema import MARK, schema, tables

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


def test_the_protocol_page_has_the_frames_as_the_structs_have_them() -> None:
    page = (DOCS / "protocol.md").read_text()
    assert page.endswith(MARK + tables()), "write it anew with `make docs`"


def test_the_schema_has_every_type_and_its_required_fields() -> None:
    definitions = schema()["$defs"]
    types = {
        definition["properties"]["type"]["enum"][0]
        for definition in definitions.values()
        if "type" in definition.get("properties", {})
    }
    assert types >= {"join", "chat", "leave", "ping", "welcome", "joined", "left", "roster"}
    assert types >= {"gap", "pong", "error"}
    assert definitions["Join"]["required"] == ["type", "room"]
    assert definitions["Roster"]["required"] == ["type", "room", "users", "count"]


def test_every_error_code_is_in_the_protocol_page_and_used_in_the_code() -> None:
    page = (DOCS / "protocol.md").read_text()
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for code in ERRORS:
        assert f"| `{code}` |" in page
        assert source.count(f'"{code}"') > 2, f"{code} is described, but never sent"
    for number in CLOSES:
        assert f"| {number} |" in page


def test_every_make_target_that_the_docs_name_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in (*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for named in re.findall(r"(?:`|    )make ([a-z]+)", path.read_text()):
            assert named in targets, f"{path.name} names make {named}"


def test_every_link_between_pages_leads_somewhere() -> None:
    for path in (*DOCS.glob("*.md"), *ROOT.glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name} links to {link}"


def samples() -> list[tuple[str, str]]:
    """The frames that stand in the pages: page and line."""
    found = []
    for path in DOCS.glob("*.md"):
        for block in re.findall(r"```json\n(.*?)```", path.read_text(), re.DOTALL):
            found += [(path.name, line) for line in block.splitlines()]
    return found


def test_every_frame_in_the_docs_is_one_that_is_said_or_heard() -> None:
    assert len(samples()) > 15
    known = {struct.__struct_config__.tag for struct in get_args(Outgoing)}
    for page, line in samples():
        frame = json.loads(line)
        try:
            decode(line)
        except UnreadableError:
            assert frame["type"] in known, f"{page}: {line}"
            msgspec.json.decode(line, type=Outgoing, strict=True)
