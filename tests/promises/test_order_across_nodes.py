"""Moderators keep order whichever node people are on: whom an act meets does not depend on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import pytest

from tests.nodes import Node, started
from tests.promises.cluster import answer
from tests.promises.test_users import SECRET, token
from tests.redis import RedisServer
from tests.server import Client, Frame

Two = tuple[Node, Node]


@pytest.fixture(scope="module")
def nodes(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("nodes")
    options = ("--auth", "optional", "--jwt-secret", SECRET, "--trusted-proxies", "127.0.0.1")
    with (
        started(redis, folder, "one", *options) as one,
        started(redis, folder, "two", *options) as two,
    ):
        yield one, two


def come(node: Node, host: int, **claims: Any) -> AbstractAsyncContextManager[Client]:
    """From an address, as a guest or with a token."""
    headers = {"X-Forwarded-For": f"192.0.2.{host}"}
    if claims:
        headers["Authorization"] = f"Bearer {token(**claims)}"
    return node.client(additional_headers=headers)


async def ask(client: Client, kind: str, **fields: Any) -> Frame:
    await client.say(kind, id=kind, **fields)
    return await answer(client, kind)


async def keeper(client: Client, room: str) -> None:
    """Who keeps order is in."""
    await client.join(room, "keeper")
    assert (await ask(client, "mod", password="hush"))["type"] == "ok"


async def caught_up(client: Client, other: Node, room: str) -> None:
    """What happened on the other node is known on the client's, too."""
    async with come(other, 250) as last:
        await last.join(room, "last")
        await client.until("joined", username="last")
    await client.until("left", username="last")


async def test_a_ban_of_an_address_is_of_who_is_on_another_node(nodes: Two) -> None:
    one, two = nodes
    async with AsyncExitStack() as stack:
        people = [(one, 1), (two, 2), (two, 2), (one, 2), (two, 3)]
        clients = [await stack.enter_async_context(come(*each)) for each in people]
        mod, bob, cy, dora, eve = clients
        await keeper(mod, "ban")
        for client, name in zip(clients[1:], ["bob", "cy", "dora", "eve"], strict=True):
            await client.join("ban", name)
            await mod.until("joined", username=name)
        assert (await ask(mod, "ban", username="bob", address=True))["type"] == "ok"
        for banned in (bob, cy, dora):
            assert (await banned.closed())[0] == 4403
        for node in nodes:
            async with come(node, 2) as fresh:
                assert (await ask(fresh, "join", room="ban", username="x"))["code"] == "banned"
        assert (await ask(eve, "chat", text="still here"))["type"] == "chat"


async def test_nobody_is_told_of_an_address(nodes: Two) -> None:
    one, two = nodes
    async with come(one, 1) as mod, come(two, 2) as bob, come(two, 3, sub="cy") as cy:
        await keeper(mod, "told")
        heard: list[Frame] = []
        for client, name in ((bob, "bob"), (cy, "cy")):
            await client.say("join", room="told", username=name)
            while (frame := await mod.hear())["type"] != "joined":
                heard.append(frame)
            heard.append(frame)
        heard.append(await ask(mod, "ban", username="bob", address=True))
        heard.append(await ask(mod, "sanctions"))
        heard.append(await ask(mod, "rooms"))
        while (frame := await cy.hear())["type"] != "left":
            heard.append(frame)
    assert "192.0.2" not in str(heard)


async def test_a_moderator_on_another_node_is_not_acted_upon(nodes: Two) -> None:
    one, two = nodes
    async with AsyncExitStack() as stack:
        by_password = await stack.enter_async_context(come(two, 2))
        by_token = await stack.enter_async_context(come(two, 3, sub="ann", mod=["mods"]))
        before = await stack.enter_async_context(come(two, 4))
        mod = await stack.enter_async_context(come(one, 1))
        await keeper(mod, "mods")
        await by_password.join("mods", "bob")
        await by_token.join("mods", "ann")
        assert (await ask(before, "mod", password="hush"))["type"] == "ok"
        await before.join("mods", "dora")
        assert (await ask(by_password, "mod", password="hush"))["type"] == "ok"
        await caught_up(mod, two, "mods")
        for name in ("bob", "ann", "dora"):
            for act in ("kick", "mute", "ban"):
                assert (await ask(mod, act, username=name))["code"] == "forbidden", (name, act)


async def test_a_moderator_of_another_room_is_acted_upon(nodes: Two) -> None:
    one, two = nodes
    async with come(one, 1) as mod, come(two, 2, sub="bob", mod=["another"]) as bob:
        await keeper(mod, "elsewhere")
        await bob.join("elsewhere", "bob")
        await mod.until("joined", username="bob")
        assert (await ask(mod, "kick", username="bob"))["type"] == "ok"
        assert (await bob.until("error"))["code"] == "kicked"


async def test_a_new_token_makes_a_moderator_on_all_nodes(nodes: Two) -> None:
    one, two = nodes
    async with come(one, 1) as mod, come(two, 2, sub="bob") as bob:
        await keeper(mod, "renewed")
        await bob.join("renewed", "bob")
        fresh = token("bob", mod=["renewed"])
        assert (await ask(bob, "auth", token=fresh))["type"] == "ok"
        await caught_up(mod, two, "renewed")
        assert (await ask(mod, "kick", username="bob"))["code"] == "forbidden"


async def test_a_ban_is_of_the_addresses_that_a_user_has_now_on_all_nodes(nodes: Two) -> None:
    one, two = nodes
    async with AsyncExitStack() as stack:
        mod = await stack.enter_async_context(come(one, 1))
        await keeper(mod, "many")
        hosts = [(two, 12), (two, 13), (two, 14), (one, 15)]
        sockets = [await stack.enter_async_context(come(*each, sub="bob")) for each in hosts]
        await asyncio.gather(*(ask(socket, "join", room="many") for socket in sockets))
        assert (await ask(sockets[0], "leave", room="many"))["type"] == "left"
        await caught_up(mod, two, "many")
        assert (await ask(mod, "ban", username="bob", address=True))["type"] == "ok"
        for socket in sockets[1:]:
            assert (await socket.closed())[0] == 4403
        banned = []
        for host in range(12, 16):
            async with come(two, host) as fresh:
                banned.append((await ask(fresh, "join", room="many", username="x")).get("code"))
        assert banned == [None, "banned", "banned", "banned"], "they have left from the first"
