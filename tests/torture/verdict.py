"""What is in the file in the end, and whether it is what everyone was told."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Self

from redis import Redis

from hubbub.store.redis_export import RedisSnapshot
from tests.torture.peer import Peer
from tests.torture.picture import Witness, check
from tests.torture.wire import Frame

KINDS = {"chat": "chat", "edit": "edited", "delete": "deleted", "react": "reacted"}


class Log:
    """All rooms' events, read from the file beside the server: `events[room][seq]`.

    `ids` has what the file knows of each id: (room, seq).
    """

    def __init__(self) -> None:
        self.events: dict[str, dict[int, Frame]] = {}
        self.ids: dict[str, list[tuple[str, int]]] = {}

    def read(self, file: Path) -> Self:
        """What a SQLite file has."""
        db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            (health,) = db.execute("PRAGMA integrity_check").fetchone()
            check(health == "ok", "the file is damaged:", health)
            for room, seq, payload in db.execute(
                "SELECT name, seq, payload FROM event JOIN log ON log.id = log ORDER BY log, seq"
            ):
                events = self.events.setdefault(room, {})
                check(seq == len(events) + 1, "the log of", room, "has a hole before", seq)
                events[seq] = json.loads(payload)
            for key, room, seq in db.execute(
                "SELECT sent.id, name, seq FROM sent JOIN log ON log.id = log"
            ):
                self.ids.setdefault(key, []).append((room, seq))
        finally:
            db.close()
        return self

    def follow(self, redis: Redis, room: str) -> Self:
        """What a Redis has of this room, as `hubbub export` tells it."""
        for line in b"".join(RedisSnapshot(redis, room).chunks(lambda _: None)).splitlines():
            told: Frame = json.loads(line) if line else {}
            event = told.get("event")
            if event is None:
                continue
            seq = event["seq"]
            events = self.events.setdefault(room, {})
            check(seq == len(events) + 1, "the log of", room, "has a hole before", seq)
            events[seq] = event
            self.ids.setdefault(told["id"], []).append((room, seq))
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Log) and (self.events, self.ids) == (other.events, other.ids)

    __hash__ = None  # type: ignore[assignment]


def judge(peers: list[Peer], log: Log, witness: Witness) -> None:
    """What anyone saw is in the log, and each one's picture is what the log says."""
    for room, seen in witness.seen.items():
        events = log.events[room]
        for seq, (kind, username, ts, mark) in seen.items():
            check(seq in events, "seen and not in the log of", room, ":", seq, kind, mark)
            event = events[seq]
            own = event.get("id") if kind == "chat" else event["target"]
            if kind == "reacted":
                own = (own, event["emoji"], event["on"], event["count"], tuple(event["users"]))
            there = (event["type"], event["username"], event["ts"], own)
            check(there == (kind, username, ts, mark), "seen", kind, mark, "but kept", event)
    for peer in peers:
        for room, picture in peer.pictures.items():
            events = log.events[room]
            check(picture.seq == len(events), peer, "is not at the head of", room)
            for seq, chat in picture.chats.items():
                check(chat == events[seq], peer, "believes", chat, "but kept is", events[seq])
            for seq, heard in picture.events.items():
                if heard["type"] != "chat":
                    kept = {**events[seq]}
                    wordless = kept.get("deleted") and kept["type"] == "edited"
                    told = {key: heard[key] for key in kept if key in heard}
                    if wordless:  # its message was deleted later, or before this one heard it
                        told |= {"text": "", "deleted": True}
                        told.pop("mentions", None)
                    check(told == kept, peer, "heard", heard, "but kept is", kept)
            if picture.whole:
                chats = {seq for seq, event in events.items() if event["type"] == "chat"}
                check(set(picture.chats) == chats, peer, "has not all chats of", room)


def judge_log(peers: list[Peer], log: Log) -> None:
    """What was acknowledged is in the log once, and nothing else is."""
    mine: dict[tuple[str, int], str] = {}
    for peer in peers:
        check(not peer.outbox, peer, "is not drained")
        for item in peer.said:
            frame = item.frame
            key, room = frame["id"], frame["room"]
            places = log.ids.get(key, [])
            if item.refused:
                check(not places, key, "was refused with", item.refused, "and is in the log")
                continue
            check(places == [(room, item.seq)], key, "was told", item.seq, "and is at", places)
            event = log.events[room][item.seq]
            there = (event["type"], event["username"], event.get("target", 0))
            said = (KINDS[frame["type"]], peer.name, frame.get("seq", 0))
            check(there == said, "said was", said, "and kept is", there)
            if "text" in frame and not {"edited", "deleted"} & set(event):
                check(frame["text"] == event["text"], "said was", frame, "and kept is", event)
            check((room, item.seq) not in mine, "two ids for one event:", event)
            mine[room, item.seq] = key
    for room, events in log.events.items():
        for seq, event in events.items():
            check((room, seq) in mine, "nobody said what is kept:", event)
            if event["type"] == "chat":
                check(event["id"] == mine[room, seq], "kept under another id:", event)
