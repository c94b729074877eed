"""The near end of a room's log: the frames that some reader still has to get.

Laws: an offset names a place between two frames and never changes its meaning; frames are only
added at the head and only leave at the base. The log knows of each place the `seq` of the last
kept event before it, because not all frames are kept (rosters are not).
"""

from bisect import bisect_left


class Log:
    """Frames by offset. `base` is the offset of the oldest one here, `head` of the next to come.

    `seq` is that of the newest kept event, `size` the bytes of all frames here.
    """

    __slots__ = ("_before", "_frames", "_seqs", "base", "seq", "size")

    def __init__(self, seq: int) -> None:
        self._frames: list[bytes] = []
        self._seqs: list[int] = []
        self._before = seq
        self.seq = seq
        self.base = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def head(self) -> int:
        """The offset at which the next frame will stand."""
        return self.base + len(self._frames)

    def keep(self, frame: bytes, seq: int) -> None:
        """Add a kept event's frame."""
        self.seq = seq
        self._frames.append(frame)
        self._seqs.append(seq)
        self.size += len(frame)

    def tell(self, frame: bytes) -> None:
        """Add a frame that is not kept."""
        self._frames.append(frame)
        self._seqs.append(self.seq)
        self.size += len(frame)

    def replace(self, seq: int, frame: bytes) -> None:
        """The kept event `seq` is changed: who has not had it yet gets it as it is now."""
        if self._before < seq <= self.seq:
            index = bisect_left(self._seqs, seq)
            self.size += len(frame) - len(self._frames[index])
            self._frames[index] = frame

    def seq_before(self, offset: int) -> int:
        """The `seq` of the last kept event before `offset` (of those before `base`, the last)."""
        index = offset - self.base
        return self._seqs[index - 1] if index > 0 else self._before

    def since(self, offset: int, most: int) -> tuple[bytes, int]:
        """The frames from `offset` on in one piece of about `most` bytes, and where it ends."""
        frames = self._frames
        start = offset - self.base
        if self.size <= most:
            end = len(frames)
        else:
            end, size = start, 0
            while end < len(frames) and (end == start or size + len(frames[end]) <= most):
                size += len(frames[end])
                end += 1
        if end - start == 1:
            return frames[start], self.base + end
        return b"".join(frames[start:end]), self.base + end

    def forget(self, offset: int) -> None:
        """Let go of all frames before `offset`."""
        count = offset - self.base
        if count <= 0:
            return
        self._before = self.seq_before(offset)
        if count == len(self._frames):
            self._frames.clear()
            self._seqs.clear()
            self.size = 0
        else:
            self.size -= sum(map(len, self._frames[:count]))
            del self._frames[:count]
            del self._seqs[:count]
        self.base = offset

    def bound(self, events: int, size: int) -> None:
        """Let go of the oldest frames until at most `events` of at most `size` bytes are left."""
        frames = self._frames
        drop = max(0, len(frames) - events)
        left = self.size - sum(map(len, frames[:drop]))
        while left > size and drop < len(frames):
            left -= len(frames[drop])
            drop += 1
        self.forget(self.base + drop)
