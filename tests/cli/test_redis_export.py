"""`hubbub export` and `hubbub audit` of what is in Redis: the same as of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from hubbub.protocol.draft import Draft
from hubbub.protocol.markers import Mark
from hubbub.settings import Settings
from hubbub.store import redis_export
from hubbub.store.archive import Room
from hubbub.store.base import Store
from hubbub.store.exporting import HoleError
from hubbub.store.redis import RedisStore
from hubbub.store.redis_export import RedisSnapshot
from hubbub.store.sqlite import SqliteStore
from tests.cli.test_audit import ACTS
from tests.cli.test_export_import_backup import done
from tests.command import told
from tests.redis import RedisServer, free_port
from tests.store.kinds import ANN, BOB, delete, edit, keep, new_epoch, say
from tests.store.test_conversation import react, reply


@pytest.fixture(autouse=True)
def empty(redis: RedisServer) -> None:
    redis.client.flushall()


def in_redis(redis: RedisServer, **settings: Any) -> RedisStore:
    return RedisStore(redis.url, Settings(**settings), new_epoch)


def fill(store: Store) -> None:
    """Some of everything that can be kept."""
    keep(store, say("a", "1"), say("b"), say("c", "2", author=BOB), say("é 👍", log="b}l{u%e 7%7D"))
    keep(store, edit(1, "better", "3"), edit(1, "best"), edit(3, "sea", author=BOB), ts=5)
    keep(store, react(2), react(2, author=BOB), reply(3, "salt", "6"), ts=5)
    keep(store, *[say(f"more {number}", f"m{number}") for number in range(1200)], ts=6)
    keep(store, delete(1, "4"), say("last", "5"), ts=7)
    for number, act in enumerate(ACTS):
        store.append([Draft(" audit", ANN, "ann", "", None, 0, event=act)], 1000 * number)
    store.mark([Mark("red", ANN, 5, "ann"), Mark("red", BOB, 1200, "bob")])
    store.close()


def without_epochs(text: str) -> str:
    return re.sub(r'"epoch":"[^"]*"', "", text)


def test_an_export_is_the_same_as_of_a_file(redis: RedisServer, tmp_path: Path) -> None:
    fill(in_redis(redis))
    fill(SqliteStore(tmp_path / "chat.db", Settings(), new_epoch))
    for what in ("--all", "red", "b}l{u%e 7%7D"):
        ours = done("export", what, "--store", redis.url, cwd=tmp_path)
        theirs = done("export", what, "--store", "sqlite:chat.db", cwd=tmp_path)
        assert without_epochs(ours) == without_epochs(theirs)


def test_an_export_goes_into_a_file_and_that_into_sqlite(
    redis: RedisServer, tmp_path: Path
) -> None:
    fill(in_redis(redis))
    done("export", "--all", "--output", "all.jsonl", "--store", redis.url, cwd=tmp_path)
    assert "3 rooms" in done("import", "all.jsonl", "--store", "sqlite:new.db", cwd=tmp_path)
    again = done("export", "--all", "--store", "sqlite:new.db", cwd=tmp_path)
    assert again == (tmp_path / "all.jsonl").read_text()


def test_what_retention_took_is_not_there_and_its_ids_are(
    redis: RedisServer, tmp_path: Path
) -> None:
    store = in_redis(redis, keep_events=10)
    for number in range(60):
        keep(store, say(str(number), f"i{number}"), ts=number + 1)
    store.close()
    lines = [json.loads(one) for one in done(
        "export", "red", "--store", redis.url, cwd=tmp_path
    ).splitlines()]  # fmt: skip
    room = lines[1]
    assert (room["seq"], room["floor"] >= 34) == (60, True)
    assert room["ts"] == room["floor"] + 1
    assert [one["event"]["seq"] for one in lines if one["type"] == "event"] == list(
        range(room["floor"] + 1, 61)
    )
    assert [one["seq"] for one in lines if one["type"] == "used"] == list(
        range(1, room["floor"] + 1)
    )
    (tmp_path / "room.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    done("import", "room.jsonl", "--store", "sqlite:new.db", cwd=tmp_path)


def test_ids_that_are_remembered_for_a_last_while_are_in_it(
    redis: RedisServer, tmp_path: Path
) -> None:
    day = 86_400_000
    store = in_redis(redis, keep_days=1)
    for number, ts in enumerate((day, 3 * day, 3 * day + 1)):
        keep(store, say(str(number), f"i{number}"), ts=ts)
    store.close()
    assert redis.client.hlen("hubbub:{red}:old") == 2
    text = done("export", "red", "--store", redis.url, cwd=tmp_path)
    assert [json.loads(one)["id"] for one in text.splitlines()[2:]] == ["i0", "i1", "i2"]


def test_a_room_that_changed_under_the_reader_is_told(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_export, "PIECE", 2)
    store = in_redis(redis)
    keep(store, *[say(str(number)) for number in range(1000)])
    changes: list[tuple[Callable[[], object], str]] = [
        (lambda: redis.client.hset("hubbub:{red}:head", "epoch", "other"), "is another one now"),
        (lambda: redis.client.xtrim("hubbub:{red}:log", minid="900"), "has no event"),
        (redis.client.flushall, "is gone"),
    ]
    for change, told_of in changes:
        chunks = RedisSnapshot(redis.client, "red").chunks(lambda _: None)
        next(chunks)
        if told_of != "is gone":
            next(chunks)
        change()
        with pytest.raises(HoleError, match=told_of):
            list(chunks)
    store.close()


def test_what_was_said_meanwhile_is_not_in_it(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = in_redis(redis)
    keep(store, *[say(str(number), f"i{number}") for number in range(1000)])
    snapshot, room = RedisSnapshot(redis.client, "red"), redis_export.room

    def busy_room(client: Redis, name: str) -> Room | None:
        at = room(client, name)
        keep(store, say("meanwhile", "meanwhile"), edit(900, "changed"))
        return at

    monkeypatch.setattr(redis_export, "room", busy_room)
    lines = b"".join(snapshot.chunks(lambda _: None)).splitlines()
    events = [json.loads(one) for one in lines[2:]]
    assert [one["event"]["seq"] for one in events] == list(range(1, 1001))
    assert not any(b"meanwhile" in one for one in lines)
    store.close()


def test_the_audit_log_is_told_as_of_a_file(redis: RedisServer, tmp_path: Path) -> None:
    assert done("audit", "--store", redis.url, cwd=tmp_path) == ""
    fill(in_redis(redis))
    fill(SqliteStore(tmp_path / "chat.db", Settings(), new_epoch))
    for what in ([], ["blue"], ["--json"]):
        ours = done("audit", *what, "--store", redis.url, cwd=tmp_path)
        assert ours == done("audit", *what, "--store", "sqlite:chat.db", cwd=tmp_path)
        assert ours


def test_what_cannot_be_read_is_told_in_one_line(redis: RedisServer, tmp_path: Path) -> None:
    where = f"redis://127.0.0.1:{free_port()}/0"
    for command in (["export", "--all"], ["audit"]):
        line = told(*command, "--store", where, cwd=tmp_path)
        assert line == f"{where} cannot be read (Redis does not answer); see docs/cluster.md"
    line = told("export", "none", "--store", redis.url, cwd=tmp_path)
    assert line.startswith(f"there is no room 'none' in {redis.url}; write its name")
    line = told("export", "--all", "--mend", "--store", redis.url, cwd=tmp_path)
    assert line.startswith("--mend is for a damaged file; leave it away")
