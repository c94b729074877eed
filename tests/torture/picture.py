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
        self.deleted: set[tuple[str, int]] = set()
        """Room and seq of chats that anyone heard are deleted."""
        self.doomed: set[tuple[str, int]] = set()
        """The same of those that someone asked to have deleted."""

    def see(self, frame: Frame) -> None:
        kind, room, seq = frame["type"], frame["room"], frame["seq"]
        mark = frame.get("id") if kind == "chat" else frame["target"]
        if kind == "reacted":
            mark = (mark, frame["emoji"], frame["on"], frame["count"], tuple(frame["users"]))
        what = (kind, frame["username"], frame["ts"], mark)
        known = self.seen.setdefault(room, {}).setdefault(seq, what)
        check(known == what, "event", seq, "of", room, "is", what, "and was", known)
        if kind == "chat":
            texts = self.spoken.get(str(mark), set())
            words = "" if frame.get("deleted") else frame["text"]
            check(words in texts, "chat", seq, "of", room, "says what nobody said:", frame)
            if "reply" in frame:
                self._quoted(frame)
        if kind == "deleted":
            self.deleted.add((room, frame["target"]))

    def _quoted(self, frame: Frame) -> None:
        quote = frame["reply"]
        place = self.seen[frame["room"]].get(quote["seq"])
        check(quote["seq"] < frame["seq"], "answers what comes later:", frame)
        if place is None:
            return  # nobody has seen it
        check(place[0] == "chat" and place[1] == quote["username"], "quotes another:", frame)
        texts = {text[:120] for text in self.spoken[str(place[3])]}
        check(quote["text"] in texts, "quotes what nobody said:", frame)

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

    def threaded(self, frame: Frame, known: int) -> None:
        """A thread, asked for when all up to `known` was heard."""
        root, *replies = frame["events"]
        check(root["seq"] == frame["seq"], self, "asked for another thread than", frame)
        for chat in (root, *replies):
            self._witness.see(chat)
            if chat["seq"] in self.chats:
                self.chats[chat["seq"]] = chat  # what comes after it is put on top of it
        answers = [chat["reply"]["seq"] for chat in replies]
        check(answers == [frame["seq"]] * len(replies), self, "is no thread:", frame)
        seqs = [chat["seq"] for chat in replies]
        check(seqs == sorted(set(seqs)), self, "is out of order:", frame)
        if not frame["more"]:
            wanted = {
                seq
                for seq, chat in self.chats.items()
                if chat.get("reply", {}).get("seq") == frame["seq"] and seq <= known
            }
            check(wanted <= set(seqs), self, "misses replies of", frame)

    def may_be_gone(self, frame: Frame) -> bool:
        """Whether what a frame is about can be a message that is deleted."""
        seq = frame.get("reply_to") or frame["seq"]
        return (self.room, seq) in self._witness.deleted or (self.room, seq) in self._witness.doomed

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
        if frame["type"] == "deleted":
            self._unquote(frame["target"])
        chat = self.chats.get(frame["target"])
        if chat is None:
            check(not self.whole, self, "does not know what is changed by", frame)
        elif frame["type"] == "deleted" or frame.get("deleted"):
            chat = {**chat, "text": "", "deleted": True}
            chat.pop("edited", None)
            chat.pop("reactions", None)
            chat.pop("mentions", None)
            self.chats[frame["target"]] = chat
        elif frame["type"] == "reacted":
            self._react(chat, frame)
        else:
            text, ts = frame["text"], frame["ts"]
            gone = {k: v for k, v in chat.items() if k not in {"deleted", "mentions"}}
            told = {"mentions": frame["mentions"]} if "mentions" in frame else {}
            self.chats[frame["target"]] = {**gone, "text": text, "edited": ts, **told}
        return True

    def _unquote(self, seq: int) -> None:
        """The words of a message that is deleted are gone from what quotes them, too."""
        for place, chat in self.chats.items():
            if chat.get("reply", {}).get("seq") == seq:
                reply = {**chat["reply"], "text": "", "deleted": True}
                self.chats[place] = {**chat, "reply": reply}

    def _react(self, chat: Frame, frame: Frame) -> None:
        """How the emoji stands is in the frame; a deleted message has no reactions."""
        if chat.get("deleted"):
            return
        stand = {**chat.get("reactions", {})}
        stand.pop(frame["emoji"], None)
        if frame["count"]:
            stand[frame["emoji"]] = {"count": frame["count"], "users": frame["users"]}
        chat = {key: value for key, value in chat.items() if key != "reactions"}
        self.chats[frame["target"]] = {**chat, "reactions": stand} if stand else chat
