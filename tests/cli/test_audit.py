"""`hubbub audit` tells what moderators did."""

import json
from pathlib import Path

from hubbub.protocol.audit import AUDIT, Audit
from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.sqlite import SqliteStore
from tests.command import hubbub
from tests.store.kinds import ANN, keep, new_epoch, say

ACTS = [
    Audit(0, 0, "kick", "red", "ann", "bob", reason="cool down"),
    Audit(0, 0, "mute", "red", "ann", "bob", until=1_780_000_000_000),
    Audit(0, 0, "ban", "red", "ann", "eve", addresses=("203.0.113.9",), everywhere=True),
    Audit(0, 0, "purge", "red", "ann", "eve", count=12),
    Audit(0, 0, "delete", "blue", "cy", "bob", target=7),
    Audit(0, 0, "pardon", "red", "ann", "bob", number=2),
    Audit(0, 0, "slow", "red", "ann", seconds=2.5),
    Audit(0, 0, "slow", "red", "ann", seconds=0.0),
    Audit(0, 0, "read_only", "red", "ann", on=True),
    Audit(0, 0, "read_only", "red", "ann", on=False),
    Audit(0, 0, "kick", "red", "ann", "e\x1b[2Jve", reason="two\nlines"),
]


def filled(folder: Path) -> str:
    store = SqliteStore(folder / "chat.db", Settings(), new_epoch)
    keep(store, say("hello"))
    for number, act in enumerate(ACTS):
        store.append([Draft(AUDIT, ANN, "ann", "", None, 0, event=act)], number * 1000)
    store.close()
    return "sqlite:chat.db"


def test_each_act_is_a_line_that_says_who_what_whom_until_and_why(tmp_path: Path) -> None:
    told = hubbub("audit", "--store", filled(tmp_path), cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        "1 1970-01-01 00:00:00Z red: ann put bob out: cool down",
        "2 1970-01-01 00:00:01Z red: ann muted bob until 2026-05-28 20:26:40Z",
        "3 1970-01-01 00:00:02Z everywhere: ann banned eve and their address",
        "4 1970-01-01 00:00:03Z red: ann deleted all 12 messages of eve",
        "5 1970-01-01 00:00:04Z blue: cy deleted message 7 of bob",
        "6 1970-01-01 00:00:05Z red: ann lifted 2, which was on bob",
        "7 1970-01-01 00:00:06Z red: ann let everyone speak once in 2.5 s",
        "8 1970-01-01 00:00:07Z red: ann ended slow mode",
        "9 1970-01-01 00:00:08Z red: ann let only moderators speak",
        "10 1970-01-01 00:00:09Z red: ann let everyone speak again",
        "11 1970-01-01 00:00:10Z red: ann put e\\x1b[2Jve out: two\\nlines",
    ]


def test_one_room_can_be_asked_for_and_has_what_holds_everywhere(tmp_path: Path) -> None:
    told = hubbub("audit", "blue", "--store", filled(tmp_path), cwd=tmp_path)
    assert [line.split()[0] for line in told.stdout.splitlines()] == ["3", "5"]


def test_the_records_are_there_as_json(tmp_path: Path) -> None:
    told = hubbub("audit", "--json", "--store", filled(tmp_path), cwd=tmp_path)
    records = [json.loads(line) for line in told.stdout.splitlines()]
    assert [record["seq"] for record in records] == list(range(1, 12))
    assert records[2]["addresses"] == ["203.0.113.9"]


def test_where_nothing_was_done_nothing_is_told(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "chat.db", Settings(), new_epoch).close()
    told = hubbub("audit", "--store", "sqlite:chat.db", cwd=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_what_is_in_no_file_cannot_be_shown(tmp_path: Path) -> None:
    told = hubbub("audit", "--store", "memory:", cwd=tmp_path)
    assert told.returncode == 2
    assert told.stderr.startswith("hubbub: what is in memory: is in no file")
