"""The load client: what is wrong with a server's deliveries is seen, and what is right counts."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bench.run import load as load_client
from bench.run import servers, tables, work
from bench.run.load import Figures, Load, LoadError
from bench.run.plan import Step
from bench.run.results import Record, Run
from bench.run.servers import OURS, Running
from tests.bench.liar import Members, honest, liar


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    load_client.build()


async def driven(server: Running, do: Callable[[Load], Any]) -> Any:
    """Let the load client work while the server works in this loop."""

    def work_on_it() -> Any:
        with load_client.load(server) as client:
            return do(client)

    return await asyncio.to_thread(work_on_it)


def talk(client: Load) -> Figures:
    client.connect(1, 4, settle=0)
    return client.tell("closed", senders=2, window=2, warm=0, seconds=0.3, grace=0.5)


def ten_from(senders: int, client: Load) -> Figures:
    client.connect(1, 4, settle=0)
    return client.tell("open", senders=senders, rate=100, seconds=0.1, grace=0.5)


FAULTS = ("dropped", "disordered", "strayed", "disagreeing", "lost_members", "refused", "broken")


async def test_an_honest_server_has_no_faults() -> None:
    async with liar(honest) as server:
        found = await driven(server, talk)
    assert found["delivered"] > 0
    assert {name: found[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert 0 < found["delay_ms"]["p50"] <= found["delay_ms"]["p99"] <= found["delay_ms"]["worst"]
    assert found["server_cpu"] > 0


async def test_a_dropped_message_is_seen() -> None:
    def forgetful(number: int, _author: Any, members: Members) -> Members:
        return members[:-1] if number == 3 else members

    async with liar(forgetful) as server:
        found = await driven(server, talk)
    assert found["dropped"] == 1
    assert found["disordered"] == 0


async def test_the_last_message_is_missed_too() -> None:
    """It leaves no gap behind it, so only counting what was said shows it."""

    def once(number: int, _author: Any, members: Members) -> Members:
        return members[:-1] if number == 10 else members

    async with liar(once) as server:
        found = await driven(server, partial(ten_from, 1))
    assert (found["said"], found["dropped"]) == (10, 1)


async def test_a_message_out_of_order_is_seen_and_is_no_loss() -> None:
    async with liar(honest, swapped=5) as server:
        found = await driven(server, partial(ten_from, 1))
    assert (found["disordered"], found["disagreeing"], found["dropped"]) == (1, 1, 0)


async def test_members_who_hear_another_order_are_seen() -> None:
    """Each sender's own messages are in order for everyone; only their mixture differs."""

    async with liar(honest, swapped=5, with_another=True) as server:
        found = await driven(server, partial(ten_from, 2))
    assert (found["disordered"], found["disagreeing"], found["dropped"]) == (0, 1, 0)


async def test_a_message_twice_is_seen() -> None:
    def twice(number: int, _author: Any, members: Members) -> Members:
        return [*members, members[0]] if number == 4 else members

    async with liar(twice) as server:
        found = await driven(server, talk)
    assert found["disordered"] == 1


async def test_a_message_that_strays_into_another_room_is_seen() -> None:
    def two_rooms(client: Load) -> Figures:
        client.connect(2, 2, settle=0)  # the liar knows one room
        return client.tell("open", senders=1, rate=100, seconds=0.1, grace=0.2)

    async with liar(honest) as server:
        found = await driven(server, two_rooms)
    assert found["strayed"] == 20


async def test_a_member_who_is_thrown_out_is_seen() -> None:
    async with liar(honest) as server:

        def throw(client: Load) -> Figures:
            client.connect(1, 4, settle=0)
            client.tell("drop", abruptly=0)
            return client.tell("open", senders=1, rate=100, seconds=0.05, grace=0)

        found = await driven(server, throw)
    assert found["lost_members"] == 4


