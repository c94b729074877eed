"""What docs/storage.md tells people to type works, and it names all that there is to type."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from hubbub.settings import Settings
from hubbub.store.archive import Check
from hubbub.store.sqlite import SqliteStore
from tests.command import COMMAND, environment, hubbub
from tests.store.kinds import new_epoch
from tests.store.test_database import filled, leaves, spoil

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "storage.md").read_text()


def section(title: str) -> str:
    """What stands under a heading."""
    return re.split(r"\n##+ ", PAGE.split(f"# {title}\n")[1])[0]


def indented(title: str) -> str:
    """The first lines of code there."""
    lines = section(title).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("    "))
    return "\n".join(takewhile(bool, lines[first:]))


def typed(lines: str, folder: Path) -> str:
    """Type these lines into a shell; gives what they said."""
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-eu", "-c", lines],
        cwd=folder,
        env=environment(PATH=path, HUBBUB_STORE="sqlite:chat.db"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def code(title: str, language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", section(title), re.DOTALL)
    return str(found)


def test_every_command_is_in_the_docs(tmp_path: Path) -> None:
    listed = re.findall(r"^  ([a-z][a-z-]*)$", hubbub("--help", cwd=tmp_path).stdout, re.MULTILINE)
    assert {"backup", "export", "import", "serve"} <= set(listed)
    docs = "".join(path.read_text() for path in DOCS.glob("*.md"))
    for command in listed:
        assert f"hubbub {command} " in docs


@pytest.mark.parametrize("command", ["backup", "export", "import"])
def test_every_option_of_a_command_is_in_the_page(command: str, tmp_path: Path) -> None:
    told = hubbub(command, "--help", cwd=tmp_path).stdout
    for option in re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE):
        assert option in PAGE + (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("what", ["header", "middle"])
def test_a_damaged_file_is_recovered_as_the_page_says(what: str, tmp_path: Path) -> None:
    path = filled(tmp_path, "red")
    spoil(path, 1 if what == "header" else leaves(path, "red")[3])
    said = typed(code("A damaged file", "sh"), tmp_path)
    assert re.match(r"400 events of 1 rooms are now in chat.db\nhubbub: (0|1\d|2\d) events", said)
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    assert store.open("red", 0).seq == 400
    store.close()


def test_export_and_import_work_as_the_page_says(tmp_path: Path) -> None:
    filled(tmp_path, "garden", "red", events=5)
    typed(indented("Export and import"), tmp_path)
    exported = typed("hubbub export --all --store sqlite:new.db", tmp_path)
    assert exported == (tmp_path / "all.jsonl").read_text()
    assert len((tmp_path / "garden.jsonl").read_text().splitlines()) == 7


def test_a_backup_is_made_as_the_page_says(tmp_path: Path) -> None:
    filled(tmp_path, "red", events=5)
    line = indented("Backup")
    assert "a copy of chat.db" in typed(line.replace("/backup/", f"{tmp_path}/copy-of-"), tmp_path)


def test_going_back_to_a_backup_works_as_the_page_says(tmp_path: Path) -> None:
    filled(tmp_path, "red", events=5).rename(tmp_path / "backup.db")
    was = typed("hubbub export red --store sqlite:backup.db", tmp_path).splitlines()
    typed(code("Going back to a backup", "sh"), tmp_path)
    now = typed("hubbub export red", tmp_path).splitlines()
    assert now[2:] == was[2:]
    assert json.loads(now[1])["epoch"] != json.loads(was[1])["epoch"]


def test_the_lines_of_the_format_are_such_lines() -> None:
    lines = re.findall(r"^    (\{.*\})$", section("The format"), re.MULTILINE)
    check = Check()
    kinds = [json.loads(line)["type"] for line in lines]
    for line in lines:
        check.take(line.encode())
    check.end()
    assert set(kinds) == {"export", "room", "used", "event", "read"}
    for kind in kinds[1:]:
        assert f"| `{kind}` |" in section("The format")


def test_chat_from_elsewhere_comes_in_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "convert.py").write_text(code("Chat from elsewhere", "python"))
    said = [
        {"room": "red", "username": "bob", "text": "second", "ts": 2},
        {"room": "red", "username": "ann", "text": "first é", "ts": 1},
        {"room": "sea", "username": "ann", "text": "elsewhere", "ts": 1},
    ]
    (tmp_path / "chat.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in said))
    (line,) = re.findall(r"# convert.py: (.*)", PAGE)
    typed(line.replace("python ", f"{sys.executable} "), tmp_path)
    store = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    history = [json.loads(chat)["text"] for _, chat in store.open("red", 9).history]
    assert history == ["first é", "second"]
    store.close()
