"""A Redis that lost what was seen: everyone is told, on every node, whoever came first."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack
from pathlib import Path

from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.redis import RedisStore
from tests.command import serving
from tests.nodes import Node
from tests.promises.test_cluster import kept
from tests.redis import redis_server
from tests.server import Frame
from tests.store.kinds import new_epoch


async def test_a_lost_tail_is_told_to_everyone_though_others_wrote_over_it(tmp_path: Path) -> None:
    with (
        redis_server("--appendfsync", "everysec") as redis,
        serving("--addr", "127.0.0.1:0", "--store", redis.url, cwd=tmp_path, log="1.log") as first,
        serving("--addr", "127.0.0.1:0", "--store", redis.url, cwd=tmp_path, log="2.log") as second,
    ):
        async with AsyncExitStack() as stack:
            members, epochs = [], {""}
            for number, node in enumerate((first, second, second)):
                client = await stack.enter_async_context(Node(node.url).client())
                epochs.add((await client.join("general", f"c{number}"))["epoch"])
                members.append(client)
            await kept(members[0], "stays", "i1")
            (written,) = (redis.folder / "appendonlydir").glob("*.incr.aof")
            redis.client.config_set("appendfsync", "always")
            size = written.stat().st_size
            for number in (2, 3):
                await kept(members[0], "will be lost", f"i{number}")
            for member in members[1:]:
                await member.until("chat", seq=3)

            # The machine loses power: what was not on its disk yet is gone. Another node is faster.
            for node in (first, second):
                node.process.send_signal(signal.SIGSTOP)
            redis.kill()
            with written.open("r+b") as file:
                file.truncate(size)
            redis.start()
            other = RedisStore(redis.url, Settings(), new_epoch)
            words = ("in its place", "and its", "and more")
            other.append([Draft("general", b"x" * 16, "eve", word, None, 0) for word in words], 1)
            other.close()
            for node in (first, second):
                node.process.send_signal(signal.SIGCONT)

            again: Frame = {}
            for member in members:
                again = await member.until("welcome")
                assert again["reset"] is True
                assert again["epoch"] not in epochs
                heard = [*again["history"], *[await member.until("chat") for _ in range(4)]]
                assert [chat["text"] for chat in heard] == ["stays", *words]
            _, old = sorted(epochs)
            for since, epoch in ((3, old), (99, again["epoch"])):
                async with Node(second.url).client() as late:
                    await late.say(
                        "join", room="general", username="late", since=since, epoch=epoch
                    )
                    back = await late.until("welcome")
                assert back["reset"] is True
                assert [chat["text"] for chat in back["history"]] == ["stays", *words]
