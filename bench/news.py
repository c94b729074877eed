"""What it costs to tell of news: the figure of `docs/architecture.md`.

`python -m bench.news` runs the real `hubbub serve`. One client speaks once a second in each of 50
rooms; first alone, then while 1,000 others follow all of these rooms without being in them.
"""

from __future__ import annotations

import os
import selectors
import time
from pathlib import Path

from bench.wire import MB, Client, Server, is_type

ROOMS = 50
FOLLOWERS = 1000
SECONDS = 15.0
TICKS = os.sysconf("SC_CLK_TCK")


def processor(server: Server) -> float:
    """Seconds of a processor that the server has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(server: Server, speaker: Client, followers: list[Client]) -> tuple[float, int]:
    """The server's share of a core, and the bytes that all followers got."""
    watch = selectors.DefaultSelector()
    for client in (speaker, *followers):
        client.socket.setblocking(False)
        watch.register(client.socket, selectors.EVENT_READ, client)
    begun, used, got, said = time.perf_counter(), processor(server), 0, 0
    while (now := time.perf_counter()) < begun + SECONDS:
        if now >= begun + said / ROOMS:
            speaker.say(type="chat", room=f"r{said % ROOMS}", text="the message " * 5)
            said += 1
        for key, _ in watch.select(0.01):
            count = len(key.data.socket.recv(MB))
            got += count if key.data is not speaker else 0
    share = (processor(server) - used) / (time.perf_counter() - begun)
    watch.close()
    for client in (speaker, *followers):
        client.socket.setblocking(True)
    return share, got


def main() -> None:
    """Measure, and print."""
    server = Server(None, "--rate", "0")
    try:
        speaker = Client(server.port)
        for number in range(ROOMS):
            speaker.say(type="join", room=f"r{number}", username="ann", keep=True)
            speaker.until(is_type("roster"))
        alone, _ = measure(server, speaker, [])
        followers = [Client(server.port) for _ in range(FOLLOWERS)]
        for client in followers:
            client.say(type="follow", rooms=[f"r{number}" for number in range(ROOMS)])
            client.until(is_type("news"))
        followed, got = measure(server, speaker, followers)
    finally:
        server.stop()
    print(f"{ROOMS} rooms with a message a second: {alone:.1%} of a core")
    print(f"and {FOLLOWERS:,} who follow them all: {followed:.1%} of a core", end=", ")
    print(f"{got / FOLLOWERS / SECONDS:,.0f} bytes a second to each")


if __name__ == "__main__":
    main()
