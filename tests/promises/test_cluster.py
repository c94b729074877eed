"""Several nodes on one Redis are one chat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hubbub.protocol.audit import AUDIT
from hubbub.protocol.draft import Draft
from hubbub.settings import Settings
from hubbub.store.base import StoreError
from hubbub.store.redis import RedisStore
from tests.nodes import Node, started
from tests.raw import Raw
from tests.redis import RedisServer, redis_server
from tests.server import PATIENCE, Client, Frame, house
from tests.store.kinds import new_epoch


@pytest.fixture(scope="module")
def nodes(
    redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Node, Node]]:
    folder = tmp_path_factory.mktemp("nodes")
    with (
        started(redis, folder, "one") as one,
        started(redis, folder, "two") as two,
    ):
        yield one, two


async def kept(client: Client, text: str, id: str) -> Frame:
    await client.say("chat", text=text, id=id)
    return await client.until("chat", id=id)


async def test_all_nodes_tell_the_same_events_in_the_same_order(nodes: tuple[Node, Node]) -> None:
    each = 150
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(nodes[number % 2].client()) for number in range(6)
        ]
        for number, client in enumerate(clients):
            await client.join("order", f"c{number}")

        async def talk(number: int, client: Client) -> list[Frame]:
            for count in range(each):
                await client.say("chat", text=f"{number}-{count}", id=f"{number}-{count}")
            return [await client.until("chat") for _ in range(each * len(clients))]

        async with asyncio.timeout(60):
            heard = await asyncio.gather(*(talk(*one) for one in enumerate(clients)))
    assert [frame["seq"] for frame in heard[0]] == list(range(1, each * len(clients) + 1))
    for others in heard[1:]:
        assert others == heard[0]
    for number in range(len(clients)):
        mine = [one["text"] for one in heard[0] if one["username"] == f"c{number}"]
        assert mine == [f"{number}-{count}" for count in range(each)], "and each as it was said"


async def test_who_comes_back_to_another_node_gets_what_was_missed(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    async with one.client() as ann:
        await ann.join("resume", "ann")
        async with one.client() as bob:
            welcome = await bob.join("resume", "bob")
            assert (await kept(ann, "before", "i1"))["seq"] == 1
            await bob.until("chat")
        await kept(ann, "meanwhile", "i2")
        async with two.client() as bob:
            fields = {"since": 1, "epoch": welcome["epoch"]}
            await bob.say("join", room="resume", username="bob", **fields)
            back = await bob.hear()
            assert "history" not in back
            assert "reset" not in back
            assert (await bob.hear())["text"] == "meanwhile"
            await kept(ann, "live", "i3")
            assert (await bob.until("chat"))["text"] == "live"


async def test_who_comes_to_a_node_that_lags_behind_what_they_saw_hears_of_no_reset(
    redis: RedisServer, nodes: tuple[Node, Node]
) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as cy, two.client() as bob:
        epoch = (await ann.join("lag", "ann"))["epoch"]
        await cy.join("lag", "cy")
        await kept(ann, "before", "i1")
        await cy.until("chat", text="before")
        redis.client.client_kill_filter(_type="pubsub")  # for a second, two hears of nothing
        seq = (await kept(ann, "unheard", "i2"))["seq"]
        await bob.say("join", room="lag", username="bob", since=seq, epoch=epoch)
        back = await bob.hear()
        assert "reset" not in back
        assert "history" not in back
        assert back["seq"] == seq
        assert (await cy.until("chat"))["text"] == "unheard"
        await kept(ann, "live", "i3")
        assert (await bob.until("chat"))["text"] == "live"


async def test_a_message_sent_again_to_another_node_is_kept_once(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as again:
        session = (await ann.join("once", "ann"))["session"]
        first = await kept(ann, "hello", "i1")
        await again.say("join", room="once", username="ann", session=session)
        await again.until("welcome")
        assert await kept(again, "hello", "i1") == first
        assert (await kept(again, "more", "i2"))["seq"] == 2


async def test_edits_and_deletions_reach_the_other_node(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as bob, two.client() as eve:
        await ann.join("edits", "ann")
        await bob.join("edits", "bob")
        await kept(ann, "secret", "i1")
        await kept(ann, "other", "i2")
        await bob.until("chat", text="other")
        await ann.say("edit", seq=1, text="better")
        edited = await bob.until("edited")
        assert (edited["seq"], edited["target"], edited["text"]) == (3, 1, "better")
        await ann.say("delete", seq=1)
        assert (await bob.until("deleted"))["target"] == 1
        welcome = await eve.join("edits", "eve")
        assert [one["text"] for one in welcome["history"]] == ["", "other"]


async def test_answers_and_reactions_reach_the_other_node(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as bob, two.client() as eve:
        await ann.join("talk", "ann")
        await bob.join("talk", "bob")
        await kept(ann, "lunch!", "i1")
        await bob.until("chat")
        await bob.say("chat", text="at noon?", reply_to=1)
        quote = {"seq": 1, "username": "ann", "text": "lunch!"}
        assert (await ann.until("chat", seq=2))["reply"] == quote
        await bob.say("react", seq=1, emoji="👍", on=True)
        reacted = await ann.until("reacted")
        assert (reacted["target"], reacted["users"]) == (1, ["bob"])
        await ann.say("delete", seq=1)
        await bob.until("deleted")
        first, second = (await eve.join("talk", "eve"))["history"]
        assert "reactions" not in first
        assert second["reply"] == {**quote, "text": "", "deleted": True}


async def test_who_is_writing_is_heard_on_the_other_node(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as bob:
        await ann.join("typing", "ann")
        await bob.join("typing", "bob")
        await ann.until("roster", count=2)
        await bob.say("typing")
        told = await ann.hear()
        assert told == {"type": "typing", "room": "typing", "username": "bob"}
        await bob.nothing_more()


async def test_rooms_of_the_other_node_are_listed_with_where_they_stand(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    async with one.client() as ann, two.client() as bob:
        await ann.join("rooms a", "ann")
        await bob.join("rooms b", "bob")
        last = await kept(ann, "hello", "i1")
        await ann.say("edit", seq=1, text="hi", id="i2")
        await ann.until("edited", id="i2")
        wanted = [
            {"room": "rooms a", "count": 1, "seq": 2, "ts": last["ts"]},
            {"room": "rooms b", "count": 1},
        ]
        async with asyncio.timeout(PATIENCE):
            while True:  # counts of rooms that are open elsewhere alone come now and then
                await bob.say("rooms", after="rooms", limit=2, id="r")
                told = await bob.until("rooms", id="r")
                if told["rooms"] == wanted:
                    break


async def test_rooms_that_cannot_be_listed_are_told_so(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("a bad moment")

    monkeypatch.setattr(RedisStore, "heads", fail)
    async with house(store=redis.url) as here, here.client() as ann:
        await ann.say("rooms", id="r")
        error = await ann.hear()
        assert (error["code"], error["id"]) == ("storage_unavailable", "r")
        await ann.nothing_more()


async def test_what_a_moderator_does_holds_on_every_node(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    async with one.client() as mod, two.client() as bob, two.client() as back:
        await mod.join("order please", "mod")
        session = (await bob.join("order please", "bob"))["session"]
        await kept(bob, "rude", "i1")
        await mod.until("chat", text="rude")
        await mod.say("mod", password="hush", id="m")
        await mod.until("ok", id="m")
        await mod.say("mute", seq=1, reason="rude", id="m1")
        await mod.until("ok", id="m1")
        await bob.until("moderated", action="mute")
        await bob.say("chat", text="still here", id="i2")
        while (frame := await bob.hear()).get("id") != "i2":
            pass
        if frame["type"] == "chat":  # the record of it was on its way yet
            await bob.say("chat", text="still here", id="i3")
            frame = await bob.until("error")
        assert frame["code"] == "muted"
        await mod.say("ban", seq=1, id="m2")
        await mod.until("ok", id="m2")
        assert (await bob.until("error"))["code"] == "banned"
        assert (await bob.closed())[0] == 4403
        await back.say("join", room="order please", username="bob", session=session)
        assert (await back.until("error"))["code"] == "banned"


@pytest.mark.parametrize("is_open", [True, False])
async def test_slow_mode_holds_on_whichever_node_one_speaks(
    nodes: tuple[Node, Node], is_open: bool
) -> None:
    one, two = nodes
    room = f"slow {is_open}"
    async with one.client() as mod, one.client() as bob, two.client() as ann, two.client() as again:
        await mod.join(room, "mod")
        session = (await bob.join(room, "bob"))["session"]
        if is_open:
            await ann.join(room, "ann")
        await mod.say("mod", password="hush", id="m")
        await mod.until("ok", id="m")
        await mod.say("slow", seconds=1000, id="s")
        await mod.until("ok", id="s")
        await kept(bob, "once", "i1")
        if is_open:
            await ann.until("chat", text="once")
        await again.say("join", room=room, username="bob", session=session)
        assert (await again.until("welcome"))["slow"] == 1000
        await again.say("chat", text="twice", id="i2")
        error = await again.until("error")
        assert (error["code"], error["id"]) == ("rate_limited", "i2")
        assert 900 < error["retry_after"] <= 1000.01
        await again.say("chat", text="once", id="i1")  # which was kept, as it hears now
        assert (await again.until("chat", id="i1"))["seq"] == 2


async def test_slow_mode_that_a_node_hears_of_late_counts_what_was_said(redis: RedisServer) -> None:
    settings: Any = {"store": redis.url, "mod_password": "hush"}
    async with (
        house(**settings) as one,
        house(**settings) as two,
        one.client() as mod,
        one.client() as bob,
        two.client() as again,
    ):
        keeper: Any = two.server.keeper
        held: list[tuple[str, str, int]] = []
        grown = keeper.grown

        def late(name: str, epoch: str, seq: int) -> None:
            (held.append if name == AUDIT else lambda hint: grown(*hint))((name, epoch, seq))

        keeper.grown = late
        await mod.join("late", "mod")
        session = (await bob.join("late", "bob"))["session"]
        before = await kept(mod, "before that", "b")
        while time.time() * 1000 <= before["ts"] + 1:  # noqa: ASYNC110 - a clock has no event
            await asyncio.sleep(0.001)
        await mod.say("mod", password="hush", id="m")
        await mod.say("slow", seconds=1000, id="s")
        await mod.until("ok", id="s")
        await kept(bob, "once", "i1")
        await again.say("join", room="late", username="bob", session=session)
        assert not (await again.until("welcome")).get("slow")
        async with asyncio.timeout(PATIENCE):
            while not held:  # noqa: ASYNC110 - another thread puts it there
                await asyncio.sleep(0.01)
            for hint in held:
                grown(*hint)
            while "late" not in two.server.lobby.standing.modes:  # noqa: ASYNC110 - nobody is told of it
                await asyncio.sleep(0.01)
        await again.say("chat", text="twice", id="i2")
        error = await again.until("error")
        assert (error["code"], error["id"]) == ("rate_limited", "i2")
        spoke = two.server.lobby._speech._spoke
        assert [who for room, who in spoke if room == "late"] == ["bob"]


async def test_redis_away_is_told_and_outlived(tmp_path: Path) -> None:
    with (
        redis_server() as redis,
        started(redis, tmp_path, "one") as one,
        started(redis, tmp_path, "two") as two,
    ):
        async with one.client() as ann, two.client() as bob:
            await ann.join("general", "ann")
            await bob.join("general", "bob")
            await kept(ann, "before", "i1")
            await bob.until("chat")
            redis.kill()
            await ann.say("chat", text="lost?", id="i2")
            error = await ann.until("error")
            assert (error["code"], error["id"]) == ("storage_unavailable", "i2")
            assert error["retry_after"] > 0
            assert await one.health() == (503, "degraded")
            await bob.nothing_more()
            redis.start()
            async with asyncio.timeout(PATIENCE):
                while error["type"] == "error":
                    await asyncio.sleep(error["retry_after"])
                    await ann.say("chat", text="lost?", id="i2")
                    while (error := await ann.hear()).get("id") != "i2":
                        pass
            assert error["seq"] == 2
            assert (await bob.until("chat"))["text"] == "lost?"
            assert await one.health() == (200, "ok")

            redis.client.flushall()
            redis.client.function_flush()
            assert (await kept_anew(ann, "a new beginning", "i3"))["seq"] == 1
            reset = await bob.until("welcome")
            assert reset["reset"] is True
            assert (await bob.until("chat"))["text"] == "a new beginning"


async def kept_anew(client: Client, text: str, id: str) -> Frame:
    await client.say("chat", text=text, id=id)
    assert (await client.until("welcome"))["reset"] is True
    return await client.until("chat", id=id)


class Talker:
    """A client that says each of its words until it is told that it is kept, and hears all."""

    def __init__(self, client: Client, name: str, count: int) -> None:
        self.client, self.name = client, name
        self.left = [f"{name}-{number}" for number in range(count)]
        self.heard: list[Frame] = []
        self.refused = asyncio.Event()
        self.goal = 0
        self.reached = asyncio.Event()
        """So many are left to say."""

    async def talk(self, total: int) -> None:
        await self.say()
        while len(self.heard) < total:
            frame = await self.client.hear()
            if frame["type"] == "chat":
                if frame["seq"] > len(self.heard):
                    self.heard.append(frame)
                else:  # the answer to what was sent again, and had been kept unheard
                    assert frame["username"] == self.name
            if self.left and frame.get("id") == self.left[0]:
                if frame["type"] == "chat":
                    self.left.pop(0)
                    if len(self.left) == self.goal:
                        self.reached.set()
                else:
                    assert frame["code"] == "storage_unavailable"
                    self.refused.set()
                    await asyncio.sleep(frame["retry_after"])
                await self.say()

    async def say(self) -> None:
        if self.left:
            await self.client.say("chat", text=self.left[0], id=self.left[0])


async def test_nothing_is_lost_doubled_or_turned_round_while_redis_dies(tmp_path: Path) -> None:
    each, people = 60, 6
    with (
        redis_server() as redis,
        started(redis, tmp_path, "one") as one,
        started(redis, tmp_path, "two") as two,
    ):
        async with AsyncExitStack() as stack, asyncio.timeout(50):
            talkers = []
            for number in range(people):
                client = await stack.enter_async_context((one, two)[number % 2].client())
                await client.join("general", f"c{number}")
                talkers.append(Talker(client, f"c{number}", each))

            first = talkers[0]

            async def die() -> None:
                for goal in (each * 3 // 4, each // 4):
                    first.goal = goal
                    first.reached.clear()
                    await first.reached.wait()
                    first.refused.clear()
                    redis.kill()
                    await first.refused.wait()
                    redis.start()

            await asyncio.gather(die(), *(one.talk(each * people) for one in talkers))
    heard = talkers[0].heard
    assert [frame["seq"] for frame in heard] == list(range(1, each * people + 1))
    for talker in talkers:
        assert talker.heard == heard
        said = [frame["text"] for frame in heard if frame["username"] == talker.name]
        assert said == [f"{talker.name}-{number}" for number in range(each)]


async def test_a_slow_reader_is_fed_what_came_from_another_node(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    async with one.client() as ann, Raw(two) as slow:
        await slow.say(type="join", room="slow", username="slow")
        await slow.until("roster")
        await ann.join("slow", "ann")
        for number in range(1, 1201):
            await ann.say("chat", text=f"{number} " + "x" * 3900)
            assert (await ann.until("chat"))["seq"] == number
        assert [(await slow.until("chat"))["seq"] for _ in range(1200)] == list(range(1, 1201))


async def test_a_lost_hint_loses_nothing(redis: RedisServer) -> None:
    other = RedisStore(redis.url, Settings(), new_epoch)
    async with house(store=redis.url) as here, here.client() as ann:
        await ann.join("hints", "ann")
        redis.client.client_kill_filter(_type="pubsub")
        other.append([Draft("hints", b"x" * 16, "bob", "unheard", None, 0)], 1)
        assert (await ann.until("chat"))["text"] == "unheard"
    other.close()


async def test_news_that_could_not_be_read_are_read_later(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = RedisStore(redis.url, Settings(), new_epoch)
    loop, listening = asyncio.get_running_loop(), asyncio.Event()
    failed: list[str] = []
    follow_these = RedisStore.follow_these

    def fail(_: RedisStore, name: str, *__: object) -> None:
        failed.append(name)
        raise StoreError("a bad moment")

    def fail_at_first(store: RedisStore, names: Sequence[str]) -> None:
        if "later" in names:
            loop.call_soon_threadsafe(listening.set)
        if not failed:
            raise StoreError("a bad moment")
        follow_these(store, names)

    monkeypatch.setattr(RedisStore, "follow", fail)
    monkeypatch.setattr(RedisStore, "follow_these", fail_at_first)
    async with house(store=redis.url) as here, here.client() as ann:
        await ann.join("later", "ann")
        await listening.wait()
        other.append([Draft("later", b"x" * 16, "bob", "in the end", None, 0)], 1)
        assert (await ann.until("chat"))["text"] == "in the end"
        assert failed == ["later"]
    other.close()


async def test_what_retention_took_before_a_node_read_it_is_told_as_a_gap(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = RedisStore(redis.url, Settings(keep_events=10), new_epoch)
    monkeypatch.setattr(RedisStore, "follow", lambda *_: None)
    async with house(store=redis.url, keep_events=10) as here, here.client() as ann:
        await ann.join("gap", "ann")
        other.append(
            [Draft("gap", b"x" * 16, "bob", str(number), None, 0) for number in range(1, 41)], 1
        )
        await ann.say("chat", text="mine", id="i1")
        gap = await ann.until("gap")
        assert (gap["first"], gap["last"]) == (1, 30)
        assert [(await ann.hear())["seq"] for _ in range(11)] == list(range(31, 42))
    other.close()
