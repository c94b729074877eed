"""A store that fails: senders are told, readers stay, and it goes on by itself when it can."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from websockets.asyncio.client import connect

from tests.command import COMMAND, serving
from tests.raw import Raw, flood
from tests.server import PATIENCE, Client, Frame, House, house
from tests.store.kinds import store_of


@asynccontextmanager
async def kept(folder: Path, **settings: Any) -> AsyncIterator[House]:
    async with house(store=f"sqlite:{folder / 'chat.db'}", **settings) as here:
        yield here


async def health(url: str) -> tuple[int, dict[str, str]]:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/health") as answer:
        return answer.status, await answer.json()


async def chat(client: Client, text: str, id: str) -> Frame:
    """Say something once; gives its own copy or the error."""
    await client.say("chat", text=text, id=id)
    while (frame := await client.hear()).get("id") != id:
        pass
    return frame


async def insist(client: Client, text: str, id: str) -> Frame:
    """Say something as often as it takes, with the patience that is asked for."""
    async with asyncio.timeout(PATIENCE):
        while (frame := await chat(client, text, id))["type"] == "error":
            assert frame["code"] == "storage_unavailable"
            await asyncio.sleep(frame["retry_after"])
    return frame


async def grow(disk: Path, process: int) -> None:
    """Make the small disk that `process` sees larger."""
    enter = ("nsenter", f"--target={process}", "--user", "--mount", "--preserve-credentials")
    mount = ("mount", "-o", "remount,size=8m", str(disk))
    assert await (await asyncio.create_subprocess_exec(*enter, *mount)).wait() == 0


def move(source: Path, target: Path) -> None:
    """Take the store's files to another folder."""
    for name in ("chat.db", "chat.db-wal", "chat.db-shm"):
        (source / name).rename(target / name)


