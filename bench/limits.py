"""What a flood of one client does to the others: the figure of `docs/architecture.md`.

`python -m bench.limits` runs the real `hubbub serve` with its limits as shipped. Pairs of clients
talk, a message every 10 ms; then the same while another client sends as fast as it can, and comes
back as soon as it is sent away.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.wire import Client, Server, is_type, masked

SECONDS = 8.0
PAIRS = 20
"""So many pairs take turns, so that each stays within its own pace."""


def talk(server: Server) -> list[float]:
    """Delays of messages, in seconds, sorted."""
    pairs: list[tuple[Client, Client]] = []
    for number in range(PAIRS):
        pair = (Client(server.port), Client(server.port))
        for client, name in zip(pair, ("ann", "bob"), strict=True):
            client.say(type="join", room=f"r{number}", username=name)
            client.until(is_type("roster"))
        pairs.append(pair)
    taken: list[float] = []
    until = time.perf_counter() + SECONDS
    turn = 0
    while time.perf_counter() < until:
        ann, bob = pairs[turn % PAIRS]
        turn += 1
        begun = time.perf_counter()
        ann.say(type="chat", text="hello")
        bob.until(is_type("chat"))
        taken.append(time.perf_counter() - begun)
        time.sleep(0.01)
    for pair in pairs:
        for client in pair:
            client.close()
    return sorted(taken)


def flood(port: int) -> None:
    """Send as fast as can be, for ever."""
    piece = masked({"type": "chat", "text": "x" * 100}) * 100
    while True:
        client = Client(port)
        try:
            client.say(type="join", room="r0", username="eve")
            while True:
                client.socket.sendall(piece)
        except OSError:
            client.close()


def show(what: str, taken: list[float]) -> None:
    p50, p99 = (taken[int(len(taken) * part)] * 1e3 for part in (0.5, 0.99))
    print(f"{what}: delay p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {taken[-1] * 1e3:.1f} ms")


def main() -> None:
    server = Server(None)
    show("two who talk", talk(server))
    flooder = subprocess.Popen([sys.executable, "-m", "bench.limits", str(server.port)])
    try:
        show("while another floods", talk(server))
    finally:
        flooder.kill()
    server.stop()


if __name__ == "__main__":
    os.sched_setaffinity(0, {1})
    if len(sys.argv) > 1:
        flood(int(sys.argv[1]))
    main()
