"""`hubbub import` into a Redis: what comes of it is as what was exported, and lives on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from hubbub.protocol.markers import Mark
from hubbub.settings import Settings
from hubbub.store import redis_client
from hubbub.store.base import Store
from hubbub.store.importing import RefusedError
from hubbub.store.redis import RedisStore
from hubbub.store.redis_importing import RedisImport
from hubbub.store.sqlite import SqliteStore
from tests.cli.test_export_import_backup import done
from tests.cli.test_redis_export import fill, in_redis
from tests.command import told
from tests.redis import RedisServer, free_port
from tests.redis_cluster import RedisCluster
from tests.store.kinds import ANN, BOB, delete, edit, keep, new_epoch, say
from tests.store.test_conversation import HEART, react, reply


@pytest.fixture(autouse=True)
def empty(redis: RedisServer) -> None:
    redis.client.flushall()


@pytest.fixture
def other(redis: RedisServer) -> str:
    """Another database of the same Redis."""
    return f"{redis.url.removesuffix('/0')}/1"


def more(store: Store) -> list[object]:
    """What comes of all kinds of things that are done to what `fill` left."""
    drafts = [
        *(react(2), react(2, on=False), react(2, HEART, author=BOB), react(1)),
        *(edit(3, "sea again", author=BOB), edit(7, "not theirs", author=BOB)),
        *(reply(2, "first"), reply(8, "second", author=BOB), delete(3, "d", author=BOB)),
        *(say("a", "1"), say("c", "2", author=BOB), say("another", "2", author=BOB)),
        *(edit(1, "better", "3"), edit(1, "worse", "3"), delete(1, "4"), say("last", "5")),
        *(reply(3, "salt", "6"), say("new", "new")),
    ]
    found: list[object] = [store.append([draft], 9) for draft in drafts]
    store.open("red", 5)
    found += [store.thread("red", seq, 1 << 50, 50) for seq in (2, 3, 8)]
    found += [store.writings("red", BOB, 50), store.unread(BOB, ["red"], 500)]
    found += [sorted(store.read_by(BOB))]
    found += [store.after("red", 0, 20), store.before("red", 40, 40), store.heads(["red"])]
    found += [store.mark([Mark("red", ANN, 4, "ann")])]
    return found


@pytest.mark.parametrize("source", ["redis", "sqlite"])
def test_what_is_imported_is_as_it_was_and_goes_on_so(
    redis: RedisServer, other: str, tmp_path: Path, source: str
) -> None:
    def first() -> Store:
        if source == "redis":
            return in_redis(redis)
        return SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)

    fill(first())
    was = first()
    keep(was, react(9), reply(9, "gone"), react(9, HEART), delete(9))
    was.close()
    place = redis.url if source == "redis" else "sqlite:chat.db"
    done("export", "--all", "--output", "all.jsonl", "--store", place, cwd=tmp_path)
    text = done("import", "all.jsonl", "--store", other, cwd=tmp_path)
    assert text.endswith(f"events of 3 rooms are now in {other}\n")
    assert (
        done("export", "--all", "--store", other, cwd=tmp_path)
        == (tmp_path / "all.jsonl").read_text()
    )
    was, copy = first(), RedisStore(other, Settings(), new_epoch)
    ties: Any = Redis.from_url(other).zrange("hubbub:{red}:ties", 0, -1)
    assert not [tie for tie in ties if int(tie[1:17]) == 9 and tie.startswith(b"r")]
    assert more(copy) == more(was)
    was.close()
    copy.close()
    again = [done("export", "--all", "--store", one, cwd=tmp_path) for one in (place, other)]
    assert again[0] == again[1]


def test_what_retention_took_is_as_before(redis: RedisServer, other: str, tmp_path: Path) -> None:
    store = in_redis(redis, keep_events=10)
    for number in range(60):
        sent = f"i{number}"
        is_reaction = number % 2 == 0 and number > 0
        draft = react(number, id=sent) if is_reaction else say(str(number), sent)
        store.append([draft], number + 1)
    store.close()
    done("export", "--all", "--output", "all.jsonl", "--store", redis.url, cwd=tmp_path)
    done("import", "all.jsonl", "--store", other, cwd=tmp_path)
    again = done("export", "--all", "--store", other, cwd=tmp_path)
    assert again == (tmp_path / "all.jsonl").read_text()
    copy = RedisStore(other, Settings(keep_events=10), new_epoch)
    outcomes = copy.append([say("3", "i3"), say("new", "new")], 70)
    assert [getattr(one, "seq", None) for one in outcomes] == [4, 61]
    copy.close()
    keys = redis.client.scan_iter  # of the first database: nothing of the import is in it
    assert not list(keys("*import*"))


Spoil = Callable[[list[str]], object]


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (lambda lines: lines.pop(-3), "is missing: the event"),
        (lambda lines: lines.append("{"), "is not JSON"),
        (lambda lines: lines.insert(2, lines[2]), "has the seq"),
    ],
)
def test_of_what_is_wrong_nothing_is_imported(
    redis: RedisServer, tmp_path: Path, spoil: Spoil, mend: str
) -> None:
    fill(in_redis(redis))
    lines = done("export", "red", "--store", redis.url, cwd=tmp_path).splitlines()
    redis.client.flushall()
    spoil(lines)
    (tmp_path / "bad.jsonl").write_text("".join(f"{line}\n" for line in lines))
    assert mend in told("import", "bad.jsonl", "--store", redis.url, cwd=tmp_path)
    assert redis.client.keys("*") == []


def test_an_id_that_comes_twice_is_told_with_its_line(redis: RedisServer, tmp_path: Path) -> None:
    fill(in_redis(redis))
    lines = done("export", "red", "--store", redis.url, cwd=tmp_path).splitlines()
    redis.client.flushall()
    two = [n for n, line in enumerate(lines) if json.loads(line).get("id") in {"m7", "m900"}]
    lines[two[1]] = lines[two[1]].replace('"m900"', '"m7"')
    (tmp_path / "bad.jsonl").write_text("".join(f"{line}\n" for line in lines))
    line = told("import", "bad.jsonl", "--store", redis.url, cwd=tmp_path)
    assert line.startswith(f"bad.jsonl: line {two[1] + 1} has the id 'm7', which its author used")
    assert redis.client.keys("*") == []


def test_a_redis_that_has_the_room_keeps_it(redis: RedisServer, tmp_path: Path) -> None:
    fill(in_redis(redis))
    done("export", "--all", "--output", "all.jsonl", "--store", redis.url, cwd=tmp_path)
    before = sorted(redis.client.keys("*"))
    line = told("import", "all.jsonl", "--store", redis.url, cwd=tmp_path)
    assert "already, with" in line
    assert line.endswith("events; import into an empty store")
    assert sorted(redis.client.keys("*")) == before


def test_a_redis_that_servers_use_is_left_alone(redis: RedisServer, tmp_path: Path) -> None:
    fill(in_redis(redis))
    done("export", "--all", "--output", "all.jsonl", "--store", redis.url, cwd=tmp_path)
    redis.client.flushall()
    node = in_redis(redis)
    node.presence.lease({}, may_bury=False)
    line = told("import", "all.jsonl", "--store", redis.url, cwd=tmp_path)
    assert line == "all.jsonl: there are servers running on this Redis; stop them first"
    node.presence.retire()
    node.close()
    done("import", "all.jsonl", "--store", redis.url, cwd=tmp_path)


@pytest.mark.parametrize("late", ["speaks", "starts"])
def test_who_comes_while_it_is_imported_is_not_written_over(
    redis: RedisServer, tmp_path: Path, late: str
) -> None:
    fill(in_redis(redis))
    text = done("export", "red", "--store", redis.url, cwd=tmp_path)
    redis.client.flushall()
    work, node = RedisImport(redis.client), in_redis(redis)

    made: set[bytes] = set()

    def come() -> None:
        if late == "speaks":
            node.append([say("first")], 1)
        else:
            node.presence.lease({}, may_bury=False)

    lines = [f"{line}\n".encode() for line in text.splitlines()]

    def read() -> Iterator[bytes]:
        for line in lines:
            yield line
            keys: Any = redis.client.keys("*import*")
            made.update(keys)
            assert all(redis.client.ttl(key) > 0 for key in made), "if it is killed, it goes"
        come()

    with pytest.raises(RefusedError, match=r"a room 'red' already|servers running"):
        work.run(read(), lambda _: None)
    node.close()
    kinds = {key.rpartition(b":")[2] for key in made}
    assert kinds == {b"head", b"log", b"now", b"ids", b"ties"}
    assert not redis.client.keys("*import*")
    assert redis.client.xlen("hubbub:{red}:log") == (1 if late == "speaks" else 0)


def test_who_comes_in_the_last_moment_is_not_written_over(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(in_redis(redis))
    text = done("export", "red", "--store", redis.url, cwd=tmp_path)
    redis.client.flushall()
    work, node = RedisImport(redis.client), in_redis(redis)
    multi = Pipeline.multi

    def late(pipe: Pipeline) -> None:
        node.append([say("first")], 1)
        multi(pipe)

    monkeypatch.setattr(Pipeline, "multi", late)
    lines = [f"{line}\n".encode() for line in text.splitlines()]
    with pytest.raises(RefusedError, match="someone else has used this Redis meanwhile"):
        work.run(lines, lambda _: None)
    node.close()
    assert not redis.client.keys("*import*")
    assert redis.client.xlen("hubbub:{red}:log") == 1


def in_a_cluster(cluster: RedisCluster, tmp_path: Path) -> tuple[RedisImport, list[bytes]]:
    """An import of some rooms that are in several Redis, and its lines."""
    cluster.flush()
    source = SqliteStore(tmp_path / "chat.db", Settings(), new_epoch)
    keep(source, *(say("words", "i", log=f"room {number}") for number in range(9)))
    source.mark([Mark("room 3", BOB, 1, "bob")])
    source.close()
    text = done("export", "--all", "--store", "sqlite:chat.db", cwd=tmp_path)
    lines = [f"{line}\n".encode() for line in text.splitlines()]
    return RedisImport(redis_client.connect(cluster.url)), lines


def kept_in(cluster: RedisCluster) -> set[bytes]:
    found: list[Any] = [one.client.keys("*") for one in cluster.primaries]
    return {key for keys in found for key in keys}


def test_a_cluster_takes_an_import(cluster: RedisCluster, tmp_path: Path) -> None:
    _, lines = in_a_cluster(cluster, tmp_path)
    (tmp_path / "all.jsonl").write_bytes(b"".join(lines))
    text = done("import", "all.jsonl", "--store", cluster.url, cwd=tmp_path)
    assert text.startswith("9 events of 9 rooms are now in ")
    assert not [key for key in kept_in(cluster) if b"import" in key]
    again = done("export", "--all", "--store", cluster.url, cwd=tmp_path)
    assert sorted(again.encode().splitlines(keepends=True)) == sorted(lines)
    store = RedisStore(cluster.url, Settings(), new_epoch)
    assert keep(store, say("words", "i", log="room 5"), say("new", log="room 5")) == [1, 2]
    assert store.read_by(BOB) == ["room 3"]
    store.presence.lease({}, may_bury=False)
    line = told("import", "all.jsonl", "--store", cluster.url, cwd=tmp_path)
    assert line == "all.jsonl: there are servers running on this Redis; stop them first"
    store.presence.retire()
    store.close()
    line = told("import", "all.jsonl", "--store", cluster.url, cwd=tmp_path)
    assert "already, with 1 events" in line


@pytest.mark.parametrize("late", ["speaks", "dies"])
def test_what_a_cluster_cannot_take_whole_it_does_not_take(
    cluster: RedisCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    work, lines = in_a_cluster(cluster, tmp_path)
    node = RedisStore(cluster.url, Settings(), new_epoch)
    adoption, asked = RedisImport._adoption, []

    def sixth(work: RedisImport, name: str) -> Any:
        asked.append(name)
        if len(asked) < 6:
            return adoption(work, name)
        if late == "dies":
            raise RedisConnectionError("gone")
        node.append([say("first", log=name), say("and here", log=asked[0])], 1)
        return adoption(work, name)

    monkeypatch.setattr(RedisImport, "_adoption", sixth)
    with pytest.raises(RefusedError if late == "speaks" else RedisConnectionError):
        work.run(lines, lambda _: None)
    assert not [key for key in kept_in(cluster) if b"import" in key]
    # What somebody said meanwhile is theirs, in a room that was there already, too.
    stay = {asked[0]: 2, asked[5]: 1} if late == "speaks" else {}
    heads = node.heads(asked)
    assert [seq for seq, _ in heads] == [stay.get(name, 0) for name in asked]
    node.close()


def test_a_redis_that_is_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").touch()
    where = f"redis://u:hush@127.0.0.1:{free_port()}/0"
    line = told("import", "all.jsonl", "--store", where, cwd=tmp_path)
    shown = where.replace("hush", "***")
    assert line == f"{shown} cannot be written (Redis does not answer); see docs/cluster.md"