async def test_a_pause_of_the_server_is_in_the_delays_of_all_that_was_due_meanwhile() -> None:
    """Coordinated omission: a client that waits for the server would see one slow message."""
    pause = 0.3

    def heavy(number: int, _author: Any, members: Members) -> Members:
        if number == 10:
            asyncio.get_running_loop().call_soon(time.sleep, pause)
        return members

    def steady(client: Load) -> Figures:
        client.connect(1, 2, settle=0)
        return client.tell("open", senders=1, rate=100, seconds=1, grace=1)

    async with liar(heavy) as server:
        found = await driven(server, steady)
    # Thirty of a hundred messages were due in the pause.
    assert found["delay_ms"]["worst"] >= pause * 900
    assert found["delay_ms"]["p99"] >= pause * 800
    assert found["said"] == 100


async def test_a_message_that_the_load_itself_sends_late_counts_from_when_it_was_due() -> None:
    pause = 0.3
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def steady(client: Load) -> Figures:
        client.connect(1, 2, settle=0)
        loop.call_soon_threadsafe(stopped.set)
        return client.tell("open", senders=1, rate=100, seconds=1, grace=1)

    async with liar(honest) as server:
        with load_client.load(server) as client:
            talking = asyncio.create_task(asyncio.to_thread(steady, client))
            await stopped.wait()
            await asyncio.sleep(pause)  # into its phase, which has no sign outside
            client.child.send_signal(signal.SIGSTOP)
            await asyncio.sleep(pause)
            client.child.send_signal(signal.SIGCONT)
            found = await talking
    assert found["said"] == 100
    assert found["behind_ms"] >= pause * 900
    assert found["delay_ms"]["p99"] >= pause * 800


def test_a_client_that_cannot_enter_says_why() -> None:
    nowhere = Running(OURS[0], servers.free_port(), ())
    with load_client.load(nowhere) as client, pytest.raises(LoadError, match="0 of 3 entered"):
        client.connect(1, 3, within=5)


def limit() -> servers.Kind:
    (kind,) = (kind for kind in servers.peers() if kind.name == "limit")
    assert servers.build(kind) == ""
    return kind


@pytest.mark.parametrize("number", range(len(OURS) + 1))
def test_hubbub_on_each_store_and_the_limit_lose_nothing(number: int) -> None:
    kind = [*OURS, limit()][number]
    # A whole second, as in the benchmark: a busy machine may pause for all of a fifth of one.
    found = work.fanout((3, 5, 2, 2), kind, [])
    assert found["per_cpu"] > 0
    assert not set(found) & {*FAULTS, "trouble"}


def test_what_the_quick_one_measures_becomes_its_table() -> None:
    case = work.fanout_case("quick", (1, 10, 2, 1), 0.05, 1)  # a shorter one may be a pause
    record = Record("quick", {}, "code")
    for kind in (OURS[0], limit()):
        record.servers[kind.name] = {"label": kind.label, "says": kind.says, "version": ""}
        step = Step(case, kind, 0)
        figures = step.case.measure(step.kind, [])
        record.runs.append(Run(case.name, kind.name, 0, figures))
    ours, other = tables.quick(record, case).splitlines()[1:]
    assert "Hubbub, memory" in ours
    assert "of the limit" in ours
    assert "1.00 of the limit" in other


def test_who_comes_back_is_who_was_there() -> None:
    found = work.storm(2, 10, OURS[0], [])
    assert (found["back"], found["of"]) == (20, 20)
    assert "refused" not in found


def test_a_reader_that_stopped_hears_all_from_hubbub_afterwards() -> None:
    with servers.running(OURS[1]) as server, load_client.load(server, 2000) as client:
        client.connect(1, 3)
        client.tell("deaf", member=2)
        said = client.tell("open", senders=1, rate=4000, seconds=1.5, grace=20)
        heard = client.tell("listen", member=2, settle=1, within=20)
    assert said["dropped"] == 0
    assert heard["heard"] == said["said"] == 6000
    assert heard["inside"]
