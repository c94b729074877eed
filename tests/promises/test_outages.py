"""Who is in a room outlives what nodes and Redis go through."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.nodes import Node
from tests.promises.cluster import (
    BURIAL,
    LEASE,
    Cluster,
    answer,
    cluster,
    has_nodes,
    may_bury,
    quiet,
    roster,
    until,
)
from tests.redis import RedisServer
from tests.server import PATIENCE, Client
from tests.torture.link import Link

__all__ = ["cluster"]


async def test_a_dead_nodes_people_leave_once_when_its_lease_ends(cluster: Cluster) -> None:
    dying, two, three = cluster.node(), cluster.node(), cluster.node()
    async with dying.client() as ann, two.client() as bob, three.client() as cy:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await cy.join("general", "cy")
        await bob.until("roster", count=3)
        await may_bury()
        dying.send(signal.SIGKILL)
        died = time.monotonic()
        for client in (bob, cy):
            assert (await client.hear())["username"] == "ann"
            assert time.monotonic() - died < LEASE + 1
            assert (await client.hear())["users"] == ["bob", "cy"]
        await asyncio.sleep(LEASE)  # another survivor has noticed, too
        for client in (bob, cy):
            await quiet(client)


async def test_a_node_that_stood_still_is_out_and_comes_back(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, one.client() as dan, two.client() as bob:
        session = (await ann.join("general", "ann"))["session"]
        await dan.join("general", "dan")
        await bob.join("general", "bob")
        await ann.until("roster", count=3)
        await may_bury()
        one.send(signal.SIGSTOP)
        # Those of a dead node leave at once, in no promised order.
        assert {(await bob.until("left"))["username"] for _ in range(2)} == {"ann", "dan"}
        async with two.client() as thief:
            await thief.join("general", "ann")
            one.send(signal.SIGCONT)
            error = await ann.until("error")
            assert (error["code"], error["room"]) == ("name_taken", "general")
            await bob.until("joined", username="dan")
            async with asyncio.timeout(PATIENCE):
                while True:
                    await bob.say("join", room="general", username="bob", id="look")
                    users = (await answer(bob, "look"))["users"]
                    if sorted(users) == ["ann", "bob", "dan"]:
                        break
            await dan.say("join", room="general", username="dan", id="look")
            assert (await answer(dan, "look"))["users"] == users
            await ann.say("join", room="general", username="ann", session=session, id="me")
            assert (await answer(ann, "me"))["code"] == "name_taken"


async def test_a_pause_of_redis_makes_nobody_leave_or_join(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob, one.client() as gone:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await gone.join("general", "gone")
        await ann.until("roster", count=3)
        await bob.until("roster", count=3)
        await may_bury()
        for pause in ("stop", "restart"):
            if pause == "stop":
                cluster.redis.send(signal.SIGSTOP)
            else:
                cluster.redis.kill()
            await ann.say("join", room="other", username="ann", keep=True, id="no")
            assert (await answer(ann, "no"))["code"] == "storage_unavailable"
            await asyncio.sleep(LEASE)  # every lease has ended: some of it was over before
            if pause == "stop":
                cluster.redis.send(signal.SIGCONT)
            else:
                await gone.socket.close()
                cluster.redis.start()
            await asyncio.sleep(BURIAL + 0.5)  # if anyone were taken for dead, then by now
            for client in (ann, bob):
                if pause == "restart":
                    assert (await client.hear())["username"] == "gone"
                    assert (await client.hear())["users"] == ["ann", "bob"]
                await quiet(client)
        await ann.say("join", room="other", username="ann", keep=True, id="yes")
        assert (await answer(ann, "yes"))["users"] == ["ann"]


async def test_a_join_that_was_given_up_puts_nobody_out_later(cluster: Cluster) -> None:
    """It waits in a network that hangs, and so long they come in elsewhere."""
    async with linked(cluster.redis) as link:
        one = await asyncio.to_thread(cluster.node, link)  # while the link passes on what it says
        two = cluster.node()
        async with two.client() as bob, two.client() as ann, one.client() as dan:
            session = (await ann.join("general", "ann"))["session"]
            await bob.join("general", "bob")
            await dan.join("general", "dan")
            await bob.until("roster", count=3)
            link.hang(at=b"_move")
            async with one.client() as gone:
                await gone.say("join", room="general", username="ann", session=session)
                await until(lambda: b"_move" in link.held)
            async with two.client() as live:
                await live.say("join", room="general", username="ann", session=session, id="in")
                assert (await answer(live, "in"))[
                    "type"
                ] == "welcome"  # and no roster: all is as before
                assert (await ann.closed())[0] == 4409
                link.mend()
                await stays(live, one, bob)


@asynccontextmanager
async def linked(redis: RedisServer) -> AsyncIterator[Link]:
    link = Link(redis.port)
    await link.open()
    try:
        yield link
    finally:
        await link.close()


@pytest.mark.parametrize("is_dead", [False, True])
async def test_a_join_that_was_given_up_while_its_node_stood_still_puts_nobody_out(
    cluster: Cluster, is_dead: bool
) -> None:
    one, two = cluster.node(), cluster.node()
    async with two.client() as bob, two.client() as ann, one.client() as dan:
        session = (await ann.join("general", "ann"))["session"]
        await bob.join("general", "bob")
        await dan.join("general", "dan")
        await bob.until("roster", count=3)
        async with one.client() as gone:
            one.send(signal.SIGSTOP)
            await gone.say("join", room="general", username="ann", session=session)
            gone.socket.transport.abort()
        async with two.client() as live:
            await live.say("join", room="general", username="ann", session=session, id="in")
            assert (await answer(live, "in"))["type"] == "welcome"
            assert (await ann.closed())[0] == 4409
            if is_dead:
                await bob.until("left", username="dan")
            one.send(signal.SIGCONT)
            await stays(live, one, bob)


async def stays(live: Client, node: Node, bob: Client) -> None:
    """`live` is not put out by what the node has done before it lets someone in."""
    async with node.client() as eve:
        while True:  # Redis may have been away for it
            await eve.say("join", room="general", username="eve", id="in")
            if (await answer(eve, "in"))["type"] == "welcome":
                break
        await bob.until("joined", username="eve")
        await live.say("chat", text="here", id="here")
        assert (await answer(live, "here"))["type"] == "chat"


async def test_a_redis_that_lost_all_learns_who_is_there(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob, two.client() as cy:
        for name, client in (("ann", ann), ("bob", bob), ("cy", cy)):
            await client.join("general", name)
        await ann.until("roster", count=3)
        await bob.until("roster", count=3)
        redis = cluster.redis.client
        redis.flushall()
        await until(lambda: redis.hlen("hubbub:{general}:here") == 3 + 3)
        async with one.client() as dan:
            welcome = await dan.join("general", "dan")
            assert welcome["users"] == ["ann", "bob", "cy", "dan"]
            for client in (ann, bob):
                heard = [await client.hear()]
                while heard[-1].get("users") != ["ann", "bob", "cy", "dan"]:
                    heard.append(await client.hear())
                told = [one["username"] for one in heard if one["type"] in {"joined", "left"}]
                assert told == ["dan"]


async def test_who_was_lost_with_redis_and_is_not_told_again_is_gone(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        two.send(signal.SIGKILL)
        cluster.redis.client.flushall()
        assert (await ann.until("left"))["username"] == "bob"
        await roster(ann, "ann")


async def test_a_node_that_stops_is_out_of_all_rosters_at_once(cluster: Cluster) -> None:
    one, two = cluster.node(), cluster.node()
    async with one.client() as ann, two.client() as bob:
        await ann.join("general", "ann")
        await bob.join("general", "bob")
        await ann.until("roster", count=2)
        await has_nodes(one, 2)
        two.send(signal.SIGTERM)
        await ann.until("left", username="bob")
        two.end()
        await has_nodes(one, 1)
        redis = cluster.redis.client
        assert len(redis.keys("hubbub:{ nodes}:rooms:*")) == 1