class Broken:
    """A SQLite connection on a disk that fails, as long as `broken`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.broken = True

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if self.broken:
            raise sqlite3.OperationalError("disk I/O error")
        return self.db.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.db, name)


async def test_a_full_disk_is_told_and_outlived(tmp_path: Path) -> None:
    # A small disk of its own, in a mount namespace that only the server is in.
    disk = tmp_path / "disk"
    disk.mkdir()
    script = tmp_path / "hubbub"
    script.write_text(
        f'#!/bin/sh\nset -e\nmount -t tmpfs -o size=2m none {disk}\nexec {COMMAND} "$@"\n'
    )
    script.chmod(0o755)
    wrapped = tmp_path / "small-disk"
    wrapped.write_text(f'#!/bin/sh\nexec unshare --map-root-user --mount {script} "$@"\n')
    wrapped.chmod(0o755)
    arguments = ["--addr", "127.0.0.1:0", "--store", f"sqlite:{disk}/chat.db", "--rate", "0"]
    with serving(*arguments, cwd=tmp_path, command=wrapped) as server:
        ws = server.url.replace("http", "ws", 1) + "/ws"
        inside = Path(f"/proc/{server.process.pid}/root{disk}")
        assert (inside / "chat.db").exists()
        async with connect(ws) as one, connect(ws) as two:
            ann, bob = Client(one), Client(two)
            await ann.join("general", "ann")
            await bob.join("general", "bob")
            await ann.until("roster", count=2)
            assert (await chat(ann, "before", "i0"))["seq"] == 1
            await bob.until("chat", text="before")

            number = 0
            while True:  # until the disk is full
                number += 1
                answer = await chat(ann, f"{number} " + "x" * 3900, f"i{number}")
                if answer["type"] == "error":
                    break
                assert (await bob.until("chat"))["seq"] == number + 1
                assert number < 2000, "two megabytes do not hold that"
            assert answer["code"] == "storage_unavailable"
            assert answer["id"] == f"i{number}"
            assert answer["retry_after"] > 0
            assert "full" in answer["message"]
            assert "readonly" not in answer["message"]
            await bob.nothing_more()
            status, body = await health(server.url)
            assert status == 503
            assert body["status"] == "degraded"
            assert "full" in body["reason"]

            # A reader can still read what there is.
            await bob.say("history", limit=1, id="h")
            assert (await bob.until("history"))["events"][0]["seq"] == number

            await grow(disk, server.process.pid)
            back = await insist(ann, f"{number} " + "x" * 3900, f"i{number}")
            assert back["seq"] == number + 1, "and no number was lost to what failed"
            assert (await bob.until("chat"))["seq"] == number + 1
            assert (await health(server.url)) == (200, {"status": "ok"})


async def test_a_file_that_is_removed_takes_nothing_more_and_comes_back(tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    async with kept(tmp_path) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        assert (await chat(ann, "before", "i1"))["seq"] == 1
        await bob.until("chat")
        move(tmp_path, away)
        error = await chat(ann, "lost?", "i2")
        assert (error["code"], error["id"]) == ("storage_unavailable", "i2")
        assert "gone" in error["message"]
        assert str(tmp_path) not in error["message"], "clients need not know where"
        await bob.nothing_more()
        status, body = await health(here.url)
        assert (status, body["status"]) == (503, "degraded")
        assert "gone" in body["reason"]
        assert str(tmp_path) not in body["reason"]
        move(away, tmp_path)
        assert (await insist(ann, "lost?", "i2"))["seq"] == 2
        assert (await bob.until("chat"))["text"] == "lost?"
        assert (await health(here.url))[0] == 200
    async with kept(tmp_path) as here, here.client() as ann:
        welcome = await ann.join("general", "ann")
        assert [event["text"] for event in welcome["history"]] == ["before", "lost?"]


async def test_another_file_in_its_place_is_not_written_to(tmp_path: Path) -> None:
    async with kept(tmp_path) as here, here.client() as ann:
        await ann.join("general", "ann")
        await chat(ann, "before", "i1")
        away = tmp_path / "away"
        away.mkdir()
        move(tmp_path, away)
        (tmp_path / "chat.db").touch()
        error = await chat(ann, "lost?", "i2")
        assert error["code"] == "storage_unavailable"
        async with asyncio.timeout(PATIENCE):  # until it was looked at again
            while "restart Hubbub" not in error["message"]:
                await asyncio.sleep(error["retry_after"])
                error = await chat(ann, "lost?", "i2")
                assert error["code"] == "storage_unavailable"
                assert str(tmp_path) not in error["message"]


async def test_a_disk_that_fails_is_told_to_all_who_ask(tmp_path: Path) -> None:
    async with kept(tmp_path) as here, here.client() as ann, here.client() as bob:
        await ann.join("general", "ann")
        assert (await chat(ann, "before", "i1"))["seq"] == 1
        store = store_of(here)
        writing, reading = Broken(store._db), Broken(store._reader)
        store._db, store._reader = writing, reading  # type: ignore[assignment]
        frames: list[dict[str, Any]] = [
            {"type": "chat", "text": "now", "id": "c"},
            {"type": "edit", "seq": 1, "text": "then", "id": "e"},
            {"type": "delete", "seq": 1, "id": "d"},
            {"type": "history", "id": "h"},
            {"type": "join", "room": "other", "username": "ann", "keep": True, "id": "j"},
        ]
        for frame in frames:
            await ann.say(**{"kind": frame.pop("type"), **frame})
            error = await ann.hear()
            assert (error["code"], error["id"]) == ("storage_unavailable", frame["id"])
            assert error["retry_after"] > 0
            assert "disk I/O error" in error["message"]
        # Who comes into a room that is warm needs no disk.
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        writing.broken = reading.broken = False
        assert (await insist(ann, "now", "c"))["seq"] == 2
        await ann.say("join", room="other", username="ann", keep=True, id="j")
        assert (await ann.until("welcome"))["id"] == "j"


async def test_a_slow_reader_is_fed_on_when_the_disk_can_be_read_again(tmp_path: Path) -> None:
    async with kept(tmp_path, tail_events=10) as here, Raw(here) as slow:
        await slow.say(type="join", room="general", username="slow")
        await slow.until("roster")
        await flood(here, "general", 1500)
        store = store_of(here)
        reading = Broken(store._reader)
        store._reader = reading  # type: ignore[assignment]
        here.server.hub.fanout._loop = Mending(here.server.hub.fanout._loop, reading)  # type: ignore[assignment]
        seen = 0
        while seen < 1500:
            frame = await slow.read()
            if frame["type"] == "chat":
                assert frame["seq"] == seen + 1
                seen = frame["seq"]
        assert not reading.broken, "and it had failed"


class Mending:
    """A loop that mends the disk when a reader's next try is put off."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reading: Broken) -> None:
        self.loop = loop
        self.reading = reading

    def call_later(self, *arguments: Any) -> Any:
        self.reading.broken = False
        return self.loop.call_later(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loop, name)
