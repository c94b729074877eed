"""What one client believes of one room, from what it heard; it checks as it hears."""

from __future__ import annotations

from tests.torture.wire import Frame


class UntrueError(AssertionError):
    """The server broke a promise; `str()` says which client saw what, instead of what."""


def check(holds: object, *what: object) -> None:
    if not holds:
        raise UntrueError(" ".join(map(short, what)))


def short(what: object) -> str:
    """A frame as it can stand in a message: without the most of its words."""
    said = str(what)
    return said if len(said) < 300 else f"{said[:100]} ... {said[-100:]}"


class Witness:
    """What anyone has seen: all must see the same, and only what was said.

    `spoken` has, by the id of a chat, every text that its author ever gave it.
    """

    def __init__(self) -> None:
        self.seen: dict[str, dict[int, tuple[object, ...]]] = {}
        self.spoken: dict[str, set[str]] = {}
        self.epochs: dict[str, str] = {}

    def see(self, frame: Frame) -> None:
        kind, room, seq = frame["type"], frame["room"], frame["seq"]
        mark = frame.get("id") if kind == "chat" else frame["target"]
        what = (kind, frame["username"], frame["ts"], mark)
        known = self.seen.setdefault(room, {}).setdefault(seq, what)
        check(known == what, "event", seq, "of", room, "is", what, "and was", known)
        if kind == "chat":
            texts = self.spoken.get(str(mark), set())
            words = "" if frame.get("deleted") else frame["text"]
            check(words in texts, "chat", seq, "of", room, "says what nobody said:", frame)

    def epoch(self, room: str, epoch: str) -> None:
        known = self.epochs.setdefault(room, epoch)
        check(known == epoch, "the epoch of", room, "was", known, "and is", epoch)


class Picture:
    """A room as one client has it: `chats` as they are now, `events` as they came."""

    def __init__(self, room: str, witness: Witness) -> None:
        self.room = room
        self.seq = 0
        self.epoch: str | None = None
        """None until it was in the room."""
        self.users: list[str] = []
        self.crowd: set[str] | None = None
        """Who is here by what was heard of coming and going; None until a roster was heard, since
        who is told what they missed hears of events alone meanwhile.
        """
        self.chats: dict[int, Frame] = {}
        self.events: dict[int, Frame] = {}
        self.whole = False
        """It has every chat back to the first."""
        self._blind = False
        """It stopped reading since it came: it may have missed who came and went."""
        self._ts = 0
        self._witness = witness

    def __repr__(self) -> str:
        followed = "" if self.crowd is None else f", of whom it followed {sorted(self.crowd)}"
        return f"{self.room} at {self.seq} with {sorted(self.users)}{followed}"

    def welcome(self, frame: Frame, resumed: bool) -> None:
        """A join is answered. With `resumed`, all after `seq` is to follow."""
        check("gap" not in frame, "the log does not reach back:", frame)
        self._witness.epoch(self.room, frame["epoch"])
        self._roster(frame)
        self.crowd, self._blind = None, False
        self.epoch = frame["epoch"]
        check(self.seq <= frame["seq"], self, "is past what the welcome has:", frame)
        if resumed:
            check("reset" not in frame, "the log is called another one:", frame)
            check("history" not in frame, "history for one who comes back:", frame)
            return
        self.seq = frame["seq"]
        for chat in frame["history"]:
            self._base(chat)
        self.whole = not self.seq

    def again(self, frame: Frame) -> None:
        """A join of where one is: everything before it was heard."""
        check(self.seq == frame["seq"], self, "but the welcome stands at", frame["seq"])
        self._roster(frame)

    def presence(self, frame: Frame, follows: bool) -> None:
        """Someone came or went, or this is who is here."""
        if frame["type"] == "roster":
            self._roster(frame)
            if not follows or self._blind:
                return
            if self.crowd is None:
                self.crowd = set(frame["users"])
        elif self.crowd is not None and frame["type"] == "joined":
            self.crowd.add(frame["username"])
        elif self.crowd is not None:
            self.crowd.discard(frame["username"])

    def lose_sight(self) -> None:
        """From now on it may miss who comes and goes, until it comes anew."""
        self.crowd, self._blind = None, True

    def _roster(self, frame: Frame) -> None:
        self.users = frame["users"]
        check(frame["count"] == len(self.users), self, "heard another count:", frame)
        check(len(set(self.users)) == len(self.users), self, "heard a name twice:", frame)

    def browsed(self, frame: Frame) -> None:
        for chat in frame["events"]:
            self._base(chat)
        if not frame["more"]:
            self.whole = True

    def oldest(self) -> int:
        return min(self.chats, default=self.seq + 1)

    def _base(self, chat: Frame) -> None:
        self._witness.see(chat)
        self.chats[chat["seq"]] = chat

    def event(self, frame: Frame) -> bool:
        """A kept event, the next one; False for one that was had already."""
        self._witness.see(frame)
        seq = frame["seq"]
        if seq <= self.seq:
            return False
        check(seq == self.seq + 1, self, "heard", frame)
        check(frame["ts"] >= self._ts, self, "went back in time:", frame)
        self.seq, self._ts = seq, frame["ts"]
        self.events[seq] = frame
        if frame["type"] == "chat":
            self.chats[seq] = frame
            return True
        chat = self.chats.get(frame["target"])
        if chat is None:
            check(not self.whole, self, "does not know what is changed by", frame)
        elif frame["type"] == "deleted" or frame.get("deleted"):
            chat = {**chat, "text": "", "deleted": True}
            chat.pop("edited", None)
            self.chats[frame["target"]] = chat
        else:
            text, ts = frame["text"], frame["ts"]
            gone = {key: value for key, value in chat.items() if key != "deleted"}
            self.chats[frame["target"]] = {**gone, "text": text, "edited": ts}
        return True
