"""A Redis Cluster: which of its Redis has a key, and how many of them are asked at once.

Laws: what a Redis did not do, because the key is elsewhere, is asked of the one that it names, so
nothing is done twice; a Redis that does not answer fails what was asked of it, and nothing else.
One that hangs is waited for once: until it answers again, what is asked of it fails at once.

Redis Cluster specification, "MOVED redirection" and "ASK redirection".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from redis import ConnectionPool, Redis, RedisCluster
from redis.cluster import ClusterNode
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisClusterException,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
)
from redis.exceptions import TimeoutError as SilentError

from hubbub.store.base import StoreError
from hubbub.store.redis_wire import Asked, Command

MOVES: Final = 5
"""Times that one command is sent on; each Redis knows of the next move only."""
LOOK: Final = 1.0
"""Seconds between two looks at who has what, where Redis do not answer."""


class Cluster(RedisCluster):
    """A client of a Redis Cluster, as redis-py has it, which says where all is."""

    def __init__(self, hosts: Iterable[tuple[str, int]], **options: Any) -> None:
        nodes = [_node(host, port) for host, port in hosts]
        # What some of them cannot do is no reason not to ask the others.
        super().__init__(startup_nodes=nodes, require_full_coverage=False, **options)
        self._looked = float("-inf")
        self.changes = 0
        """How often something else was learned of who has what."""
        self._hung: set[str] = set()
        """Redis that a `_watch` waits for, by name."""
        self._hanging = threading.Lock()
        self._closed = threading.Event()

    def primaries(self) -> list[Redis]:
        """Those that keep something."""
        return [self.get_redis_connection(node) for node in self._primaries]

    @property
    def has_replicas(self) -> bool:
        """Whether there are any that may take a primary's place, without its last words."""
        return bool(self.get_replicas())  # type: ignore[no-untyped-call]

    @property
    def _primaries(self) -> list[ClusterNode]:
        found: list[ClusterNode] = self.get_primaries()  # type: ignore[no-untyped-call]
        return found

    def close(self) -> None:
        """Let all connections go."""
        self._closed.set()
        super().close()

    def ping_all(self) -> list[Any]:
        """Ask all that keep something whether they are there; gives their answers."""
        nodes = self._primaries
        answers: list[Any] = [None] * len(nodes)
        self._ask([("PING",)] * len(nodes), dict(enumerate(nodes)), answers)
        return answers

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Give commands, each where its first key is; gives the answers, errors among them."""
        answers: list[Any] = [None] * len(commands)
        waiting: dict[int, ClusterNode | None] = dict.fromkeys(range(len(commands)))
        for _ in range(MOVES):
            self._ask(commands, waiting, answers)
            waiting = {
                at: self._sent_on(answers[at])
                for at in waiting
                if isinstance(answers[at], AskError)  # which a MovedError is, too
            }
            if not waiting:
                break
        if any(isinstance(one, ClusterDownError) for one in answers):
            self.look()
        return answers

    def told(self, command: Command, answer: Any) -> Any:
        """An answer as the client's methods give it."""
        callbacks: Any = self.primaries()[0].response_callbacks
        callback = callbacks.get(command[0])
        return callback(answer) if callback is not None else answer

    def home(self, key: str) -> str:
        """See `redis_client.home`."""
        try:
            return self._node_of_key(key).name
        except SlotNotCoveredError as problem:
            raise StoreError("the Redis Cluster has nobody for this room now") from problem

    def pool(self, name: str) -> ConnectionPool | None:
        """See `redis_client.pool`."""
        node: ClusterNode | None = self.get_node(node_name=name)  # type: ignore[no-untyped-call]
        return self.get_redis_connection(node).connection_pool if node is not None else None

    def learn(self, name: str, problem: Exception | None) -> bool:
        """See `redis_client.learn`."""
        if isinstance(problem, MovedError):
            self._move(problem)
            return True
        self.look(name if problem is not None else None)
        return not isinstance(problem, ResponseError)

    def look(self, failed: str | None = None) -> None:
        """Look at who has what, unless it was just done; the one that `failed` is asked last."""
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        before = self._map()
        with suppress(RedisError, RedisClusterException, OSError, IndexError):
            self.nodes_manager.initialize(last_failed_node_name=failed)
        self.changes += self._map() != before
        self._looked = time.monotonic()

    def _map(self) -> dict[int, str]:
        return {slot: nodes[0].name for slot, nodes in self.nodes_manager.slots_cache.items()}

    def compare(self, name: str) -> None:
        """Look anew where a Redis says something else of who has what. Raises `RedisError`.

        One that became another's replica goes on answering, and tells nobody who listens there.
        """
        pool = self.pool(name)
        if pool is None:
            return
        (shown,) = Asked(pool, [("CLUSTER", "SLOTS")]).answers()
        for first, last, (host, port, *_), *_ in shown:
            named = f"{host.decode()}:{port}" if host else None  # else it does not know its own
            for slot in (first, last):
                nodes = self.nodes_manager.slots_cache.get(slot)
                if not nodes or named not in {None, nodes[0].name}:
                    self.look()
                    return

    def _move(self, problem: MovedError) -> None:
        try:
            self.nodes_manager.move_slot(problem)
        except KeyError:  # nobody was known to have it
            self.look()
        self.changes += 1

    def _ask(
        self,
        commands: Sequence[Command],
        waiting: dict[int, ClusterNode | None],
        answers: list[Any],
    ) -> None:
        """Ask all Redis before any answers."""
        parts: dict[tuple[str, bool], tuple[ClusterNode, list[int]]] = {}
        for at, node in waiting.items():
            try:
                to = node or self._node_of(commands[at])
            except SlotNotCoveredError as problem:
                answers[at] = problem
                self.look()
                continue
            if to.name in self._hung:
                answers[at] = SilentError("it hangs")
                continue
            parts.setdefault((to.name, node is not None), (to, []))[1].append(at)
        asked: list[tuple[ClusterNode, list[int], Asked, bool]] = []
        for (_, is_asking), (to, places) in parts.items():
            some = [commands[at] for at in places]
            if is_asking:
                some = [one for command in some for one in (("ASKING",), command)]
            try:
                pool = self.get_redis_connection(to).connection_pool
                asked.append((to, places, Asked(pool, some), is_asking))
            except (RedisError, OSError) as problem:
                self._failed(to, places, problem, answers)
        for to, places, one, is_asking in asked:
            try:
                found = one.answers()[1::2] if is_asking else one.answers()
            except (RedisError, OSError) as problem:
                self._failed(to, places, problem, answers)
                continue
            for at, answer in zip(places, found, strict=True):
                answers[at] = answer

    def _failed(
        self, node: ClusterNode, places: list[int], problem: Exception, answers: list[Any]
    ) -> None:
        for at in places:
            answers[at] = problem
        if isinstance(problem, SilentError):
            self._hang(node)
        self.look(node.name)

    def _hang(self, node: ClusterNode) -> None:
        with self._hanging:
            if node.name in self._hung:
                return
            self._hung.add(node.name)
        threading.Thread(target=self._watch, args=(node,), daemon=True).start()

    def _watch(self, node: ClusterNode) -> None:
        """Wait until a Redis that hung answers, or is not of the cluster any more."""
        while not self._closed.wait(LOOK):
            self.look(node.name)  # another one may have its slots by now
            if self.get_node(node_name=node.name) is None:  # type: ignore[no-untyped-call]
                break
            with suppress(RedisError, RedisClusterException, OSError):
                Asked(self.get_redis_connection(node).connection_pool, [("PING",)]).answers()
                break
        self._hung.discard(node.name)

    def _node_of(self, command: Command) -> ClusterNode:
        return self._node_of_key(command[3] if command[0] == "FCALL" else command[1])

    def _node_of_key(self, key: str) -> ClusterNode:
        slot = self.keyslot(key)  # type: ignore[no-untyped-call]
        node: ClusterNode = self.nodes_manager.get_node_from_slot(slot)
        return node

    def _sent_on(self, problem: AskError) -> ClusterNode | None:
        """Whom to ask instead, this once; None: who has the slot from now on."""
        if isinstance(problem, MovedError):
            self._move(problem)
            return None
        known: ClusterNode | None = self.get_node(problem.host, problem.port)  # type: ignore[no-untyped-call]
        return known or _node(problem.host, problem.port)


def _node(host: str, port: int) -> ClusterNode:
    return ClusterNode(host, port)  # type: ignore[no-untyped-call]
